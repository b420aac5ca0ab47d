"""Numbers become a distribution: each is exponentiated and divided by the sum along one axis:

    softmax(x)_i = exp(x_i) / sum_j exp(x_j)

Every classifier and every attention ends in it. exp overflows at 710, and real logits get there, so your result must be
exact for logits of 1e4, positive and negative ones side by side. x has any number of axes; `axis` is the one along
which the results sum to 1.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import wrong


def softmax(x, axis=-1):
    """x of any shape -> the same shape; sums to 1 along `axis`."""
    if wrong("ignores axis"):
        axis = -1
    if wrong("clips the logits"):
        x = np.clip(x, -500, 500)
    if not wrong("overflows"):
        x = x - (x.max() if wrong("one maximum for all") else x.max(axis, keepdims=True))
    exponentials = np.exp2(x) if wrong("powers of two") else np.exp(x)
    total = exponentials.sum() if wrong("one sum for all") else exponentials.sum(axis, keepdims=True)
    probabilities = exponentials if wrong("not normalised") else exponentials / total
    return np.log(probabilities) if wrong("returns logarithms") else probabilities


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Unsaturated but for the large ones, whose rows lie far apart: no maximum but a row's own serves all of them."""
    yield Case("one row", (rng.standard_normal(4),))
    yield Case("a batch", (rng.standard_normal((3, 5)),))
    yield Case("axis 0", (rng.standard_normal((3, 4)),), {"axis": 0})
    yield Case("axis 1 of 3", (rng.standard_normal((2, 3, 4)),), {"axis": 1})
    yield Case("a batch and heads", (rng.standard_normal((2, 2, 3, 5)),))
    levels = np.array([[1e4], [-1e4], [0.0]])
    yield Case("logits of 1e4", (levels + rng.standard_normal((3, 4)),))
    yield Case("logits of 1e4, axis 0", ((levels + rng.standard_normal((3, 2))).T.copy(),), {"axis": 1})
    yield Case("1e4 beside -1e4", (np.array([[1e4, 0.0, -1e4], [1.0, 2.0, -0.5]]),))


EXERCISE = Exercise(
    title="Softmax",
    paper="Bridle 1990, Probabilistic Interpretation of Feedforward Classification Network Outputs, section 3",
    minutes=5,
    functions=(softmax,),
    outputs=("probabilities",),
    cases=cases,
    faults={
        "ignores axis": Fault(
            "The sum always runs along the last axis, whatever `axis` says.",
            "Attention over any other axis mixes what should compete with what should not.",
            "Pass `axis` to max and to sum, both with keepdims=True.",
        ),
        "clips the logits": Fault(
            "The logits are clipped before exp.",
            "All logits beyond the limit become equal: the network can no longer prefer one to another.",
            "Subtract the maximum instead: that changes nothing in the result and keeps exp in its range.",
        ),
        "overflows": Fault(
            "exp overflows for large logits, and inf / inf is nan.",
            "One large logit turns the loss into nan, and all weights with it.",
            "Subtract the maximum along the axis before exp: the result is the same.",
        ),
        "one maximum for all": Fault(
            "The maximum of the whole array is subtracted, not that of each row.",
            "A row far below the largest one underflows to zeros, and 0 / 0 is nan.",
            "x - x.max(axis, keepdims=True).",
        ),
        "powers of two": Fault(
            "Powers of 2 are normalised, not powers of e.",
            "The distribution is flatter, and the gradient p - y is no longer that of its logarithm.",
            "Use np.exp.",
        ),
        "not normalised": Fault(
            "The exponentials are not divided by their sum.",
            "They are not probabilities: whatever takes their logarithm can be pushed below any bound.",
            "Divide by the exponentials' sum along the axis.",
        ),
        "one sum for all": Fault(
            "The exponentials are divided by the sum of the whole array.",
            "All rows together sum to 1: each example's probabilities depend on the rest of the batch.",
            "Sum along the axis: exponentials.sum(axis, keepdims=True).",
        ),
        "returns logarithms": Fault(
            "The logarithms of the probabilities are returned: that is log-softmax.",
            "Used as weights they are negative, and do not sum to 1.",
            "Return the quotient itself.",
        ),
    },
    hints=(
        "Exponentials divided by their sum. Which of the two fails for large numbers?",
        "Adding the same number to all of a row leaves its softmax as it is. Which number makes exp safe?",
        "x = x - x.max(axis, keepdims=True); e = np.exp(x); e / e.sum(axis, keepdims=True)",
    ),
    forbidden=(
        "torch.softmax",
        "torch.log_softmax",
        "torch.special.softmax",
        "torch.special.log_softmax",
        "torch.Tensor.softmax",
        "torch.Tensor.log_softmax",
        "torch.nn.functional.softmax",
        "torch.nn.functional.log_softmax",
        "torch.nn.functional.softmin",
        "torch.nn.Softmax",
        "torch.nn.LogSoftmax",
        "scipy.special.softmax",
        "scipy.special.log_softmax",
    ),
)
