"""Depthwise convolution: for each channel a filter of its own; see `kernels/depthwise.py`.

There is nothing to sum over channels, so the tile has no work here, and memory decides. A piece is some rows of the
result: tap by tap, each pixel's channels are multiplied by the tap's weights, which lie side by side as they do.
"""

from __future__ import annotations

import numpy as np

from handmade.kernels.compiled.build import Floats, inline, kernel
from handmade.kernels.compiled.instructions import address_of, shift
from handmade.kernels.windows import Array, Pair, Window

PIECE = 1 << 14
"""Numbers of a piece, about."""
SLICES = 32
"""Parts of the sums of the weight's gradient, which are added in their order."""


def forward(x: Array, weight: Array, bias: Array | None, window: Window, outputs: Pair) -> Array:
    """(N, H, W, C), (C, R, S, 1), (C,) -> (N, H', W', C)."""
    y = np.empty((len(x), *outputs, x.shape[3]), np.float32)
    rows, step = _cut(y)
    bias = None if bias is None else np.ascontiguousarray(bias)
    _forward(-(-rows // step), x, _taps(weight), bias, y, *x.shape, *outputs, *_numbers(window), step)
    return y


def input_gradient(g: Array, weight: Array, size: Pair, window: Window) -> Array:
    """(N, H', W', C) -> (N, H, W, C)."""
    gradient = np.empty((len(g), *size, g.shape[3]), np.float32)
    rows, step = _cut(gradient)
    _input_gradient(
        -(-rows // step), g, _taps(weight), gradient, *gradient.shape, *g.shape[1:3], *_numbers(window), step
    )
    return gradient


def weight_gradient(x: Array, g: Array, window: Window) -> Array:
    """(C, R, S, 1)."""
    rows, channels = g.shape[0] * g.shape[1], g.shape[3]
    step = -(-rows // SLICES)
    sums = np.empty((-(-rows // step), *window.kernel, channels), np.float32)
    _weight_gradient(len(sums), x, g, sums, *x.shape, *g.shape[1:3], *_numbers(window), step)
    return np.ascontiguousarray(sums.sum(axis=0, dtype=np.float64).astype(np.float32).transpose(2, 0, 1))[..., None]


def _taps(weight: Array) -> Array:
    """(C, R, S, 1) -> (R, S, C)."""
    return np.ascontiguousarray(weight[..., 0].transpose(1, 2, 0))


def _cut(y: Array) -> Pair:
    """How many rows y (N, H, W, C) has, and how many of them make a piece."""
    return y.shape[0] * y.shape[1], max(1, PIECE // (y.shape[2] * y.shape[3]))


def _numbers(window: Window) -> tuple[int, ...]:
    return (*window.kernel, *window.stride, *window.padding, *window.dilation)


@inline
def first_inside(start, stride):
    """The least o with start + o * stride >= 0."""
    return (-start + stride - 1) // stride if start < 0 else 0


@inline
def behind_last(start, stride, size, outputs):
    """How many o, from 0 on, have start + o * stride < size, and are outputs."""
    return min(outputs, (size - 1 - start) // stride + 1) if start < size else 0


@kernel
def _forward(
    piece: int, x: Floats, taps: Floats, bias: Floats, y: Floats, images: int, height: int, width: int, channels: int,
    y_height: int, y_width: int, kernel_rows: int, kernel_columns: int, down: int, across: int, above: int,
    beside: int, gap_down: int, gap_across: int, step: int,
) -> None:  # fmt: skip
    for row in range(piece * step, min(images * y_height, (piece + 1) * step)):
        n, o = row // y_height, row % y_height
        out = shift(y, row * y_width * channels)
        for p in range(y_width):
            for c in range(channels):
                out[p * channels + c] = bias[c] if address_of(bias) else 0.0
        for r in range(kernel_rows):
            i = o * down - above + r * gap_down
            if 0 <= i < height:
                for s in range(kernel_columns):
                    start, w = s * gap_across - beside, shift(taps, (r * kernel_columns + s) * channels)
                    for p in range(first_inside(start, across), behind_last(start, across, width, y_width)):
                        a = shift(x, ((n * height + i) * width + start + p * across) * channels)
                        b = shift(out, p * channels)
                        for c in range(channels):
                            b[c] += a[c] * w[c]


@kernel
def _input_gradient(
    piece: int, g: Floats, taps: Floats, gradient: Floats, images: int, height: int, width: int, channels: int,
    g_height: int, g_width: int, kernel_rows: int, kernel_columns: int, down: int, across: int, above: int,
    beside: int, gap_down: int, gap_across: int, step: int,
) -> None:  # fmt: skip
    for row in range(piece * step, min(images * height, (piece + 1) * step)):
        n, i = row // height, row % height
        out = shift(gradient, row * width * channels)
        for k in range(width * channels):
            out[k] = 0.0
        for r in range(kernel_rows):
            place = i + above - r * gap_down
            o = place // down
            if place >= 0 and place % down == 0 and o < g_height:
                for s in range(kernel_columns):
                    start, w = s * gap_across - beside, shift(taps, (r * kernel_columns + s) * channels)
                    for p in range(first_inside(start, across), behind_last(start, across, width, g_width)):
                        a = shift(g, ((n * g_height + o) * g_width + p) * channels)
                        b = shift(out, (start + p * across) * channels)
                        for c in range(channels):
                            b[c] += a[c] * w[c]


@kernel
def _weight_gradient(
    piece: int, x: Floats, g: Floats, sums: Floats, images: int, height: int, width: int, channels: int,
    g_height: int, g_width: int, kernel_rows: int, kernel_columns: int, down: int, across: int, above: int,
    beside: int, gap_down: int, gap_across: int, step: int,
) -> None:  # fmt: skip
    size = kernel_rows * kernel_columns * channels
    total = shift(sums, piece * size)
    for k in range(size):
        total[k] = 0.0
    for row in range(piece * step, min(images * g_height, (piece + 1) * step)):
        n, o = row // g_height, row % g_height
        for r in range(kernel_rows):
            i = o * down - above + r * gap_down
            if 0 <= i < height:
                for s in range(kernel_columns):
                    start, w = s * gap_across - beside, shift(total, (r * kernel_columns + s) * channels)
                    for p in range(first_inside(start, across), behind_last(start, across, width, g_width)):
                        a = shift(x, ((n * height + i) * width + start + p * across) * channels)
                        b = shift(g, (row * g_width + p) * channels)
                        for c in range(channels):
                            w[c] += a[c] * b[c]
