"""Task: all that the training loop knows of a model and its data."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from handmade.engine import Tensor
from handmade.nn import Module
from handmade.nn.utils import clip_grad_norm_
from handmade.optim import Optimizer
from handmade.optim.lr_scheduler import LRScheduler
from handmade.tasks.recipe import Recipe
from handmade.tasks.use import Use


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


class Task(ABC):
    """A model, its data, and how the one is judged by the other.

    recipe: decides all that a task does not decide itself.
    unit: what a batch is counted in, as 'images'.
    steps_per_epoch: after so many batches an epoch ends and the model is evaluated.
    facts: what was learned from the data and must be known to build the same model again (classes, vocabulary); plain
        values that JSON can hold.
    use: the model with all that it takes to use it, as people do.
    """

    recipe: Recipe
    unit: str
    model: Module
    steps_per_epoch: int
    facts: dict[str, Any]
    use: Use

    @cached_property
    def optimizer(self) -> Optimizer:
        return self.recipe.make_optimizer(self.model)

    @cached_property
    def schedule(self) -> LRScheduler:
        """The learning rate's; stepped once after each step of the optimizer."""
        return self.recipe.make_schedule(self.optimizer, self.total_steps)

    @cached_property
    def total_steps(self) -> int:
        """The length of training."""
        return self.recipe.steps or self.recipe.epochs * self.steps_per_epoch

    @abstractmethod
    def batches(self, epoch: int, start: int) -> Iterator[Any]:
        """The batches of an epoch from number `start` on, in an order that the seed and the epoch alone decide."""

    @abstractmethod
    def loss(self, batch: Any) -> Outcome:
        """The model's loss on a batch, recorded for backward()."""

    def learn(self, outcome: Outcome) -> float:
        """Go back from the outcome's loss and take a step of the optimizer; the learning rate that it was taken at."""
        rate = self.schedule.get_last_lr()[0]  # before the step: a schedule sets the first rate when it is made
        self.optimizer.zero_grad()
        outcome.loss.backward()
        if self.recipe.max_norm is not None:
            clip_grad_norm_(self.model.parameters(), self.recipe.max_norm)
        self.optimizer.step()
        self.schedule.step()
        return rate

    @abstractmethod
    def evaluate(self) -> dict[str, float]:
        """The measures on the test data, 'loss' among them. Draws nothing at random, records nothing."""

    @abstractmethod
    def draw(self, folder: Path) -> list[Path]:
        """Draw into `folder` what the trained model makes of the test data; the pictures' paths."""

    def sample(self) -> str | None:
        """A few lines that the model makes, to be shown after each epoch; None where it makes nothing to read."""
        return None

    def state(self) -> dict[str, Any]:
        """What the next batch needs of this one beside the weights; arrays and plain values, part of the checkpoint."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:  # noqa: B027 (most tasks have none)
        """Go on from what `state` gave."""
