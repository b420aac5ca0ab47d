"""Sums, means, extremes and products over axes.

`dim` is a tuple of axes (all of them: `tuple(range(x.ndim))`); with `keepdim` they are kept with size 1.
"""

import math

import numpy as np

from handmade.kernels.sums import total
from handmade.ops.op import op


def restore(reduced: np.ndarray, dim: tuple[int, ...], keepdim: bool) -> np.ndarray:
    """A reduced array with the reduced axes restored at size 1, so that it broadcasts against the input."""
    return reduced if keepdim else np.expand_dims(reduced, dim)


def count(shape: tuple[int, ...], dim: tuple[int, ...]) -> int:
    """How many elements were reduced to each result."""
    return math.prod(shape[axis] for axis in dim)


@op
def sum(x, *, dim, keepdim=False):
    return total(x, dim, keepdim), lambda g: (np.broadcast_to(restore(g, dim, keepdim), x.shape),)


def _mean(x, dim, keepdim):
    with np.errstate(divide="ignore", invalid="ignore"):  # the mean of nothing is NaN, as in PyTorch
        return total(x, dim, keepdim) / np.asarray(count(x.shape, dim), x.dtype)


@op
def mean(x, *, dim, keepdim=False):
    n = count(x.shape, dim)
    return _mean(x, dim, keepdim), lambda g: (np.broadcast_to(restore(g, dim, keepdim) / n, x.shape),)


@op
def var(x, *, dim, correction=1, keepdim=False):
    """sum (x - mean)^2 / (n - correction): correction 1 is the unbiased estimate, 0 the biased one."""
    n = count(x.shape, dim) - correction
    deviation = x - _mean(x, dim, True)
    with np.errstate(divide="ignore", invalid="ignore"):  # one element has no unbiased variance: NaN, as in PyTorch
        value = total(np.square(deviation), dim, keepdim) / np.asarray(n, x.dtype)
    return value, lambda g: (restore(g, dim, keepdim) * (2 / n) * deviation,)


@op
def std(x, *, dim, correction=1, keepdim=False):
    """The square root of `var`; the gradient at a deviation of 0 counts as 0, as in PyTorch."""
    variance, pullback = var(x, dim=dim, correction=correction, keepdim=keepdim)
    deviation = np.sqrt(variance)
    with np.errstate(divide="ignore"):
        slope = np.where(deviation == 0, np.zeros_like(deviation), 0.5 / deviation)
    return deviation, lambda g: pullback(g * slope)


@op
def norm(x, *, dim, keepdim=False):
    """sqrt(sum x^2), with dx = g x / norm; the gradient at 0 counts as 0, as in PyTorch."""
    length = np.sqrt(total(np.square(x), dim, keepdim))
    with np.errstate(divide="ignore"):
        slope = np.where(length == 0, np.zeros_like(length), 1 / length)
    return length, lambda g: (restore(g * slope, dim, keepdim) * x,)


@op
def amax(x, *, dim, keepdim=False):
    """The maximum; elements that are equally large share the gradient equally."""
    return _extreme(x, np.max, dim, keepdim)


@op
def amin(x, *, dim, keepdim=False):
    """The minimum; elements that are equally small share the gradient equally."""
    return _extreme(x, np.min, dim, keepdim)


def _extreme(x, reduce, dim, keepdim):
    value = np.asarray(reduce(x, axis=dim, keepdims=keepdim))

    def pullback(g):
        chosen = x == restore(value, dim, keepdim)
        share = restore(g, dim, keepdim) / chosen.sum(dim, keepdims=True).astype(g.dtype)
        return (chosen * share,)

    return value, pullback


@op
def prod(x, *, dim, keepdim=False):
    """The product. The gradient of an element is the product of all others, without a division: zeros are allowed."""
    value = x.prod(dim, keepdims=keepdim)

    def pullback(g):
        rows = np.moveaxis(x, dim, range(-len(dim), 0))  # the reduced axes last, then as one
        flat = rows.reshape(*rows.shape[: x.ndim - len(dim)], -1)
        one = np.ones_like(flat[..., :1])
        before = np.concatenate([one, np.cumprod(flat, -1)[..., :-1]], -1)
        after = np.concatenate([one, np.cumprod(flat[..., ::-1], -1)[..., :-1]], -1)[..., ::-1]
        others = np.moveaxis((before * after).reshape(rows.shape), range(-len(dim), 0), dim)
        return (restore(g, dim, keepdim) * others,)

    return value, pullback


@op
def cumsum(x, *, dim):
    """y_t = x_1 + ... + x_t along one axis, summed in float64; the gradient is the same sum from the other end."""
    running = lambda x: np.cumsum(x, dim, np.float64 if x.dtype == np.float32 else None).astype(x.dtype, copy=False)
    return running(x), lambda g: (np.flip(running(np.flip(g, dim)), dim),)
