"""Gradient descent that keeps going: a running sum of gradients, the velocity, takes the place of the gradient. Along a
valley steps add up, across it they cancel:

    v <- momentum v + dw
    w <- w - lr v

One step: w, its gradient dw and the velocity v have one shape; return the new w and the new v.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import convention, wrong


def sgd_momentum(w, dw, v, lr, momentum):
    """w, dw, v of one shape -> w, v after the step."""
    if convention("velocity is the step"):
        step = momentum * v - lr * dw
        return w + step, step
    if wrong("rate in the velocity"):
        dw = lr * dw
    if wrong("velocity points downhill"):
        dw = -dw
    if wrong("gradient damped"):
        dw = (1 - momentum) * dw
    if wrong("momentum on the gradient"):
        dw = momentum * dw
    if wrong("momentum ignored"):
        momentum = 1.0
    new_v = dw if wrong("velocity forgotten") else momentum * v + dw
    direction = v if wrong("old velocity") else new_v
    if wrong("Nesterov"):
        direction = dw + momentum * new_v
    step = direction if wrong("rate in the velocity") else lr * direction
    w = w + step if wrong("steps uphill") else w - step
    return w, (v if wrong("velocity not handed on") else new_v)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """A velocity that is not 0, rates and momenta that are not 1 nor one another's complement."""
    for label, shape, lr, momentum in [
        ("a vector", (5,), 0.1, 0.9),
        ("a matrix", (3, 4), 0.03, 0.6),
        ("a kernel", (2, 3, 2, 1), 0.5, 0.3),
        ("no momentum", (4,), 0.2, 0.0),
    ]:
        w, dw, v = rng.standard_normal((3, *shape))
        yield Case(label, (w, dw, v, lr, momentum))
    yield Case("the first step", (rng.standard_normal(3), rng.standard_normal(3), np.zeros(3), 0.2, 0.8))


EXERCISE = Exercise(
    title="SGD with momentum",
    paper="Sutskever et al. 2013, On the Importance of Initialization and Momentum in Deep Learning, section 2",
    minutes=5,
    functions=(sgd_momentum,),
    outputs=("w", "v"),
    cases=cases,
    faults={
        "rate in the velocity": Fault(
            "The learning rate multiplies the gradient as it enters the velocity, not the velocity as it moves w.",
            "After the learning rate is lowered, steps at the old one go on for a long time.",
            "v = momentum * v + dw; the rate comes in at w - lr * v only.",
        ),
        "velocity points downhill": Fault(
            "The gradient is subtracted from the velocity.",
            "The velocity passed in points uphill, like the gradient: the two work against each other.",
            "v = momentum * v + dw.",
        ),
        "gradient damped": Fault(
            "The gradient is multiplied by 1 - momentum: a running mean, not a running sum.",
            "With momentum 0.9 steps are ten times smaller than the rate promises.",
            "v = momentum * v + dw.",
        ),
        "momentum ignored": Fault(
            "The old velocity enters in full, without the factor momentum.",
            "Nothing is ever forgotten: w swings ever further past the minimum.",
            "v = momentum * v + dw.",
        ),
        "velocity forgotten": Fault(
            "The new velocity is the gradient alone.",
            "That is plain gradient descent: nothing adds up along a valley.",
            "v = momentum * v + dw.",
        ),
        "momentum on the gradient": Fault(
            "The factor momentum is on the gradient too.",
            "Steps are smaller than the rate promises, and none at all with a momentum of 0.",
            "v = momentum * v + dw.",
        ),
        "old velocity": Fault(
            "The step is made with the velocity of the step before.",
            "Every gradient acts one step late; the first step does nothing.",
            "Compute the new v first, then w - lr * v.",
        ),
        "Nesterov": Fault(
            "The step is dw + momentum v: Nesterov's variant.",
            "A sound method, but another one: it looks one step ahead.",
            "Step along v itself: w - lr * v.",
        ),
        "steps uphill": Fault(
            "The step is added to w.",
            "The loss grows with every step.",
            "The gradient points uphill: w - lr * v.",
        ),
        "velocity not handed on": Fault(
            "The velocity is returned unchanged.",
            "The next step starts from the old one: no momentum ever builds up.",
            "Return the new v.",
        ),
    },
    conventions={
        "velocity is the step": "v = momentum v - lr dw, w + v, as Sutskever et al. and Keras write it. PyTorch's is "
        "v = momentum v + dw, w - lr v: the same steps, as long as the rate is constant.",
    },
    hints=(
        "Two lines, in the order of the formulas.",
        "The velocity is a sum of gradients, each fading by the factor momentum a step. It knows nothing of the rate.",
        "v = momentum * v + dw; w = w - lr * v; return w, v",
    ),
    may_change=("w", "v"),
    forbidden=("torch.optim.SGD",),
)
