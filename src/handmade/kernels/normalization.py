"""The loops of the normalisations: over channels (x of shape (N, R, C)) and over rows (x of shape (R, D)).

Letters: N samples (1 where a whole batch shares its statistics), R rows or positions, C channels, D features.

Two things make them fast in NumPy. Rows of few channels are laid side by side, so that every inner loop is long.
And large arrays are walked in blocks that stay in the cache; sums are float32 within a block and float64 over the
blocks, so that they stay accurate as well.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np

from handmade.kernels.choice import has_compiled_form
from handmade.kernels.sums import total

_INNER = 1024  # elements of an inner loop, where rows can be laid side by side
_BLOCK = 1 << 17  # elements of a block: with its neighbours it fits a core's cache


def channels_last(x: np.ndarray) -> np.ndarray:
    """(N, C, ...) -> (N, R, C), R the product of the axes after C; copies only where memory is not channels-last."""
    if x.ndim < 2:
        raise ValueError(f"normalisation over channels: input of shape {x.shape}, expected (N, C) or (N, C, ...)")
    return np.ascontiguousarray(np.moveaxis(x, 1, -1)).reshape(x.shape[0], math.prod(x.shape[2:]), x.shape[1])


def channels_first(rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """What `channels_last` made of an array of `shape` (N, C, ...), back in that shape, as a view."""
    return np.moveaxis(rows.reshape(shape[0], *shape[2:], shape[1]), -1, 1)


def batch_statistics(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and biased variance of each channel of x (N, C, ...), over all other axes: two arrays (C,)."""
    rows = channels_last(x).reshape(1, -1, x.shape[1])
    count = rows.shape[1]
    if count < 2:
        raise ValueError(
            f"batch_norm: input of shape {x.shape} has {count} value(s) a channel, and training needs more than 1 "
            "to have a variance. Use a larger batch, or evaluation mode."
        )
    mean = (channel_sums(rows) / count).astype(x.dtype)
    variance = (channel_squares(rows, mean) / count).astype(x.dtype)
    return mean[0], variance[0]


@has_compiled_form
def channel_sums(x: np.ndarray) -> np.ndarray:
    """Sum of x (N, R, C) over its rows: (N, C), in float64."""
    return _reduce(lambda x: x.sum(axis=1), x)


