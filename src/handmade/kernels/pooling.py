"""Pooling in two dimensions: maximum, mean, and mean over bins of an adaptive size; each forward and backward.

N images, C channels, image H x W, H' x W' outputs. Arrays are (N, C, H, W) with channels-last memory.
One tap of the window at a time, over all outputs at once; a tap that falls into the padding is left out there, so that
padding never wins a maximum. The work goes block by block (`windows.blocks`), which keeps it in the cache.

Value and gradient together take 0.3 to 1.0 times PyTorch's time on one core (benchmarks/convolution.py). To scatter a
maximum's gradient by index instead takes 0.75 times the time of the taps on LeNet-5's images, twice on VGG's.
"""

import numpy as np

from handmade.kernels.choice import has_compiled_form
from handmade.kernels.windows import Array, Pair, Scratch, Window, blocks, channels_first, channels_last


@has_compiled_form
def max_pool2d(x: Array, window: Window, ceil_mode: bool = False) -> tuple[Array, Array]:
    """The largest number under each window, and which tap it is: r * S + s, row by row, the first of equals.

    x (N, C, H, W) -> both (N, C, H', W'). NaN is larger than any number, and the last NaN is the one kept.
    """
    x = channels_last(x)
    size = x.shape[1:3]
    outputs = window.output_size(size, ceil_mode)
    y = np.full((len(x), *outputs, x.shape[-1]), -np.inf, x.dtype)
    winner = np.empty(y.shape, np.min_scalar_type(window.kernel[0] * window.kernel[1]))
    winner[...] = _first_taps(window, outputs)[..., None]
    with_nan = np.isnan(x.max(initial=-np.inf))
    scratch = Scratch(winner.dtype)
    for images, rows in blocks(len(x), outputs[0], x[:1].nbytes // max(1, outputs[0])):
        source, largest, place = x[images], y[images, rows], winner[images, rows]
        for r, s, reached, read in window.taps(size, largest.shape[1:3], rows.start):
            value, so_far, where = source[read], largest[reached], place[reached]
            larger = scratch(*value.shape)
            np.greater(value, so_far, out=larger, casting="unsafe")
            if with_nan:
                larger |= np.isnan(value)
            np.maximum(so_far, value, out=so_far)
            larger *= winner.dtype.type(r * window.kernel[1] + s)
            np.maximum(where, larger, out=where)  # the taps come in rising order: the latest winner has the largest
    return channels_first(y), channels_first(winner)


@has_compiled_form
def max_pool2d_gradient(g: Array, winner: Array, size: Pair, window: Window) -> Array:
    """The gradient of each output goes to the pixel of its winning tap: (N, C, H', W') -> (N, C, H, W)."""
    g, winner = channels_last(g), channels_last(winner)
    gradient = np.zeros((len(g), *size, g.shape[-1]), g.dtype)
    scratch = Scratch(g.dtype)
    for images, rows in blocks(len(g), g.shape[1], gradient[:1].nbytes // max(1, g.shape[1])):
        source, place, target = g[images, rows], winner[images, rows], gradient[images]
        for r, s, reached, read in window.taps(size, source.shape[1:3], rows.start):
            won = place[reached] == r * window.kernel[1] + s
            target[read] += np.multiply(source[reached], won, out=scratch(*won.shape))
    return channels_first(gradient)


def max_pool2d_indices(winner: Array, size: Pair, window: Window) -> Array:
    """Winning taps (N, C, H', W') as torch's indices: the place of the maximum in its image, row * W + column."""
    r, s = np.divmod(winner.astype(np.int64), window.kernel[1])
    rows = np.arange(winner.shape[2])[:, None] * window.stride[0] - window.padding[0] + r * window.dilation[0]
    columns = np.arange(winner.shape[3]) * window.stride[1] - window.padding[1] + s * window.dilation[1]
    return rows * size[1] + columns


@has_compiled_form
def avg_pool2d(x: Array, window: Window, ceil_mode: bool = False, count_include_pad: bool = True) -> Array:
    """The mean under each window: (N, C, H, W) -> (N, C, H', W'). `count_include_pad`: padding counts as zeros."""
    x = channels_last(x)
    size = x.shape[1:3]
    outputs = window.output_size(size, ceil_mode)
    y = np.zeros((len(x), *outputs, x.shape[-1]), x.dtype)
    for images, rows in blocks(len(x), outputs[0], x[:1].nbytes // max(1, outputs[0])):
        source, total = x[images], y[images, rows]
        for _, _, reached, read in window.taps(size, total.shape[1:3], rows.start):
            total[reached] += source[read]
    y *= shares(size, outputs, window, count_include_pad).astype(x.dtype)
    return channels_first(y)


@has_compiled_form
def avg_pool2d_gradient(g: Array, size: Pair, window: Window, count_include_pad: bool = True) -> Array:
    """Each output's gradient in equal shares to the pixels under its window: (N, C, H', W') -> (N, C, H, W)."""
    g = channels_last(g)
    gradient = np.zeros((len(g), *size, g.shape[-1]), g.dtype)
    part = shares(size, g.shape[1:3], window, count_include_pad).astype(g.dtype)
    for images, rows in blocks(len(g), g.shape[1], gradient[:1].nbytes // max(1, g.shape[1])):
        share, target = g[images, rows] * part[rows], gradient[images]
        for _, _, reached, read in window.taps(size, share.shape[1:3], rows.start):
            target[read] += share[reached]
    return channels_first(gradient)


def adaptive_avg_pool2d(x: Array, outputs: Pair) -> Array:
    """Means over H' x W' bins that cover the image, whatever its size: (N, C, H, W) -> (N, C, H', W')."""
    x = channels_last(x)
    rows, columns = _bins(x.shape[1], outputs[0], x.dtype), _bins(x.shape[2], outputs[1], x.dtype)
    return channels_first(_weigh(x, rows, columns))


def adaptive_avg_pool2d_gradient(g: Array, size: Pair) -> Array:
    """Each bin's gradient in equal shares to its pixels: (N, C, H', W') -> (N, C, H, W)."""
    g = channels_last(g)
    rows, columns = _bins(size[0], g.shape[1], g.dtype), _bins(size[1], g.shape[2], g.dtype)
    return channels_first(_weigh(g, rows.T, columns.T))


def shares(size: Pair, outputs: Pair, window: Window, count_include_pad: bool) -> Array:
    """One over the number of pixels that each mean is taken over: (H', W', 1)."""
    counts = []
    for axis in (0, 1):
        before = window.padding[axis] if count_include_pad else 0
        start = np.arange(outputs[axis]) * window.stride[axis] - window.padding[axis]
        end = np.minimum(start + window.kernel[axis], size[axis] + before)
        counts.append(end - np.maximum(start, -before))
    return 1 / (counts[0][:, None] * counts[1])[..., None]


def _first_taps(window: Window, outputs: Pair) -> Array:
    """The first tap of each window (H', W') that is not padding: it has the maximum until a larger number comes."""
    first = [
        np.maximum(
            0, -((np.arange(outputs[axis]) * window.stride[axis] - window.padding[axis]) // window.dilation[axis])
        )
        for axis in (0, 1)
    ]
    return first[0][:, None] * window.kernel[1] + first[1]


def _bins(size: int, outputs: int, dtype: np.dtype) -> Array:
    """The matrix (outputs, size) whose row o takes the mean of bin o: floor(o size / outputs) to ceil((o+1) ...)."""
    output, pixel = np.arange(outputs)[:, None], np.arange(size)
    covered = (pixel >= output * size // outputs) & (pixel < -(-(output + 1) * size // outputs))
    return (covered / covered.sum(1, keepdims=True)).astype(dtype)


def _weigh(x: Array, rows: Array, columns: Array) -> Array:
    """rows (H', H) and columns (W', W) applied to x (N, H, W, C) -> (N, H', W', C)."""
    n, height, width, channels = x.shape
    x = rows @ x.reshape(n, height, width * channels)
    return columns @ x.reshape(n, len(rows), width, channels)
