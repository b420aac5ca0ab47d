"""Convolution as neural networks use it: a cross-correlation, without flipping the kernel.

N images, C input and K output channels, image H x W, kernel R x S, G groups. Pairs are (height, width).
"""

import numpy as np

from handmade.kernels import convolution as kernel
from handmade.kernels.windows import Pair, Window
from handmade.ops.op import op


@op
def conv2d(x, weight, bias=None, *, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    """x (N, C, H, W), weight (K, C/G, R, S), bias (K,) -> (N, K, H', W').

    y[n, k, o, p] = bias[k] + sum_crs weight[k, c, r, s] x[n, c, o stride + r dilation - padding, ...] over the channels
    c of k's group. H' = floor((H + 2 padding - (R - 1) dilation - 1) / stride) + 1. Raises ValueError where shapes do
    not fit.
    """
    _check_arrays("conv2d", "(N, C, H, W)", x, weight)
    window = Window(weight.shape[2:], stride, padding, dilation)
    _check_channels("conv2d", x, weight, bias, groups)
    window.check("conv2d", x.shape[2:])
    y = kernel.conv2d(x, weight, bias, window, groups)
    return y, lambda g: (
        lambda: kernel.conv2d_input_gradient(g, weight, x.shape[2:], window, groups),
        lambda: kernel.conv2d_weight_gradient(x, g, window, groups),
        None if bias is None else lambda: kernel.conv2d_bias_gradient(g),
    )


@op
def conv1d(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    """x (N, C, L), weight (K, C/G, R), bias (K,) -> (N, K, L'): conv2d on an image one pixel wide."""
    _check_arrays("conv1d", "(N, C, L)", x, weight)
    _check_channels("conv1d", x, weight, bias, groups)
    window = Window((weight.shape[2], 1), (stride, 1), (padding, 0), (dilation, 1))
    window.check("conv1d", (x.shape[2], 1))
    x, weight = x[..., None], weight[..., None]
    y = kernel.conv2d(x, weight, bias, window, groups)
    return y[..., 0], lambda g: (
        lambda: kernel.conv2d_input_gradient(g[..., None], weight, x.shape[2:], window, groups)[..., 0],
        lambda: kernel.conv2d_weight_gradient(x, g[..., None], window, groups)[..., 0],
        None if bias is None else lambda: kernel.conv2d_bias_gradient(g[..., None]),
    )


@op
def conv_transpose2d(
    x, weight, bias=None, *, stride=(1, 1), padding=(0, 0), output_padding=(0, 0), dilation=(1, 1), groups=1
):
    """x (N, C, H, W), weight (C, K/G, R, S), bias (K,) -> (N, K, H', W'): the transpose of conv2d as a linear map.

    H' = (H - 1) stride - 2 padding + (R - 1) dilation + 1 + output_padding. What conv2d computes as the gradient of its
    input is the value here, and the other way round.
    """
    _check_arrays("conv_transpose2d", "(N, C, H, W)", x, weight)
    window = Window(weight.shape[2:], stride, padding, dilation)
    _check_transposed_channels(x, weight, bias, groups)
    size = _transposed_size(x.shape[2:], window, output_padding)
    y = kernel.conv2d_input_gradient(x, weight, size, window, groups)
    if bias is not None:
        y += bias[:, None, None]
    height, width = x.shape[2:]  # output padding may leave room for one more window, which no input pixel produced
    return y, lambda g: (
        lambda: kernel.conv2d(g, weight, None, window, groups)[:, :, :height, :width],
        lambda: kernel.conv2d_weight_gradient(g, x, window, groups),
        None if bias is None else lambda: kernel.conv2d_bias_gradient(g),
    )


def _transposed_size(size: Pair, window: Window, output_padding: Pair) -> Pair:
    """Height and width of the transposed convolution's value."""
    window.check("conv_transpose2d", window.span)  # checks the fields only: an image as large as the window always fits
    result = []
    for axis in (0, 1):
        extra, limit = output_padding[axis], max(window.stride[axis], window.dilation[axis])
        if not 0 <= extra < limit:
            raise ValueError(
                f"conv_transpose2d: output_padding {output_padding} must be at least 0 and smaller than the stride "
                f"{window.stride} or the dilation {window.dilation}"
            )
        result.append((size[axis] - 1) * window.stride[axis] - 2 * window.padding[axis] + window.span[axis] + extra)
    if min(result) < 1:
        raise ValueError(
            f"conv_transpose2d: the input {size} with kernel {window.kernel}, stride {window.stride} and padding "
            f"{window.padding} gives an output of {tuple(result)}. Use less padding."
        )
    return result[0], result[1]


def _check_arrays(name: str, axes: str, x: np.ndarray, weight: np.ndarray) -> None:
    ndim = axes.count(",") + 1
    if x.ndim != ndim:
        hint = " Add a batch axis: x[None]." if x.ndim == ndim - 1 else ""
        raise ValueError(f"{name}: the input must have the axes {axes}, got shape {x.shape}.{hint}")
    if weight.ndim != ndim:
        raise ValueError(f"{name}: the weight must have {ndim} axes, like the input {x.shape}, got {weight.shape}")
    if x.dtype != weight.dtype:
        raise TypeError(f"{name}: the input is {x.dtype}, the weight {weight.dtype}. Convert one to the other's type.")


def _check_channels(name: str, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, groups: int) -> None:
    channels, filters = x.shape[1], weight.shape[0]
    _check_divisible(name, "input", channels, groups)
    _check_divisible(name, "output", filters, groups)
    if weight.shape[1] * groups != channels:
        raise ValueError(
            f"{name}: input {x.shape} and weight {weight.shape} do not fit: the input has {channels} channels, the "
            f"weight with groups={groups} expects {weight.shape[1] * groups}. Channels are axis 1."
        )
    _check_bias(name, bias, filters)


def _check_transposed_channels(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, groups: int) -> None:
    _check_divisible("conv_transpose2d", "input", x.shape[1], groups)
    if weight.shape[0] != x.shape[1]:
        raise ValueError(
            f"conv_transpose2d: input {x.shape} and weight {weight.shape} do not fit: the input has {x.shape[1]} "
            f"channels, the weight expects {weight.shape[0]}. A transposed weight is (in, out/groups, R, S)."
        )
    _check_bias("conv_transpose2d", bias, weight.shape[1] * groups)


def _check_divisible(name: str, which: str, channels: int, groups: int) -> None:
    if groups < 1 or channels % groups:
        raise ValueError(f"{name}: {channels} {which} channels cannot be divided into groups={groups}")


def _check_bias(name: str, bias: np.ndarray | None, filters: int) -> None:
    if bias is not None and bias.shape != (filters,):
        raise ValueError(f"{name}: the bias must have one number per output channel, ({filters},), got {bias.shape}")
