"""Pooling in one pass, an image a piece, all channels of a pixel side by side; see `kernels/pooling.py`."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from handmade.kernels.choice import worth
from handmade.kernels.compiled.build import Bytes, Floats, inline, kernel
from handmade.kernels.compiled.instructions import float32, shift
from handmade.kernels.pooling import shares
from handmade.kernels.windows import Array, Pair, Window, channels_first, channels_last

LEAST = 1 << 12
"""Numbers of the larger image that repay the call of a kernel."""
TAPS = 256
"""Taps that one byte can tell apart."""


def max_pool2d(x: Array, window: Window, ceil_mode: bool = False) -> Any:
    """See `kernels.pooling.max_pool2d`."""
    if not worth(x.size, LEAST) or not x.size or window.kernel[0] * window.kernel[1] > TAPS:
        return NotImplemented
    x = channels_last(x)
    n, height, width, channels = x.shape
    outputs = window.output_size((height, width), ceil_mode)
    y = np.empty((n, *outputs, channels), x.dtype)
    winner = np.empty(y.shape, np.uint8)
    _max_pool(n, x, y, winner, height, width, channels, *outputs, *_numbers(window))
    return channels_first(y), channels_first(winner)


def max_pool2d_gradient(g: Array, winner: Array, size: Pair, window: Window) -> Any:
    """See `kernels.pooling.max_pool2d_gradient`."""
    if winner.dtype != np.uint8 or not _is_worth(g, size):
        return NotImplemented
    g, winner = channels_last(g), channels_last(winner)
    n, *outputs, channels = g.shape
    gradient = np.empty((n, *size, channels), g.dtype)
    _max_pool_gradient(n, g, winner, gradient, *size, channels, *outputs, *_numbers(window))
    return channels_first(gradient)


def avg_pool2d(x: Array, window: Window, ceil_mode: bool = False, count_include_pad: bool = True) -> Any:
    """See `kernels.pooling.avg_pool2d`."""
    if not worth(x.size, LEAST) or not x.size:
        return NotImplemented
    x = channels_last(x)
    n, height, width, channels = x.shape
    outputs = window.output_size((height, width), ceil_mode)
    y = np.empty((n, *outputs, channels), x.dtype)
    share = _contiguous_shares((height, width), outputs, window, count_include_pad)
    _avg_pool(n, x, share, y, height, width, channels, *outputs, *_numbers(window))
    return channels_first(y)


def avg_pool2d_gradient(g: Array, size: Pair, window: Window, count_include_pad: bool = True) -> Any:
    """See `kernels.pooling.avg_pool2d_gradient`."""
    if not _is_worth(g, size):
        return NotImplemented
    g = channels_last(g)
    n, *outputs, channels = g.shape
    gradient = np.empty((n, *size, channels), g.dtype)
    share = _contiguous_shares((size[0], size[1]), (outputs[0], outputs[1]), window, count_include_pad)
    _avg_pool_gradient(n, g, share, gradient, *size, channels, *outputs, *_numbers(window))
    return channels_first(gradient)


def _is_worth(g: Array, size: Pair) -> bool:
    return g.size > 0 and worth(g.shape[0] * g.shape[1] * size[0] * size[1], LEAST)


def _numbers(window: Window) -> tuple[int, ...]:
    return (*window.kernel, *window.stride, *window.padding, *window.dilation)


@functools.lru_cache(256)
def _contiguous_shares(size: Pair, outputs: Pair, window: Window, count_include_pad: bool) -> Array:
    return np.ascontiguousarray(shares(size, outputs, window, count_include_pad), np.float32)


@inline
def taps_inside(start, dilation, taps, size):
    """The first tap of a window that lies inside of the image, and one behind the last."""
    return max(0, (dilation - 1 - start) // dilation), min(taps, max(0, (size - start + dilation - 1) // dilation))


@kernel
def _max_pool(
    piece: int, x: Floats, y: Floats, winner: Bytes, height: int, width: int, channels: int,
    y_height: int, y_width: int, taps_down: int, taps_across: int, down: int, across: int,
    above: int, beside: int, dilation_down: int, dilation_across: int,
) -> None:  # fmt: skip
    image = shift(x, piece * height * width * channels)
    for o in range(y_height):
        top = o * down - above
        r0, r1 = taps_inside(top, dilation_down, taps_down, height)
        for p in range(y_width):
            left = p * across - beside
            s0, s1 = taps_inside(left, dilation_across, taps_across, width)
            place = ((piece * y_height + o) * y_width + p) * channels
            best, which = shift(y, place), shift(winner, place)
            for k in range(channels):
                best[k] = -np.inf
                which[k] = r0 * taps_across + s0
            for r in range(r0, r1):
                for s in range(s0, s1):
                    tap = r * taps_across + s
                    value = shift(image, ((top + r * dilation_down) * width + left + s * dilation_across) * channels)
                    for k in range(channels):
                        larger = value[k] > best[k] or value[k] != value[k]
                        which[k] = tap if larger else which[k]
                        best[k] = value[k] if larger else best[k]


@kernel
def _max_pool_gradient(
    piece: int, g: Floats, winner: Bytes, gradient: Floats, height: int, width: int, channels: int,
    y_height: int, y_width: int, taps_down: int, taps_across: int, down: int, across: int,
    above: int, beside: int, dilation_down: int, dilation_across: int,
) -> None:  # fmt: skip
    image = shift(gradient, piece * height * width * channels)
    for k in range(height * width * channels):
        image[k] = 0.0
    for o in range(y_height):
        top = o * down - above
        r0, r1 = taps_inside(top, dilation_down, taps_down, height)
        for p in range(y_width):
            left = p * across - beside
            s0, s1 = taps_inside(left, dilation_across, taps_across, width)
            place = ((piece * y_height + o) * y_width + p) * channels
            given, which = shift(g, place), shift(winner, place)
            for r in range(r0, r1):
                for s in range(s0, s1):
                    tap = r * taps_across + s
                    target = shift(image, ((top + r * dilation_down) * width + left + s * dilation_across) * channels)
                    for k in range(channels):
                        target[k] += given[k] if which[k] == tap else float32(0)


@kernel
def _avg_pool(
    piece: int, x: Floats, share: Floats, y: Floats, height: int, width: int, channels: int,
    y_height: int, y_width: int, taps_down: int, taps_across: int, down: int, across: int,
    above: int, beside: int, dilation_down: int, dilation_across: int,
) -> None:  # fmt: skip
    image = shift(x, piece * height * width * channels)
    for o in range(y_height):
        top = o * down - above
        r0, r1 = taps_inside(top, dilation_down, taps_down, height)
        for p in range(y_width):
            left = p * across - beside
            s0, s1 = taps_inside(left, dilation_across, taps_across, width)
            total = shift(y, ((piece * y_height + o) * y_width + p) * channels)
            for k in range(channels):
                total[k] = 0.0
            for r in range(r0, r1):
                for s in range(s0, s1):
                    value = shift(image, ((top + r * dilation_down) * width + left + s * dilation_across) * channels)
                    for k in range(channels):
                        total[k] += value[k]
            for k in range(channels):
                total[k] *= share[o * y_width + p]


@kernel
def _avg_pool_gradient(
    piece: int, g: Floats, share: Floats, gradient: Floats, height: int, width: int, channels: int,
    y_height: int, y_width: int, taps_down: int, taps_across: int, down: int, across: int,
    above: int, beside: int, dilation_down: int, dilation_across: int,
) -> None:  # fmt: skip
    image = shift(gradient, piece * height * width * channels)
    for k in range(height * width * channels):
        image[k] = 0.0
    for o in range(y_height):
        top = o * down - above
        r0, r1 = taps_inside(top, dilation_down, taps_down, height)
        for p in range(y_width):
            left = p * across - beside
            s0, s1 = taps_inside(left, dilation_across, taps_across, width)
            given, part = shift(g, ((piece * y_height + o) * y_width + p) * channels), share[o * y_width + p]
            for r in range(r0, r1):
                for s in range(s0, s1):
                    target = shift(image, ((top + r * dilation_down) * width + left + s * dilation_across) * channels)
                    for k in range(channels):
                        target[k] += given[k] * part
