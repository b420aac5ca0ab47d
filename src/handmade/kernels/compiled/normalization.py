"""The loops of the normalisations, one pass over the numbers each; see `kernels/normalization.py`.

These are bound by memory, not by arithmetic: what counts is how often the arrays are read. Sums are taken in float32
over ROWS_OF_PIECE rows, four at a time, and over those in float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from handmade.kernels.choice import worth
from handmade.kernels.compiled.build import Floats, inline, kernel
from handmade.kernels.compiled.instructions import float32, shift

Array = np.ndarray
LEAST = 1 << 8
"""Numbers that repay the call of a kernel."""
PIECE = 1 << 14
"""Numbers of a piece, about."""


def _rows_of_piece(x: Array) -> int:
    return max(1, PIECE // x.shape[-1])


def _cut(x: Array) -> tuple[int, int]:
    """Rows of a piece, and pieces of a sample, of x (N, R, C)."""
    rows = _rows_of_piece(x)
    return rows, -(-x.shape[1] // rows)


def channel_sums(x: Array) -> Any:
    """See `kernels.normalization.channel_sums`."""
    if not worth(x.size, LEAST):
        return NotImplemented
    rows, pieces = _cut(x)
    sums = np.empty((x.shape[0], pieces, x.shape[2]), np.float32)
    _sums(x.shape[0] * pieces, np.ascontiguousarray(x), sums, *x.shape, rows, pieces)
    return sums.sum(axis=1, dtype=np.float64)


def channel_squares(x: Array, centre: Array) -> Any:
    """See `kernels.normalization.channel_squares`."""
    if not worth(x.size, LEAST):
        return NotImplemented
    rows, pieces = _cut(x)
    sums = np.empty((x.shape[0], pieces, x.shape[2]), np.float32)
    centre = np.ascontiguousarray(centre, np.float32)
    _squares(x.shape[0] * pieces, np.ascontiguousarray(x), centre, sums, *x.shape, rows, pieces)
    return sums.sum(axis=1, dtype=np.float64)


def channel_gradients(g: Array, x: Array, centre: Array) -> Any:
    """See `kernels.normalization.channel_gradients`."""
    if not worth(x.size, LEAST):
        return NotImplemented
    rows, pieces = _cut(x)
    sums, products = np.empty((2, x.shape[0], pieces, x.shape[2]), np.float32)
    g, x, centre = np.ascontiguousarray(g), np.ascontiguousarray(x), np.ascontiguousarray(centre, np.float32)
    _gradients(x.shape[0] * pieces, g, x, centre, sums, products, *x.shape, rows, pieces)
    return sums.sum(axis=1, dtype=np.float64), products.sum(axis=1, dtype=np.float64)


def scale_channels(x: Array, scale: Array, shift: Array) -> Any:
    """See `kernels.normalization.scale_channels`."""
    if not worth(x.size, LEAST):
        return NotImplemented
    rows, pieces = _cut(x)
    value = np.empty(x.shape, np.float32)
    scale, shift = (np.ascontiguousarray(array, np.float32) for array in (scale, shift))
    _scale(x.shape[0] * pieces, np.ascontiguousarray(x), scale, shift, value, *x.shape, rows, pieces)
    return value


def mix_channels(x: Array, x_scale: Array, g: Array, g_scale: Array, shift: Array) -> Any:
    """See `kernels.normalization.mix_channels`."""
    if not worth(x.size, LEAST):
        return NotImplemented
    rows, pieces = _cut(x)
    value = np.empty(x.shape, np.float32)
    x_scale, g_scale, shift = (np.ascontiguousarray(array, np.float32) for array in (x_scale, g_scale, shift))
    x, g = np.ascontiguousarray(x), np.ascontiguousarray(g)
    _mix(x.shape[0] * pieces, x, x_scale, g, g_scale, shift, value, *x.shape, rows, pieces)
    return value


def normalise_rows(x: Array, weight: Array | None, bias: Array | None, eps: float, centred: bool) -> Any:
    """See `kernels.normalization.normalise_rows`."""
    if not worth(x.size, LEAST):
        return NotImplemented
    rows, features = x.shape
    normalised, reciprocal = np.empty(x.shape, np.float32), np.empty((rows, 1), np.float32)
    value = normalised if weight is None and bias is None else np.empty(x.shape, np.float32)
    step = _rows_of_piece(x)
    weight, bias = (array if array is None else np.ascontiguousarray(array) for array in (weight, bias))
    _normalise_rows(
        -(-rows // step), np.ascontiguousarray(x), weight, bias, value, normalised, reciprocal,
        rows, features, step, weight is not None, bias is not None, centred, eps,
    )  # fmt: skip
    return value, normalised, reciprocal


def normalise_rows_backward(g: Array, normalised: Array, reciprocal: Array, weight: Array | None, centred: bool) -> Any:
    """See `kernels.normalization.normalise_rows_backward`."""
    if not worth(g.size, LEAST):
        return NotImplemented
    rows, features = g.shape
    step = _rows_of_piece(g)
    pieces = -(-rows // step)
    dx, sums = np.empty(g.shape, np.float32), np.empty((2, pieces, features), np.float32)
    scale = np.ones(features, np.float32) if weight is None else np.ascontiguousarray(weight)
    _normalise_rows_backward(
        pieces, np.ascontiguousarray(g), normalised, reciprocal, scale, dx, sums[0], sums[1],
        rows, features, step, centred,
    )  # fmt: skip
    d_bias, d_weight = sums.sum(axis=1, dtype=np.float64).astype(np.float32)
    return dx, d_weight, d_bias


@inline
def first_and_last(piece, rows, step, pieces):
    """The rows of a piece, counted over all samples' rows."""
    start = piece // pieces * rows + piece % pieces * step
    return start, min(start + step, (piece // pieces + 1) * rows)


@kernel
def _sums(piece: int, x: Floats, sums: Floats, samples: int, rows: int, channels: int, step: int, pieces: int) -> None:
    start, end = first_and_last(piece, rows, step, pieces)
    total = shift(sums, piece * channels)
    for c in range(channels):
        total[c] = 0.0
    whole = start + (end - start) // 4 * 4
    for r in range(start, whole, 4):
        a = shift(x, r * channels)
        for c in range(channels):
            total[c] += (a[c] + a[channels + c]) + (a[2 * channels + c] + a[3 * channels + c])
    for r in range(whole, end):
        for c in range(channels):
            total[c] += x[r * channels + c]


@kernel
def _squares(
    piece: int, x: Floats, centre: Floats, sums: Floats, samples: int, rows: int, channels: int, step: int, pieces: int
) -> None:
    start, end = first_and_last(piece, rows, step, pieces)
    total, middle = shift(sums, piece * channels), shift(centre, piece // pieces * channels)
    for c in range(channels):
        total[c] = 0.0
    whole = start + (end - start) // 4 * 4
    for r in range(start, whole, 4):
        a = shift(x, r * channels)
        for c in range(channels):
            d0, d1 = a[c] - middle[c], a[channels + c] - middle[c]
            d2, d3 = a[2 * channels + c] - middle[c], a[3 * channels + c] - middle[c]
            total[c] += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3)
    for r in range(whole, end):
        for c in range(channels):
            d0 = x[r * channels + c] - middle[c]
            total[c] += d0 * d0


@kernel
def _gradients(
    piece: int, g: Floats, x: Floats, centre: Floats, sums: Floats, products: Floats,
    samples: int, rows: int, channels: int, step: int, pieces: int,
) -> None:  # fmt: skip
    start, end = first_and_last(piece, rows, step, pieces)
    total, product = shift(sums, piece * channels), shift(products, piece * channels)
    middle = shift(centre, piece // pieces * channels)
    for c in range(channels):
        total[c] = 0.0
        product[c] = 0.0
    whole = start + (end - start) // 4 * 4
    for r in range(start, whole, 4):
        a, b = shift(x, r * channels), shift(g, r * channels)
        for c in range(channels):
            g0, g1, g2, g3 = b[c], b[channels + c], b[2 * channels + c], b[3 * channels + c]
            m = middle[c]
            total[c] += (g0 + g1) + (g2 + g3)
            product[c] += (g0 * (a[c] - m) + g1 * (a[channels + c] - m)) + (
                g2 * (a[2 * channels + c] - m) + g3 * (a[3 * channels + c] - m)
            )
    for r in range(whole, end):
        for c in range(channels):
            total[c] += g[r * channels + c]
            product[c] += g[r * channels + c] * (x[r * channels + c] - middle[c])


@kernel
def _scale(
    piece: int, x: Floats, scale: Floats, shift_by: Floats, value: Floats,
    samples: int, rows: int, channels: int, step: int, pieces: int,
) -> None:  # fmt: skip
    start, end = first_and_last(piece, rows, step, pieces)
    factor, more = shift(scale, piece // pieces * channels), shift(shift_by, piece // pieces * channels)
    for r in range(start, end):
        a, y = shift(x, r * channels), shift(value, r * channels)
        for c in range(channels):
            y[c] = a[c] * factor[c] + more[c]


@kernel
def _mix(
    piece: int, x: Floats, x_scale: Floats, g: Floats, g_scale: Floats, shift_by: Floats, value: Floats,
    samples: int, rows: int, channels: int, step: int, pieces: int,
) -> None:  # fmt: skip
    start, end = first_and_last(piece, rows, step, pieces)
    sample = piece // pieces * channels
    x_factor, g_factor, more = shift(x_scale, sample), shift(g_scale, sample), shift(shift_by, sample)
    for r in range(start, end):
        a, b, y = shift(x, r * channels), shift(g, r * channels), shift(value, r * channels)
        for c in range(channels):
            y[c] = a[c] * x_factor[c] + b[c] * g_factor[c] + more[c]


@kernel
def _normalise_rows(
    piece: int, x: Floats, weight: Floats, bias: Floats, value: Floats, normalised: Floats, reciprocal: Floats,
    rows: int, features: int, step: int, weighted: int, biased: int, centred: int, eps: float,
) -> None:  # fmt: skip
    for r in range(piece * step, min(rows, (piece + 1) * step)):
        a, n, y = shift(x, r * features), shift(normalised, r * features), shift(value, r * features)
        mean = float32(0)
        if centred:  # from the first number on: of equal numbers the mean is then exact
            first = a[0]
            for d in range(features):
                mean += a[d] - first
            mean = first + mean / float32(features)
        square = float32(0)
        for d in range(features):
            square += (a[d] - mean) * (a[d] - mean)
        factor = float32(1 / (square / float32(features) + eps) ** 0.5)
        reciprocal[r] = factor
        for d in range(features):
            n[d] = (a[d] - mean) * factor
        if weighted and biased:
            for d in range(features):
                y[d] = n[d] * weight[d] + bias[d]
        elif weighted:
            for d in range(features):
                y[d] = n[d] * weight[d]
        elif biased:
            for d in range(features):
                y[d] = n[d] + bias[d]


@kernel
def _normalise_rows_backward(
    piece: int, g: Floats, normalised: Floats, reciprocal: Floats, scale: Floats, dx: Floats,
    sums: Floats, products: Floats, rows: int, features: int, step: int, centred: int,
) -> None:  # fmt: skip
    d_bias, d_weight = shift(sums, piece * features), shift(products, piece * features)
    for d in range(features):
        d_bias[d] = 0.0
        d_weight[d] = 0.0
    for r in range(piece * step, min(rows, (piece + 1) * step)):
        b, n, out = shift(g, r * features), shift(normalised, r * features), shift(dx, r * features)
        mean, product = float32(0), float32(0)
        for d in range(features):
            h = b[d] * scale[d]
            mean += h
            product += h * n[d]
            d_bias[d] += b[d]
            d_weight[d] += b[d] * n[d]
        mean /= float32(features)
        product /= float32(features)
        if not centred:
            mean = float32(0)
        factor = reciprocal[r]
        for d in range(features):
            out[d] = (b[d] * scale[d] - mean - n[d] * product) * factor
