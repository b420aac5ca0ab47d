"""Pooling: one number for each window of an image. N samples, C channels, image H x W."""

from __future__ import annotations

from collections.abc import Sequence

from handmade.engine import Tensor
from handmade.nn.functional.arguments import Size, numbers, run
from handmade.ops import pooling


def max_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """(N, C, H, W) -> (N, C, H', W'): the largest value in each window; `stride` is kernel_size unless given."""
    kernel = numbers("kernel_size", kernel_size, 2)
    return run(
        pooling.max_pool2d,
        input,
        kernel_size=kernel,
        stride=kernel if stride is None else numbers("stride", stride, 2),
        padding=numbers("padding", padding, 2),
        dilation=numbers("dilation", dilation, 2),
        ceil_mode=ceil_mode,
    )


def avg_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """(N, C, H, W) -> (N, C, H', W'): the mean of each window; `stride` is kernel_size unless given."""
    kernel = numbers("kernel_size", kernel_size, 2)
    return run(
        pooling.avg_pool2d,
        input,
        kernel_size=kernel,
        stride=kernel if stride is None else numbers("stride", stride, 2),
        padding=numbers("padding", padding, 2),
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
    )


def adaptive_avg_pool2d(input: Tensor, output_size: int | Sequence[int | None] | None) -> Tensor:
    """(N, C, H, W) -> (N, C, *output_size): means of windows that divide the image; None keeps an axis as it is."""
    wanted = zip(numbers("output_size", output_size, 2), input.shape[-2:], strict=False)
    size = tuple(own if number is None else number for number, own in wanted)
    return run(pooling.adaptive_avg_pool2d, input, output_size=size)
