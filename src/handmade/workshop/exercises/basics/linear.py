"""The layer most networks are made of, and its gradient:

    out = x W + b

linear_forward returns `out` and a cache of what backward will need; linear_backward takes the loss's gradient with
respect to `out` and that cache, and returns those with respect to x, W and b. x is (N, D), W (D, M), b (M,). Each
gradient has the shape of what it belongs to, which almost tells you what it must be.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import AUTOGRAD, Exercise, Fault
from handmade.workshop.switches import wrong


def linear_forward(x, W, b):
    """x (N, D), W (D, M), b (M,) -> out (N, M), cache."""
    out = x @ (W.T if wrong("W transposed") else W)
    if not wrong("no bias"):
        out = out + b
    return out, (x, W)


def linear_backward(dout, cache):
    """dout (N, M) -> dx (N, D), dW (D, M), db (M,)."""
    x, W = cache
    dx = dout @ (W if wrong("dx without transposing W") else W.T)
    dW = dout.T @ x if wrong("dW transposed") else x.T @ dout
    if wrong("dW averaged"):
        dW = dW / len(x)
    if wrong("db over the wrong axis"):
        db = dout.sum(1)
    elif wrong("db not summed"):
        db = dout
    else:
        db = dout.sum(0)
    if wrong("db averaged"):
        db = db / len(x)
    if wrong("no db"):
        db = np.zeros_like(db)
    return dx, dW, db


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Sizes that differ, and equal ones, where a wrong transpose goes unnoticed but for its values."""
    for label, n, d, m in [
        ("N < D < M", 2, 3, 5),
        ("N > D > M", 6, 4, 2),
        ("D = M", 5, 3, 3),
        ("N = D = M", 3, 3, 3),
        ("one example", 1, 4, 2),
        ("one output", 4, 3, 1),
    ]:
        x, W, b = rng.standard_normal((n, d)), rng.standard_normal((d, m)), rng.standard_normal(m)
        yield Case(label, (x, W, b), extra={"gradients": (rng.standard_normal((n, m)),)})


EXERCISE = Exercise(
    title="Linear layer, forward and backward",
    paper="Rumelhart, Hinton and Williams 1986, Learning Representations by Back-Propagating Errors, equations 1 to 7",
    minutes=5,
    functions=(linear_forward, linear_backward),
    outputs=("out", "dx", "dW", "db"),
    cases=cases,
    faults={
        "W transposed": Fault(
            "out is x W^T: W was taken as (M, D), PyTorch's layout.",
            "It fails unless D = M, and then computes another layer.",
            "W is (D, M) here: x @ W.",
        ),
        "no bias": Fault(
            "The bias is not added.",
            "Every output is 0 where x is 0: the layer cannot shift its threshold.",
            "x @ W + b.",
        ),
        "dx without transposing W": Fault(
            "dx is dout W, without the transpose.",
            "Where D = M nothing fails, but the layers below are trained on a wrong gradient.",
            "dx = dout @ W.T: (N, M) by (M, D).",
        ),
        "dW transposed": Fault(
            "dW is dout^T x, the transpose of the gradient.",
            "Where D = M nothing fails, but each weight gets its mirror image's gradient.",
            "dW = x.T @ dout: (D, N) by (N, M), the shape of W.",
        ),
        "dW averaged": Fault(
            "dW is divided by N.",
            "A loss that is a mean has divided already: the weights learn N times too slowly.",
            "Sum over the batch: x.T @ dout, and nothing more.",
        ),
        "db over the wrong axis": Fault(
            "dout is summed over the outputs (axis 1), not over the batch.",
            "Where N = M nothing fails, but each bias gets an example's gradient.",
            "b was added to every row, so its gradient is the sum over the rows: dout.sum(0).",
        ),
        "db not summed": Fault(
            "db is dout itself, one row for each example.",
            "It does not have the bias's shape: a step on it turns the bias into a matrix.",
            "b was added to every row, so its gradient is the sum over the rows: dout.sum(0).",
        ),
        "db averaged": Fault(
            "db is the mean over the batch, not the sum.",
            "A loss that is a mean has divided already: the biases learn N times too slowly.",
            "dout.sum(0).",
        ),
        "no db": Fault(
            "The bias gets no gradient.",
            "It keeps its initial value for ever.",
            "dout.sum(0).",
        ),
    },
    hints=(
        "Write out one element of out: which x, W and b was it made from? Shapes rule out most of what is wrong.",
        "A number used in several places gets the sum of their gradients: W and b serve every row of the batch.",
        "dx = dout @ W.T; dW = x.T @ dout; db = dout.sum(0)",
    ),
    driver="forward_backward",
    forbidden=("torch.nn.functional.linear", "torch.nn.Linear", *AUTOGRAD),
)
