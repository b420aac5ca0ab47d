"""Task: all that the training loop knows of a model and its data."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from handmade.nn import Module
from handmade.optim import Optimizer
from handmade.optim.lr_scheduler import LRScheduler
from handmade.tensor import Tensor


@dataclass
class Outcome:
    """What one batch gave.

    loss: the mean over the batch, to go back from.
    count: how many examples (images, tokens) the mean is over.
    totals: sums over the same examples, by name; {"accuracy": 97} of a count of 128 is an accuracy of 75.8 %.
    """

    loss: Tensor
    count: int
    totals: dict[str, float]


class Task(Protocol):
    """A model, its data, and how the one is judged by the other.

    unit: what a batch is counted in, as 'images'.
    steps_per_epoch: after so many batches an epoch ends and the model is evaluated.
    total_steps: the length of training.
    facts: what was learned from the data and must be known to build the same model again (classes, vocabulary); plain
        values that JSON can hold.
    """

    model: Module
    unit: str
    steps_per_epoch: int
    total_steps: int
    facts: dict[str, Any]

    @property
    def optimizer(self) -> Optimizer: ...

    @property
    def schedule(self) -> LRScheduler:
        """Stepped once after each step of the optimizer."""
        ...

    def batches(self, epoch: int, start: int) -> Iterator[Any]:
        """The batches of an epoch from number `start` on, in an order that the seed and the epoch alone decide."""
        ...

    def loss(self, batch: Any) -> Outcome:
        """The model's loss on a batch, recorded for backward()."""
        ...

    def evaluate(self) -> dict[str, float]:
        """The measures on the test data, 'loss' first. Draws nothing at random, records nothing."""
        ...

    def draw(self, folder: Path) -> list[Path]:
        """Draw into `folder` what the trained model makes of the test data; the pictures' paths."""
        ...