@has_compiled_form
def channel_squares(x: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Sum of (x - centre)^2 over the rows: x (N, R, C), centre (N, C) -> (N, C), in float64."""
    return _reduce(lambda x, centre: np.square(x - centre).sum(axis=1), x, centre)


@has_compiled_form
def channel_gradients(g: np.ndarray, x: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums of g and of g (x - centre) over the rows: g and x (N, R, C), centre (N, C) -> two (N, C), in float64."""
    products = _reduce(lambda g, x, centre: np.einsum("nrc,nrc->nc", g, x - centre), g, x, centre)
    return channel_sums(g), products


@has_compiled_form
def scale_channels(x: np.ndarray, scale: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """x scale + shift: x (N, R, C), scale and shift (N, C)."""
    value = np.empty_like(x)
    for _, (part, x_part, scale_part, shift_part) in _blocks(value, x, scale, shift):
        np.multiply(x_part, scale_part, out=part)
        part += shift_part
    return value


@has_compiled_form
def mix_channels(
    x: np.ndarray, x_scale: np.ndarray, g: np.ndarray, g_scale: np.ndarray, shift: np.ndarray
) -> np.ndarray:
    """x x_scale + g g_scale + shift: x and g (N, R, C), scales and shift (N, C)."""
    value = np.empty_like(x)
    for _, (part, x_part, x_factor, g_part, g_factor, shift_part) in _blocks(value, x, x_scale, g, g_scale, shift):
        np.multiply(x_part, x_factor, out=part)
        part += g_part * g_factor
        part += shift_part
    return value


@has_compiled_form
def normalise_rows(
    x: np.ndarray, weight: np.ndarray | None, bias: np.ndarray | None, eps: float, centred: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each row of x (R, D), less its mean if `centred`, over sqrt(mean square + eps); then weight (D,) and bias (D,).

    Returns the value, the rows before weight and bias, and the reciprocal roots (R, 1).
    """
    rows, features = x.shape
    normalised, reciprocal = np.empty_like(x), np.empty_like(x, shape=(rows, 1))
    value = normalised if weight is None and bias is None else np.empty_like(x)
    average = np.full(features, 1 / features, x.dtype)
    for block in _slices(rows, features):
        part = normalised[block]
        if centred:  # about its first number, so that a row of equal numbers has a deviation of exactly 0
            np.subtract(x[block], x[block, :1], out=part)
            part -= (part @ average)[:, None]
        else:
            part[...] = x[block]
        reciprocal[block, 0] = 1 / np.sqrt(np.einsum("rd,rd->r", part, part) / features + eps)
        part *= reciprocal[block]
        if weight is not None:
            part = np.multiply(part, weight, out=value[block])
        if bias is not None:
            np.add(part, bias, out=value[block])
    return value, normalised, reciprocal


@has_compiled_form
def normalise_rows_backward(
    g: np.ndarray, normalised: np.ndarray, reciprocal: np.ndarray, weight: np.ndarray | None, centred: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of x, weight and bias, from g (R, D) and what `normalise_rows` returned.

    With h = g weight and n a normalised row, dx = reciprocal (h - mean h - n mean(h n)); not `centred`, without mean h.
    """
    rows, features = g.shape
    scale = np.ones(features, g.dtype) if weight is None else weight
    dx, d_weight, d_bias = np.empty_like(g), np.zeros(features), np.zeros(features)
    average = scale / features
    for block in _slices(rows, features):
        part, n, out = g[block], normalised[block], dx[block]
        product = part * n
        d_bias += total(part, 0)
        d_weight += total(product, 0)
        np.multiply(part, scale, out=out)
        if centred:
            out -= (part @ average)[:, None]
        out -= np.multiply(n, (product @ average)[:, None], out=product)
        out *= reciprocal[block]
    return dx, d_weight.astype(g.dtype), d_bias.astype(g.dtype)


def _reduce(term: Callable[..., np.ndarray], *arrays: np.ndarray) -> np.ndarray:
    """Sum over blocks of term(block of each array), which sums over its rows; arrays as for `_blocks` -> (N, C)."""
    samples, _, channels = arrays[0].shape
    total = np.zeros((samples, channels))
    for block, parts in _blocks(*arrays):
        sums = term(*parts)  # (n, k C)
        total[block] += sums.reshape(len(sums), -1, channels).sum(axis=1)
    return total


def _blocks(*arrays: np.ndarray) -> Iterator[tuple[slice, list[np.ndarray]]]:
    """Walk arrays (N, R, C) and coefficients (N, C) together, in blocks of some samples n and some rows r.

    k rows lie side by side, k the largest power of two that divides R and keeps them within `_INNER`. Yields the
    slice of samples and the blocks: (n, r, k C) of an array, (n, 1, k C) of coefficients, which are repeated k times.
    """
    samples, rows, channels = arrays[0].shape
    k = math.gcd(rows, 1 << max(0, (_INNER // channels).bit_length() - 1))
    wide = [
        array.reshape(samples, rows // k, k * channels)
        if array.ndim == 3
        else np.tile(array.astype(arrays[0].dtype), k)[:, None]
        for array in arrays
    ]
    for n in _slices(samples, rows * channels):
        for r in _slices(rows // k, k * channels):
            yield n, [part[n, r if part.shape[1] > 1 else slice(None)] for part in wide]


def _slices(rows: int, row_size: int) -> Iterator[slice]:
    """Slices that cut `rows` rows of `row_size` elements into blocks of about `_BLOCK` elements."""
    step = max(1, _BLOCK // max(1, row_size))
    return (slice(start, start + step) for start in range(0, rows, step))
