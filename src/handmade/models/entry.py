"""What the zoo knows of a model besides its code."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from handmade.nn import Module


@dataclass(frozen=True)
class Entry:
    """One builder of the zoo.

    Attributes:
        name: what the command line calls it.
        build: the builder; called without arguments it gives the published configuration.
        year: of the paper.
        paper: authors and title.
        parameters: how many numbers it learns (a test counts them).
        input_shape: of one example, without the batch axis; (3, 224, 224) is an image, (64,) a row of 64 tokens.
        error: the paper's own result, as it states it.
        arguments: what `make` gives the builder, as (name, value) pairs.
    """

    name: str
    build: Callable[..., Module]
    year: int
    paper: str
    parameters: int
    input_shape: tuple[int, ...]
    error: str
    arguments: tuple[tuple[str, Any], ...] = ()

    def make(self) -> Module:
        """The model, with the entry's own arguments."""
        return self.build(**dict(self.arguments))
