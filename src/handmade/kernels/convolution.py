"""Convolution in two dimensions: forward, and its gradients to the input and to the weight.

N images, C input and K output channels, image H x W, kernel R x S, G groups of C/G and K/G channels.
Arrays are (N, C, H, W) and (K, C/G, R, S) with channels-last memory, so that the channels of a pixel, and the
pixels of a row, lie side by side.

    forward    for every position, the patch under its window becomes one row of a matrix (N*H'*W', R*S*C);
               times the weights (R*S*C, K) it gives all outputs in one product ("im2col", Chellapilla et al. 2006).
    weight     the same matrix, transposed, times the gradient of the outputs.
    input      tap by tap: the outputs' gradient times the weights of a tap, (N*H'*W', K) @ (K, C), is added to the
               pixels the tap read. It serves every stride and dilation, and needs no flipped weights.

The matrix of patches has R*S times the size of the image, so it exists only one block at a time (`windows.blocks`):
the block stays in the cache, memory stays bounded, and the weight's gradient makes it again instead of keeping it.

Measured on an AMD EPYC (AVX2), float32, value and gradients of one layer, time as a multiple of PyTorch's
(benchmarks/convolution.py; one core, processor time, the least of 7):

    LeNet-5 C1, C3         0.7, 1.6          VGG conv1, 2, 5             0.4, 0.8, 1.0
    ResNet-20 stages 1-3   1.2, 1.1, 1.3     ResNet-50 1x1, 3x3, last    1.0, 1.2, 0.9
    AlexNet conv1, 2       1.2, 1.5          depthwise, 32 groups        2.7, 1.7

On two cores the ratio rises, because the copies use one core only. On a machine busy with other work, so that single
figures scatter widely, the least medians of two or three samples gave 0.5 to 1.8, but 3.0 for C3 and 3.4 for depthwise.

Tried and left out, as multiples of the time of what is here: for the input's gradient, flipped weights (0.7 to 2.3,
the last in C3; stride 1 only) and one product for all taps of a kernel's row (1.1 to 2.6: the sums then read scattered
memory); two threads that take the blocks in turn (1.0 to 1.4); blocks of 8 MiB (1.0 to 1.4) and of 0.25 MiB (1.8 to
2.7).
"""

from collections.abc import Iterator

import numpy as np

from handmade.kernels import depthwise
from handmade.kernels.choice import has_compiled_form
from handmade.kernels.normalization import channel_sums
from handmade.kernels.windows import Array, Pair, Scratch, Window, blocks, channels_first, channels_last, padded, views

SHORT_RUN = 8
"""Patches whose rows have fewer numbers side by side than this are copied tap by tap instead of row by row."""


