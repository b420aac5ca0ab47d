"""How long a training will take here, from a few of its steps."""

import itertools
import time

from handmade.tasks.task import Task

SECONDS, WARM_UP = 2.0, 2
"""How long it is measured for, and the steps before that, in which buffers are made and kernels compiled."""


def seconds_a_step(task: Task) -> float:
    """The mean seconds of a step. The task learns from these steps: it is not one to train afterwards."""
    task.model.train()
    begun, count = time.perf_counter(), 0
    for number, batch in enumerate(itertools.islice(task.batches(0, 0), 200)):
        if number == WARM_UP:
            begun, count = time.perf_counter(), 0
        task.learn(task.loss(batch))
        count += 1
        if number > WARM_UP and time.perf_counter() - begun > SECONDS:
            break
    return (time.perf_counter() - begun) / count


def in_words(seconds: float) -> str:
    """As '1 second', '40 seconds', '12 minutes', '3.5 hours'."""
    if seconds < 1.5:
        return "1 second"
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"
