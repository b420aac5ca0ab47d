"""While training, each value is dropped with probability p, and those kept are divided by 1 - p, so that their mean
stays what it was; at evaluation nothing is done. That is inverted dropout, the form in use everywhere:

    out = x * keep / (1 - p)

`mask` holds random numbers from [0, 1), one for each value of x: keep a value where its number is at least p. It is an
argument so that results can be compared; 0 <= p < 1.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import wrong


def dropout(x, p, training, mask):
    """x of any shape, 0 <= p < 1, mask of x's shape in [0, 1) -> out, of x's shape."""
    if wrong("drops at evaluation"):
        training = True
    if not training:
        return x * (1 - p) if wrong("scales at evaluation") else x
    if wrong("one number for a row"):
        mask = mask[..., :1]
    keep = mask > p if wrong("drops where mask equals p") else mask >= p
    if wrong("keeps what should go"):
        keep = ~keep
    if wrong("never drops"):
        keep = np.ones_like(x)
    share = p if wrong("divided by p") else 1 - p
    if wrong("kept values not scaled"):
        return x * keep
    return x * keep * share if wrong("multiplied by 1 - p") else x * keep / share


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Different p below and above a half, since p and 1 - p are the same there; a mask that holds p itself."""
    for label, shape, p, training in [
        ("training", (4, 5), 0.3, True),
        ("training, most is dropped", (3, 7), 0.8, True),
        ("training, images", (2, 3, 4, 3), 0.6, True),
        ("training, one axis", (9,), 0.4, True),
        ("evaluation", (4, 5), 0.3, False),
        ("evaluation, images", (2, 3, 2, 3), 0.7, False),
    ]:
        yield Case(label, (rng.standard_normal(shape), p, training, rng.random(shape)))
    edge = np.array([[0.0, 0.25, 0.5], [0.75, 0.25, 0.125]])
    yield Case("mask equals p", (rng.standard_normal((2, 3)), 0.25, True, edge))
    yield Case("p = 0", (rng.standard_normal((2, 3)), 0.0, True, edge))


EXERCISE = Exercise(
    title="Dropout",
    paper="Srivastava et al. 2014, Dropout: A Simple Way to Prevent Neural Networks from Overfitting, section 10",
    minutes=5,
    functions=(dropout,),
    outputs=("out",),
    cases=cases,
    faults={
        "drops at evaluation": Fault(
            "Values are dropped at evaluation too.",
            "The same input gets a different answer each time, and a worse one.",
            "Return x as it is where training is False.",
        ),
        "scales at evaluation": Fault(
            "At evaluation x is multiplied by 1 - p.",
            "That belongs to the first form of dropout, which does not scale in training: here it shrinks every value.",
            "Inverted dropout has done its scaling in training: return x.",
        ),
        "one number for a row": Fault(
            "One random number decides for a whole row (the last axis).",
            "Rows vanish whole: the values of a row still rely on each other, which dropout is meant to prevent.",
            "Compare every value with its own number of the mask.",
        ),
        "drops where mask equals p": Fault(
            "A value is kept where mask > p only.",
            "With p = 0 a random number of exactly 0 still drops a value.",
            "Numbers come from [0, 1): keep where mask >= p, and each value is dropped with probability p.",
        ),
        "keeps what should go": Fault(
            "The mask is the wrong way round: values stay where mask < p.",
            "Each is dropped with probability 1 - p: with p = 0.1, nine in ten are lost.",
            "Keep where mask >= p.",
        ),
        "never drops": Fault(
            "Nothing is dropped, whatever the mask says.",
            "There is no regularisation; and if the values are scaled, training and evaluation differ.",
            "Multiply x by mask >= p.",
        ),
        "kept values not scaled": Fault(
            "The kept values are not divided by 1 - p.",
            "Values are smaller in training than at evaluation by 1 - p, and later layers see numbers they never met.",
            "Divide by 1 - p while training.",
        ),
        "multiplied by 1 - p": Fault(
            "The kept values are multiplied by 1 - p, not divided.",
            "Values in training are smaller than at evaluation by (1 - p) squared.",
            "Divide by 1 - p, the share that is kept.",
        ),
        "divided by p": Fault(
            "The kept values are divided by p, the share that is dropped.",
            "The mean is kept only at p = 0.5; at p = 0.1 values are nine times too large.",
            "Divide by 1 - p, the share that is kept.",
        ),
    },
    hints=(
        "Two cases: training and not. In one of them there is nothing to do.",
        "A share 1 - p of the values is kept. By what must they be divided for the sum to stay the same on average?",
        "np.where(mask >= p, x / (1 - p), 0.0) if training else x",
    ),
    forbidden=("torch.dropout", "torch.nn.functional.dropout", "torch.nn.Dropout"),
)