@has_compiled_form
def conv2d(x: Array, weight: Array, bias: Array | None, window: Window, groups: int = 1) -> Array:
    """y[n, k, o, p] = bias[k] + sum over c, r, s of x[n, c, o*stride + r*dilation - padding, ...] * weight[k, c, r, s].

    x (N, C, H, W), weight (K, C/G, R, S), bias (K,) -> y (N, K, H', W').
    """
    x, weight = channels_last(x), channels_last(weight)
    outputs = window.output_size(x.shape[1:3])
    if depthwise.applies(weight, groups):
        y = depthwise.forward(x, weight, window)
        if bias is not None:
            y += bias
        return channels_first(y)
    y = np.empty((len(x), *outputs, len(weight)), x.dtype)
    matrix = weight.reshape(groups, len(weight) // groups, -1)  # G K/G R*S*C/G
    for block, patches in _patches(x, window, outputs, groups):
        rows = y[block]
        np.matmul(patches, matrix.transpose(0, 2, 1), out=_by_group(rows, groups))
        if bias is not None:
            rows += bias
    return channels_first(y)


@has_compiled_form
def conv2d_weight_gradient(x: Array, g: Array, window: Window, groups: int = 1) -> Array:
    """The gradient of the weight, (K, C/G, R, S), from x (N, C, H, W) and g (N, K, H', W')."""
    x, g = channels_last(x), channels_last(g)
    channels, filters = x.shape[-1] // groups, g.shape[-1]
    if groups > 1 and channels == 1 and filters == groups:
        return channels_first(depthwise.weight_gradient(x, g, window))
    gradient = np.zeros((groups, filters // groups, window.kernel[0] * window.kernel[1] * channels), x.dtype)
    for block, patches in _patches(x, window, g.shape[1:3], groups):
        gradient += np.matmul(_by_group(g[block], groups).transpose(0, 2, 1), patches)
    return channels_first(gradient.reshape(filters, *window.kernel, channels))


def conv2d_bias_gradient(g: Array) -> Array:
    """The gradient of the bias, (K,), from g (N, K, H', W'): its sum over images and positions."""
    return channel_sums(channels_last(g).reshape(1, -1, g.shape[1]))[0].astype(g.dtype)


@has_compiled_form
def conv2d_input_gradient(g: Array, weight: Array, size: Pair, window: Window, groups: int = 1) -> Array:
    """The gradient of the input, (N, C, H, W) with (H, W) = `size`, from g (N, K, H', W'); a transposed convolution."""
    g, weight = channels_last(g), channels_last(weight)
    if depthwise.applies(weight, groups):
        return channels_first(depthwise.input_gradient(g, weight, size, window))
    outputs, channels = g.shape[1:3], weight.shape[-1] * groups
    weight = weight.reshape(groups, -1, *weight.shape[1:])  # G K/G R S C/G
    if window.is_pointwise():
        gradient = np.empty((len(g), *size, channels), g.dtype)
        np.matmul(_by_group(g, groups), weight[:, :, 0, 0], out=_by_group(gradient, groups))
        return channels_first(gradient)
    gradient = np.zeros((len(g), *size, channels), g.dtype)
    scratch = Scratch(g.dtype)
    for images, rows in blocks(len(g), outputs[0], outputs[1] * channels * g.itemsize):
        g_block, target = _by_group(g[images, rows], groups), gradient[images]
        product = scratch(len(target), rows.stop - rows.start, outputs[1], channels)
        for r, s, reached, read in window.taps(size, product.shape[1:3], rows.start):
            np.matmul(g_block, weight[:, :, r, s], out=_by_group(product, groups))
            target[read] += product[reached]
    return channels_first(gradient)


def _by_group(x: Array, groups: int) -> Array:
    """(n, h, w, C) -> the view (G, n*h*w, C/G): one matrix a group."""
    return x.reshape(-1, groups, x.shape[-1] // groups).transpose(1, 0, 2)


def _patches(x: Array, window: Window, outputs: Pair, groups: int) -> Iterator[tuple[tuple[slice, slice], Array]]:
    """The matrices of patches (G, positions, R*S*C/G), block by block, each with its images and rows of outputs.

    The next block overwrites the one before.
    """
    if window.is_pointwise():
        yield (slice(None), slice(None)), _by_group(x, groups)
        return
    channels, (r, s) = x.shape[-1] // groups, window.kernel
    tap_by_tap = channels * (s if groups == 1 else 1) < SHORT_RUN
    scratch = Scratch(x.dtype)
    for images, rows in blocks(len(x), outputs[0], outputs[1] * groups * r * s * channels * x.itemsize):
        windows = views(padded(x[images], window, rows), window)[:, :, : outputs[1]]
        n, h, w = windows.shape[:3]
        windows = windows.reshape(n, h, w, groups, channels, r, s)
        if tap_by_tap:  # the copy runs along rows of pixels
            block = scratch(groups, r, s, channels, n, h, w)
            np.copyto(block, windows.transpose(3, 5, 6, 4, 0, 1, 2))
            patches = block.reshape(groups, r * s * channels, n * h * w).transpose(0, 2, 1)
        else:  # the copy runs along rows of a patch
            block = scratch(groups, n, h, w, r, s, channels)
            np.copyto(block, windows.transpose(3, 0, 1, 2, 5, 6, 4))
            patches = block.reshape(groups, n * h * w, r * s * channels)
        yield (images, rows), patches
