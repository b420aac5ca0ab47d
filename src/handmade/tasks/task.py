"""Task: all that the training loop knows of a model and its data."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from handmade.engine import Tensor
from handmade.moved import HasMoved
from handmade.nn import Module
from handmade.nn.utils import clip_grad_norm_
from handmade.optim import Optimizer
from handmade.optim.lr_scheduler import LRScheduler
from handmade.tasks.recipe import Recipe
from handmade.tasks.use import Use


@dataclass
class Outcome:
    """The result of one batch.

    loss: the mean over the batch, to call backward() on.
    count: how many examples (images, tokens) the mean is over.
    totals: sums over the same examples, by name; {"accuracy": 97} of a count of 128 is an accuracy of 75.8 %.
    """

    loss: Tensor
    count: int
    totals: dict[str, float]


class Task(HasMoved, ABC):
    """A model, its data, and how the model is evaluated.

    recipe: decides all that a task does not decide itself.
    unit: what a batch is counted in, for example 'images'.
    steps_per_epoch: batches in an epoch; after each epoch the model is evaluated.
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
        """Backpropagate the outcome's loss and take an optimizer step; returns the learning rate of that step."""
        rate = self.schedule.get_last_lr()[0]  # before the step: a schedule sets the first rate when it is made
        self.backpropagate(outcome)
        if self.recipe.max_norm is not None:
            clip_grad_norm_(self.model.parameters(), self.recipe.max_norm)
        self.optimizer.step()
        self.schedule.step()
        return rate

    def backpropagate(self, outcome: Outcome) -> None:
        """Leave the gradients of the outcome's loss, and nothing of the step before, in the parameters."""
        self.optimizer.zero_grad()
        outcome.loss.backward()

    @abstractmethod
    def evaluate(self) -> dict[str, float]:
        """The metrics on the test data, 'loss' among them. Uses no random numbers and records no gradients."""

    @abstractmethod
    def draw(self, folder: Path) -> list[Path]:
        """Draw into `folder` what the trained model makes of the test data; the pictures' paths."""

    def sample(self) -> str | None:
        """A few lines of the model's output, shown after each epoch; None if it writes no text."""
        return None

    def state(self) -> dict[str, Any]:
        """What the next batch needs besides the weights: arrays and plain values, saved in the checkpoint."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned; ValueError where that is of another task."""
        if state:
            raise ValueError(f"its task's state has {', '.join(map(str, state))}, expected nothing")
