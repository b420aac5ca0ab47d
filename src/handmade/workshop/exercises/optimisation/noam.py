"""The Transformer's learning rate: it rises for `warmup` steps, while Adam's averages settle, and falls from then on.

    lr = d_model^(-1/2) * min(step^(-1/2), step * warmup^(-3/2))

step counts from 1. Both arms meet at step = warmup, where the rate is largest. Return the rate of this step.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import wrong


def noam_lr(step, d_model, warmup):
    """-> the learning rate of step 1, 2, ..."""
    if wrong("steps from 0"):
        step = step + 1
    rising = step * warmup ** (-0.5 if wrong("warmup to the power of -1/2") else -1.5)
    falling = step**-0.5
    if wrong("warmup divided by once"):
        rising = step / warmup
    if wrong("never falls"):
        falling = warmup**-0.5
    if wrong("never rises"):
        rising = falling
    if wrong("falls as 1 / step"):
        falling = warmup**0.5 / step
    factor = max(falling, rising) if wrong("maximum") else min(falling, rising)
    if wrong("width not used"):
        return factor
    if wrong("grows with the width"):
        return d_model**0.5 * factor
    return d_model ** (-1.0 if wrong("width without its root") else -0.5) * factor


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Before, at and after the end of the warm-up; several widths."""
    for label, step, d_model, warmup in [
        ("first step", 1, 512, 4000),
        ("rising", 1500, 256, 4000),
        ("end of the warm-up", 400, 128, 400),
        ("falling", 9000, 512, 4000),
        ("far beyond", 100000, 64, 100),
        ("warm-up of one step", 7, 10, 1),
        ("small numbers", 3, 6, 5),
    ]:
        yield Case(label, (step, d_model, warmup))


EXERCISE = Exercise(
    title="Noam's learning rate",
    paper="Vaswani et al. 2017, Attention Is All You Need, section 5.3, equation 3",
    minutes=4,
    functions=(noam_lr,),
    outputs=("lr",),
    cases=cases,
    atol=1e-12,
    faults={
        "maximum": Fault(
            "The larger of the two arms is taken, not the smaller.",
            "The rate begins huge and, after the warm-up, grows without end: training diverges.",
            "min(step ** -0.5, step * warmup ** -1.5).",
        ),
        "steps from 0": Fault(
            "step is taken to count from 0, and 1 is added.",
            "The whole schedule is one step early.",
            "step counts from 1 here: use it as it is.",
        ),
        "warmup to the power of -1/2": Fault(
            "The rising arm has warmup^(-1/2), where it should have warmup^(-3/2).",
            "It is warmup times too steep: there is no warm-up, and training diverges at the start.",
            "step * warmup ** -1.5.",
        ),
        "warmup divided by once": Fault(
            "The rising arm is step / warmup.",
            "It reaches 1 at the end of the warm-up, where the falling arm is at warmup^(-1/2): the warm-up ends "
            "too early.",
            "step * warmup ** -1.5, so that both arms meet at step = warmup.",
        ),
        "never rises": Fault(
            "There is no warm-up: the rate falls from the first step.",
            "Adam's first steps, with averages that have not settled, are the largest, and training diverges.",
            "Take the smaller of both arms.",
        ),
        "never falls": Fault(
            "The rate stays where the warm-up ends.",
            "The loss stops falling early, as steps stay too large.",
            "After the warm-up it is step ** -0.5.",
        ),
        "falls as 1 / step": Fault(
            "After the warm-up the rate falls as 1 / step, not as its root.",
            "Training comes to a stop too soon.",
            "step ** -0.5.",
        ),
        "width not used": Fault(
            "d_model is not used.",
            "The rate is the same for all widths, and about 20 times too large for a width of 512.",
            "Multiply by d_model ** -0.5.",
        ),
        "grows with the width": Fault(
            "The rate is multiplied by sqrt(d_model), not divided.",
            "It is d_model times too large, and training diverges.",
            "d_model ** -0.5.",
        ),
        "width without its root": Fault(
            "The rate is divided by d_model, not by its root.",
            "Wide models learn far too slowly.",
            "d_model ** -0.5.",
        ),
    },
    hints=(
        "Two curves of the step, and the smaller of them counts.",
        "One rises with step, one falls as 1 / sqrt(step); at step = warmup they are equal.",
        "d_model ** -0.5 * min(step ** -0.5, step * warmup ** -1.5)",
    ),
)
