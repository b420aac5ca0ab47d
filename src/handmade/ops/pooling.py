"""Pooling: one number for each window of an image. N images, C channels, image H x W; pairs are (height, width)."""

import numpy as np

from handmade.kernels import pooling as kernel
from handmade.kernels.windows import Window
from handmade.ops.op import op


@op
def max_pool2d(x, *, kernel_size, stride, padding=(0, 0), dilation=(1, 1), ceil_mode=False):
    """x (N, C, H, W) -> (N, C, H', W'): the largest number in each window; padding never wins, NaN always does.

    H' = floor((H + 2 padding - span) / stride) + 1, with span = (kernel_size - 1) dilation + 1; with `ceil_mode` it is
    rounded up, and a window across the right or lower edge counts if it starts inside. The gradient goes to the
    maximum; of several equal ones, to the first, row by row.
    """
    window = Window(kernel_size, stride, padding, dilation)
    _check("max_pool2d", x, window)
    y, winner = kernel.max_pool2d(x, window, ceil_mode)
    return y, lambda g: (kernel.max_pool2d_gradient(g, winner, x.shape[2:], window),)


@op
def avg_pool2d(x, *, kernel_size, stride, padding=(0, 0), ceil_mode=False, count_include_pad=True):
    """x (N, C, H, W) -> (N, C, H', W'): the mean of each window, H' as in max_pool2d.

    With `count_include_pad`, padding counts as zeros; what `ceil_mode` adds beyond the padding never counts.
    """
    window = Window(kernel_size, stride, padding)
    _check("avg_pool2d", x, window)
    y = kernel.avg_pool2d(x, window, ceil_mode, count_include_pad)
    return y, lambda g: (kernel.avg_pool2d_gradient(g, x.shape[2:], window, count_include_pad),)


@op
def adaptive_avg_pool2d(x, *, output_size):
    """x (N, C, H, W) -> (N, C, H', W') = `output_size`, for any image size: means over bins that cover the image.

    Bin o goes from row floor(o H / H') to ceil((o + 1) H / H'), so neighbours share a row if H' does not divide H.
    """
    _check_image("adaptive_avg_pool2d", x)
    if min(output_size) < 1:
        raise ValueError(f"adaptive_avg_pool2d: output_size must be at least 1, got {output_size}")
    y = kernel.adaptive_avg_pool2d(x, output_size)
    return y, lambda g: (kernel.adaptive_avg_pool2d_gradient(g, x.shape[2:]),)


def _check(name: str, x: np.ndarray, window: Window) -> None:
    _check_image(name, x)
    window.check(name, x.shape[2:])
    if any(2 * padding > span for padding, span in zip(window.padding, window.span, strict=True)):
        raise ValueError(
            f"{name}: padding {window.padding} must be at most half of what the kernel covers, {window.span}; "
            "otherwise a window could lie in the padding alone"
        )


def _check_image(name: str, x: np.ndarray) -> None:
    if x.ndim != 4 or 0 in x.shape[1:]:
        hint = " Add a batch axis: x[None]." if x.ndim == 3 else ""
        raise ValueError(
            f"{name}: the input must have the axes (N, C, H, W), only N may be 0, got shape {x.shape}.{hint}"
        )
    if x.dtype.kind != "f":
        raise TypeError(f"{name}: the input is {x.dtype}, expected float32 or float64. Convert it: x.float().")
