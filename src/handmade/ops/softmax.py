"""Softmax, its logarithm, and the logarithm of a sum of exponentials.

Each subtracts the largest element m first: e^(x - m) cannot overflow, and the result is the same (m cancels, or is
added again). A softmax over -inf only is undefined and gives NaN, as in PyTorch; attention, where such rows occur, has
its own rule.
"""

import numpy as np

from handmade.ops.op import op


@op
def softmax(x, *, dim):
    """y_i = e^x_i / sum_j e^x_j, with dx = y (g - sum_j g_j y_j).

    >>> import numpy as np
    >>> y, pullback = softmax(np.array([0.0, 0.0]), dim=-1)
    >>> y, *pullback(np.array([1.0, 0.0]))
    (array([0.5, 0.5]), array([ 0.25, -0.25]))
    """
    y = _below_largest(x, dim)
    np.exp(y, out=y)
    y /= y.sum(axis=dim, keepdims=True)

    def pullback(g):
        dx = g - _dot(g, y, dim)
        dx *= y
        return (dx,)

    return y, pullback


@op
def log_softmax(x, *, dim):
    """y_i = x_i - log sum_j e^x_j, with dx = g - softmax(x) sum_j g_j."""
    y = _below_largest(x, dim)
    y -= np.log(np.exp(y).sum(axis=dim, keepdims=True))
    return y, lambda g: (g - np.exp(y) * g.sum(axis=dim, keepdims=True),)


@op
def logsumexp(x, *, dim, keepdim=False):
    """log sum e^x over the axes `dim`, with dx = g softmax(x); over -inf only it is -inf, and dx = 0."""
    largest = x.max(axis=dim, keepdims=True, initial=-np.inf)
    largest = np.where(np.isfinite(largest), largest, 0)
    with np.errstate(over="ignore", divide="ignore"):
        exponentials = np.exp(x - largest)
        total = exponentials.sum(axis=dim, keepdims=True)
        value = np.log(total) + largest

    def pullback(g):
        g = g.reshape(total.shape)
        return (exponentials * (g / np.where(total == 0, 1, total)),)

    return value if keepdim else value.squeeze(dim), pullback


def _below_largest(x, dim):
    """x minus its maximum along an axis, which may be empty."""
    with np.errstate(invalid="ignore"):
        return x - x.max(axis=dim, keepdims=True, initial=-np.inf)


def _dot(x, y, dim):
    """Sums of products along one axis, which is kept with size 1."""
    return np.expand_dims(np.vecdot(x, y, axis=dim), dim)  # pyright: ignore[reportCallIssue]
