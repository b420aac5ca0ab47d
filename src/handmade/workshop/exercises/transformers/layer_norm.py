"""Each vector is normalised to mean 0 and variance 1 by itself, then scaled and shifted by learned parameters:

    x_hat = (x - mean) / sqrt(variance + eps),   out = gamma * x_hat + beta

Mean and variance are over the last axis, the variance biased (divided by D); x is (..., D), gamma and beta (D,).
layer_norm returns out and a cache of your choice; layer_norm_backward takes dout, of out's shape, and that cache, and
returns dx, dgamma, dbeta.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import AUTOGRAD, Exercise, Fault
from handmade.workshop.faults import EPS_OUTSIDE, UNBIASED_VARIANCE
from handmade.workshop.switches import wrong


def layer_norm(x, gamma, beta, eps=1e-5):
    """x (..., D), gamma and beta (D,) -> out (..., D), cache."""
    if wrong("ignores eps"):
        eps = 1e-5
    if wrong("no eps"):
        eps = 0.0
    axis = 0 if wrong("over the rows") else tuple(range(x.ndim)) if wrong("over all axes") else -1
    centred = x if wrong("mean not subtracted") else x - x.mean(axis, keepdims=True)
    variance = (centred**2).mean(axis, keepdims=True)
    if wrong("unbiased variance"):
        variance = x.var(axis, keepdims=True, ddof=1)
    root = np.sqrt(variance) + eps if wrong("eps outside the root") else np.sqrt(variance + eps)
    if wrong("divides by the variance"):
        root = variance + eps
    x_hat = centred / root
    out = x_hat * gamma
    if not wrong("no shift"):
        out = out + beta
    return out, (x_hat, root, gamma)


def layer_norm_backward(dout, cache):
    """dout (..., D) -> dx (..., D), dgamma (D,), dbeta (D,)."""
    x_hat, root, gamma = cache
    rows = tuple(range(dout.ndim - 1))
    if wrong("parameters' gradients of the first axis only"):
        rows = rows[:1]
    dgamma = (dout * (x_hat * root if wrong("dgamma from x not divided") else x_hat)).sum(rows)
    dbeta = dout.sum(rows)
    if wrong("parameters' gradients averaged"):
        dgamma, dbeta = dgamma / dout[..., 0].size, dbeta / dout[..., 0].size
    dx_hat = dout if wrong("gamma forgotten in dx") else dout * gamma
    dx = dx_hat
    D = 1 if wrong("sums in place of means in dx") else dout.shape[-1]
    if not wrong("no gradient through the mean"):
        dx = dx - dx_hat.sum(-1, keepdims=True) / D
    if not wrong("no gradient through the variance"):
        dx = dx - x_hat * (dx_hat * x_hat).sum(-1, keepdims=True) / D
    if not wrong("dx not divided by the deviation"):
        dx = dx / root
    return (dx, dbeta, dgamma) if wrong("dgamma and dbeta exchanged") else (dx, dgamma, dbeta)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Leading axes, a mean and variance that differ from row to row, small variances and eps = 0.1."""
    for label, shape, size, options in [
        ("rows", (4, 5), 1, {}),
        ("as many rows as columns", (4, 4), 1, {}),
        ("three axes", (2, 3, 6), 1, {}),
        ("small variance", (3, 5), 0.01, {}),
        ("eps = 0.1", (3, 4), 1, {"eps": 0.1}),
        ("four axes, eps = 0.1", (2, 2, 3, 4), 1, {"eps": 0.1}),
    ]:
        spread = rng.uniform(0.5, 2, (*shape[:-1], 1))
        x = size * (spread * rng.standard_normal(shape) + rng.standard_normal((*shape[:-1], 1)))
        gamma, beta = rng.uniform(0.5, 2, shape[-1]), rng.standard_normal(shape[-1])
        yield Case(label, (x, gamma, beta), options, extra={"gradients": (rng.standard_normal(shape),)})


