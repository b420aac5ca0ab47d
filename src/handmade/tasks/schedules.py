"""Learning rates over a whole run: the factor of the highest rate, by how much of the run is done (0 to 1).

A schedule that is given in shares of the run means the same in 5 epochs as in 200.
"""

import math

from handmade.optim import LambdaLR, Optimizer
from handmade.optim.lr_scheduler import LRScheduler

SCHEDULES = {
    "constant": lambda done: 1.0,
    # He et al. 2015, section 4.2: a tenth after 32,000, a hundredth after 48,000 of 64,000 steps
    "steps": lambda done: 0.1 ** ((done >= 0.5) + (done >= 0.75)),
    # half a wave (Loshchilov & Hutter 2017, equation 5)
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
    # from a tenth up to the rate in the first fifth, then down to 0 (after Smith & Topin 2018)
    "one-cycle": lambda done: min(0.1 + 4.5 * done, (1 - done) / 0.8),
    # slowly down, and at the end to 0: the power is that of the GoogLeNet of Caffe's model zoo
    "polynomial": lambda done: (1 - done) ** 0.5,
    # up in the first tenth, then as the root of the step falls: from the rate to a third of it. Vaswani et al. 2017,
    # equation 3, whose warm-up is 4,000 of 100,000 steps and whose rate is 1 / sqrt(d_model * warm-up)
    "inverse-square-root": lambda done: done / 0.1 if done < 0.1 else (0.1 / done) ** 0.5,
}


def scheduled(optimizer: Optimizer, schedule: str, total_steps: int) -> LambdaLR:
    """The optimizer's learning rate over `total_steps` steps by a schedule of this name."""
    factor = SCHEDULES[schedule]
    return LambdaLR(optimizer, lambda step: factor(step / total_steps))


def scale_rate(schedule: LRScheduler, factor: float) -> float:
    """Multiply the learning rate by `factor` from now on, whatever else the schedule does; the rate that it is then."""
    state = schedule.state_dict()
    rates = {name: [factor * rate for rate in state[name]] for name in ("base_lrs", "_last_lr")}
    schedule.load_state_dict({**state, **rates})
    return schedule.get_last_lr()[0]
