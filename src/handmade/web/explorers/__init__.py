"""The explorers, one file each: a question in, an answer out. No HTTP: tests and notebooks call them as they are."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from handmade.web.pages import EXPLORERS

if TYPE_CHECKING:
    from handmade.models.card import Card
    from handmade.web.frames import Answer
    from handmade.web.measuring import Pieces
    from handmade.web.observatory import Observatory

NAMES = tuple(EXPLORERS)
"""All of them, in the order of study."""


@dataclass(frozen=True)
class Explorer:
    """What answers for one page.

    question: the dataclass that its questions are read into. answer: what answers one.
    exercises: those whose code runs in it, by name. related: others that belong to it, for `handmade check` alone.
    fits: the networks that it looks into; None where it needs no model.
    trains: the command that makes a model for it.
    files: where what it shows is written, as paths in the package.
    pieces: what takes long, measured piece by piece as a job: what each has found, given the question.
    also: the questions that a page saved as a file answers beside its own, given that one and its answer.
    """

    question: type
    answer: "Callable[[Any, Observatory], Answer]"
    exercises: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    fits: "Callable[[Card], bool] | None" = None
    trains: str = ""
    files: tuple[str, ...] = ()
    pieces: "Callable[[Any, Observatory], Pieces] | None" = None
    also: "Callable[[Any, Answer], Iterable[Any]]" = lambda question, answer: ()


def explorer_named(name: str) -> Explorer:
    """The explorer of one of NAMES."""
    return import_module(f"handmade.web.explorers.{name}").EXPLORER
