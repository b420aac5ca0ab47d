"""The gradient of batch normalisation in training, for features x (N, D):

    x_hat = (x - mean) / sqrt(var + eps)        out = gamma x_hat + beta

mean and var, the biased one, are the batch's own, column by column: so each x acts on every output of its column, in
three ways: directly, through the mean and through the variance. Return dx, dgamma and dbeta, given dout (N, D).
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import AUTOGRAD, Exercise, Fault
from handmade.workshop.switches import wrong


def batch_norm_backward(dout, x, gamma, eps=1e-5):
    """dout, x (N, D), gamma (D,) -> dx (N, D), dgamma (D,), dbeta (D,)."""
    centred = x - x.mean(0)
    var = x.var(0, ddof=1 if wrong("variance over n - 1") else 0)
    if wrong("eps outside the root"):
        deviation = np.sqrt(var) + eps
    else:
        deviation = np.sqrt(var + eps)
    x_hat = centred / deviation

    dgamma = (dout * (x if wrong("dgamma from x") else x_hat)).sum(0)
    dbeta = dout.sum(0)
    if wrong("dgamma averaged"):
        dgamma = dgamma / len(x)
    if wrong("dbeta averaged"):
        dbeta = dbeta / len(x)

    dx_hat = dout if wrong("no gamma in dx") else dout * gamma
    through_mean = dx_hat.mean(0)
    through_var = x_hat * (dx_hat * x_hat).mean(0)
    if wrong("mean taken as fixed"):
        through_mean = 0.0
    if wrong("variance taken as fixed"):
        through_var = 0.0
    if wrong("half of the variance's part"):
        through_var = through_var / 2
    if wrong("sums in place of means"):
        through_mean, through_var = through_mean * len(x), through_var * len(x)
    dx = dx_hat - through_mean - through_var
    return (dx if wrong("dx not divided by the deviation") else dx / deviation), dgamma, dbeta


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Means far from 0, variances from 1, and eps = 0.1."""
    for label, shape, options in [
        ("N > D", (5, 3), {}),
        ("N < D", (3, 6), {}),
        ("N = D", (4, 4), {}),
        ("one feature", (6, 1), {}),
        ("eps = 0.1", (4, 3), {"eps": 0.1}),
    ]:
        x = rng.uniform(0.5, 2, shape[1]) * rng.standard_normal(shape) + rng.uniform(-3, 3, shape[1])
        yield Case(label, (rng.standard_normal(shape), x, rng.uniform(0.5, 2, shape[1])), options)


EXERCISE = Exercise(
    title="Batch normalisation, backward",
    paper="Ioffe and Szegedy 2015, Batch Normalization, section 3",
    minutes=25,
    functions=(batch_norm_backward,),
    outputs=("dx", "dgamma", "dbeta"),
    cases=cases,
    faults={
        "variance over n - 1": Fault(
            "The variance is the unbiased one, over N - 1.",
            "It is the gradient of a different function from forward's, most so with small batches.",
            "x.var(0), over N.",
        ),
        "eps outside the root": Fault(
            "eps is added to the standard deviation, not to the variance.",
            "It is the gradient of a different function from forward's.",
            "np.sqrt(x.var(0) + eps).",
        ),
        "dgamma from x": Fault(
            "dgamma is computed from x, not with the normalised x.",
            "gamma is pushed by the column's mean, with which it has nothing to do.",
            "gamma multiplies x_hat: dgamma = (dout * x_hat).sum(0).",
        ),
        "dgamma averaged": Fault(
            "dgamma is the mean over the batch, not the sum.",
            "A loss that is a mean has divided already: gamma learns N times too slowly.",
            "(dout * x_hat).sum(0).",
        ),
        "dbeta averaged": Fault(
            "dbeta is the mean over the batch, not the sum.",
            "A loss that is a mean has divided already: beta learns N times too slowly.",
            "dout.sum(0).",
        ),
        "no gamma in dx": Fault(
            "gamma is missing in dx.",
            "The layers below do not feel how far this one's output is scaled.",
            "Start from dx_hat = dout * gamma.",
        ),
        "mean taken as fixed": Fault(
            "The path through the mean is missing.",
            "dx asks for a common shift of the batch, which the layer removes again: steps are wasted.",
            "Subtract dx_hat.mean(0).",
        ),
        "variance taken as fixed": Fault(
            "The path through the variance is missing.",
            "dx asks for a larger spread, which the layer removes again: weights grow without effect.",
            "Subtract x_hat * (dx_hat * x_hat).mean(0).",
        ),
        "half of the variance's part": Fault(
            "The path through the variance has half its size: the 2 of the square's derivative was lost.",
            "dx still asks for a larger spread, which the layer removes again.",
            "d var / dx = 2 (x - mean) / N; the 2 cancels the 1/2 of the root.",
        ),
        "sums in place of means": Fault(
            "The parts through mean and variance lack the 1/N.",
            "They drown the direct part, N times too large.",
            "mean and var are divided by N, so are their gradients.",
        ),
        "dx not divided by the deviation": Fault(
            "dx is not divided by sqrt(var + eps).",
            "Columns of large values get gradients too large, columns of small ones too small.",
            "Divide the whole by the deviation at the end.",
        ),
    },
    hints=(
        "Begin with dx_hat = dout * gamma. Then follow x's three paths, or work back through forward line by line.",
        "The mean's part is the same for all rows of a column; the variance's is in proportion to x_hat.",
        "dx = (dx_hat - dx_hat.mean(0) - x_hat * (dx_hat * x_hat).mean(0)) / np.sqrt(var + eps)",
    ),
    forbidden=("torch.native_batch_norm", "torch.ops.aten.native_batch_norm_backward", *AUTOGRAD),
)
