"""Training for a given time, as benchmarks do that compare models by what they learn in it.

Time is that of a clock: the processor's (time.process_time), all threads together, where what else the machine does
must not decide how much a model learns; or the one on the wall (time.perf_counter), on a machine of one's own.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from handmade.tasks import TranslationRecipe, TranslationTask

Clock = Callable[[], float]

TRIAL_STEPS = 30
"""So many steps are taken, and forgotten, to estimate how many there is time for: schedules need to know."""


def for_time(recipe: TranslationRecipe, seconds: float, clock: Clock = time.process_time) -> TranslationTask:
    """The recipe's task, as many steps long as there is time for."""
    trial = replace(recipe, steps=TRIAL_STEPS).task()
    list(steps(trial, 2, every=1))  # the first steps are slower than the others
    started = clock()
    taken = sum(1 for _ in steps(trial, TRIAL_STEPS, every=1))
    step_seconds = (clock() - started) / taken
    return replace(recipe, steps=max(1, int(seconds / step_seconds))).task()


def steps(
    task: TranslationTask, end: int, every: int, seconds: float = float("inf"), clock: Clock = time.process_time
) -> Iterator[dict[str, float]]:
    """Train until step `end`, or until `seconds` are over, and say every so many steps, and at the end, how it goes.

    The time that passes outside, as for tests, does not count.
    """
    step, losses, spent = 0, [], 0.0
    task.model.train()
    while step < end:
        for batch in task.batches(step // task.steps_per_epoch, 0):
            started = clock()
            outcome = task.loss(batch)
            task.learn(outcome)
            losses.append(outcome.loss.item())
            step, spent = step + 1, spent + clock() - started
            over = step == end or spent >= seconds
            if step % every == 0 or over:
                epoch = step / task.steps_per_epoch
                yield {"step": step, "epoch": epoch, "seconds": spent, "train_loss": float(np.mean(losses))}
                losses = []
            if over:
                return