EXERCISE = Exercise(
    title="Layer normalisation",
    paper="Ba et al. 2016, Layer Normalization, section 3",
    minutes=20,
    functions=(layer_norm, layer_norm_backward),
    outputs=("out", "dx", "dgamma", "dbeta"),
    cases=cases,
    driver="forward_backward",
    faults={
        "unbiased variance": UNBIASED_VARIANCE,
        "eps outside the root": EPS_OUTSIDE,
        "no eps": Fault(
            "eps is not used.",
            "A row of equal values divides 0 by 0, and one nan spreads through the model.",
            "Divide by np.sqrt(variance + eps).",
        ),
        "ignores eps": Fault(
            "eps is always 1e-5, whatever was passed.",
            "Models trained with another eps, as BERT's 1e-12, come out slightly off.",
            "Use the argument.",
        ),
        "divides by the variance": Fault(
            "The centred input is divided by its variance, not by the standard deviation.",
            "The larger the input the smaller the output: nothing is normalised.",
            "Divide by np.sqrt(variance + eps).",
        ),
        "mean not subtracted": Fault(
            "The mean is not subtracted: this is RMS normalisation.",
            "A common offset of a row, which should vanish, takes most of its length.",
            "x_hat = (x - mean) / sqrt(variance + eps).",
        ),
        "over the rows": Fault(
            "Mean and variance run over the first axis, as in batch normalisation.",
            "Each vector depends on the others of its batch, and a batch of one gives zeros.",
            "Take mean and variance over the last axis: x.mean(-1, keepdims=True).",
        ),
        "over all axes": Fault(
            "Mean and variance run over the whole array.",
            "Each vector depends on the others of its batch.",
            "Take mean and variance over the last axis: x.mean(-1, keepdims=True).",
        ),
        "no shift": Fault(
            "beta is not added.",
            "The layer cannot move its mean away from 0, though beta gets gradients.",
            "out = gamma * x_hat + beta.",
        ),
        "gamma forgotten in dx": Fault(
            "dx is computed from dout, not from dout * gamma.",
            "It is right as long as gamma is 1, so it goes wrong slowly while gamma is learned.",
            "x_hat reaches the output through gamma: dx_hat = dout * gamma.",
        ),
        "no gradient through the mean": Fault(
            "dx lacks the term that comes from the mean.",
            "dx has a common part in each row that the forward pass would take away.",
            "Subtract dx_hat.mean(-1, keepdims=True).",
        ),
        "no gradient through the variance": Fault(
            "dx lacks the term that comes from the variance.",
            "The gradient tries to make the input larger, which the forward pass undoes: training drifts.",
            "Subtract x_hat * (dx_hat * x_hat).mean(-1, keepdims=True).",
        ),
        "sums in place of means in dx": Fault(
            "What is subtracted in dx are sums over the row, not means.",
            "The correction is D times too large, and points the wrong way.",
            "Use .mean(-1, keepdims=True), or divide the sums by D.",
        ),
        "dgamma and dbeta exchanged": Fault(
            "dbeta is returned second and dgamma third.",
            "gamma learns from beta's gradient and beta from gamma's.",
            "return dx, dgamma, dbeta",
        ),
        "dx not divided by the deviation": Fault(
            "dx is not divided by sqrt(variance + eps).",
            "Gradients are off by a factor that differs from row to row.",
            "The whole bracket is divided by the root of the forward pass.",
        ),
        "dgamma from x not divided": Fault(
            "dgamma uses the centred x, not x_hat.",
            "gamma's gradient grows with the input's spread, which the forward pass took away.",
            "dgamma = sum of dout * x_hat.",
        ),
        "parameters' gradients of the first axis only": Fault(
            "dgamma and dbeta are summed over the first axis only.",
            "With more than two axes their shape is wrong, or gradients of other positions are lost.",
            "Sum over all axes but the last.",
        ),
        "parameters' gradients averaged": Fault(
            "dgamma and dbeta are means, where they should be sums.",
            "The larger the batch, the more slowly gamma and beta learn.",
            "dout already has the loss's 1 / N in it: sum.",
        ),
    },
    hints=(
        "Each row of D numbers is normalised by itself; mean and variance depend on x too, so they have gradients.",
        "dgamma and dbeta sum over all leading axes. In dx, what is common to a row and what lies along x_hat is "
        "taken out.",
        "dx_hat = dout * gamma; dx = (dx_hat - dx_hat.mean(-1) - x_hat * (dx_hat * x_hat).mean(-1)) / "
        "sqrt(variance + eps), "
        "with keepdims=True",
    ),
    forbidden=(
        "torch.nn.functional.layer_norm",
        "torch.nn.LayerNorm",
        "torch.layer_norm",
        "torch.native_layer_norm",
        *AUTOGRAD,
    ),
)
