"""The same network with the built-in and with a learner's function, trained side by side for a few steps."""

import statistics
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


def comparison(rows: list[Row]) -> str:
    """The losses and times of both, step by step, and how many times longer the learner's takes."""
    lines = [f"{'step':>6}{'loss':>12}{'ms':>9}{'your loss':>14}{'your ms':>10}"]
    for row in rows:
        times = 1000 * row.seconds, 1000 * row.your_seconds
        lines.append(f"{row.step:>6}{row.loss:>12.5f}{times[0]:>9.0f}{row.your_loss:>14.5f}{times[1]:>10.0f}")
    ratio = statistics.median(row.your_seconds / row.seconds for row in rows)
    return "\n".join([*lines, f"Yours, with the built-in gradient, takes {ratio:.1f} times as long."])
