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
def norm(x, *, dim, p=2.0, keepdim=False):
    """(sum |x|^p)^(1/p); for p = inf the largest |x|, for -inf the smallest, for 0 the number of nonzeros.

    dx = g sign(x) (|x| / norm)^(p-1); the gradient at 0 counts as 0, as in PyTorch.
    """
    size = np.abs(x)
    if math.isinf(p):
        value, pullback = _extreme(size, np.max if p > 0 else np.min, dim, keepdim)
        return value, lambda g: (pullback(g)[0] * np.sign(x),)
    if p == 0:
        return (x != 0).sum(dim, keepdims=keepdim).astype(x.dtype), lambda g: (np.zeros_like(x),)
    with np.errstate(divide="ignore"):
        powers = np.square(x) if p == 2 else size if p == 1 else size**p
        total_power = total(powers, dim, keepdim)
        length = np.sqrt(total_power) if p == 2 else total_power if p == 1 else total_power ** (1 / p)

    def pullback(g):
        g, whole = restore(g, dim, keepdim), restore(length, dim, keepdim)
        if p == 1:
            return (g * np.sign(x),)
        with np.errstate(divide="ignore", invalid="ignore"):
            if p == 2:
                return (np.where(whole == 0, 0, g / whole) * x,)
            slope = np.sign(x) * (size / whole) ** (p - 1)
        return (g * np.where((whole == 0) | (size == 0), 0, slope),)

    return length, pullback


@op
def amax(x, *, dim, keepdim=False):
    """The maximum; elements that are equally large share the gradient equally."""
    return _extreme(x, np.max, dim, keepdim)


@op
def amin(x, *, dim, keepdim=False):
    """The minimum; elements that are equally small share the gradient equally."""
    return _extreme(x, np.min, dim, keepdim)


def _extreme(x, reduce, dim, keepdim):
    if not x.size and any(x.shape[axis] == 0 for axis in dim):
        raise ValueError(f"no largest or smallest element: axes {dim} of shape {x.shape} are empty")
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


@op
def cumprod(x, *, dim):
    """y_t = x_1 ... x_t along one axis. dx_i = sum_(t >= i) g_t y_t / x_i, without a division: zeros are allowed."""
    y = np.cumprod(x, dim)

    def pullback(g):
        x_last, g_last = np.moveaxis(x, dim, -1), np.moveaxis(g, dim, -1)
        gradient = np.zeros_like(x_last)
        for i in range(x_last.shape[-1]):  # the product without x_i, from i on
            before = x_last[..., :i].prod(-1, keepdims=True)
            after = np.cumprod(np.concatenate([np.ones_like(before), x_last[..., i + 1 :]], -1), -1)
            gradient[..., i] = (g_last[..., i:] * before * after).sum(-1)
        return (np.moveaxis(gradient, -1, dim),)

    return y, pullback
