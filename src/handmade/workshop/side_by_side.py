"""The same network with the built-in and with a learner's function, trained side by side for a few steps."""

import time
from typing import NamedTuple

from handmade.tasks import Recipe, Task
from handmade.workshop.transplant import Function, Graft, transplant


class Row(NamedTuple):
    """One step of both: the loss and the seconds it took."""

    step: int
    loss: float
    seconds: float
    your_loss: float
    your_seconds: float


def side_by_side(recipe: Recipe, graft: Graft, function: Function, steps: int) -> list[Row]:
    """Train the recipe's model twice from the same weights on the same batches, in turn, a step each."""
    own, yours = recipe.task(), recipe.task()
    transplant(yours.model, graft, function)
    rows = []
    both = zip(own.batches(0, 0), yours.batches(0, 0), strict=True)
    for step, (batch, your_batch) in zip(range(1, steps + 1), both, strict=False):
        rows.append(Row(step, *_step(own, batch), *_step(yours, your_batch)))
    return rows


def _step(task: Task, batch: object) -> tuple[float, float]:
    """The loss, and how long the step took."""
    started = time.perf_counter()
    outcome = task.loss(batch)
    task.learn(outcome)
    return outcome.loss.item(), time.perf_counter() - started
