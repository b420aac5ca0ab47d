"""Pooling: one number for each window of an image. N samples, C channels, image H x W."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handmade.engine import Tensor
from handmade.kernels import pooling as kernels
from handmade.kernels.windows import Window
from handmade.nn.functional.arguments import Size, column, numbers, run, with_batch
from handmade.ops import pooling


def max_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """(N, C, H, W) -> (N, C, H', W'): the largest value in each window; `stride` is kernel_size unless given.

    With `return_indices` also where it was: the number of the pixel in its image, row by row.
    """
    kernel = numbers("kernel_size", kernel_size, 2)
    options = {
        "kernel_size": kernel,
        "stride": numbers("stride", stride, 2) if _is_given(stride) else kernel,
        "padding": numbers("padding", padding, 2),
        "dilation": numbers("dilation", dilation, 2),
        "ceil_mode": ceil_mode,
    }

    def pooled(x: Tensor) -> Any:
        values = run(pooling.max_pool2d, x, **options)
        if not return_indices:
            return values
        window = Window(kernel, options["stride"], options["padding"], options["dilation"])
        _, winner = kernels.max_pool2d(x.array, window, ceil_mode)
        return values, Tensor(kernels.max_pool2d_indices(winner, (x.shape[2], x.shape[3]), window))

    return with_batch(input, 4, pooled)


def max_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """(N, C, L) -> (N, C, L'): the largest value in each window, as in max_pool2d."""
    output = max_pool2d(
        input.unsqueeze(-1),
        column("kernel_size", kernel_size, 1),
        column("stride", stride, 1) if _is_given(stride) else None,
        column("padding", padding, 0),
        column("dilation", dilation, 1),
        ceil_mode,
        return_indices,
    )
    return tuple(part.squeeze(-1) for part in output) if return_indices else output.squeeze(-1)


def avg_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """(N, C, H, W) -> (N, C, H', W'): the mean of each window; `stride` is kernel_size unless given.

    divisor_override: what the sum of a window is divided by, instead of the number of its pixels.
    """
    kernel = numbers("kernel_size", kernel_size, 2)
    options = {
        "kernel_size": kernel,
        "stride": numbers("stride", stride, 2) if _is_given(stride) else kernel,
        "padding": numbers("padding", padding, 2),
        "ceil_mode": ceil_mode,
        "count_include_pad": count_include_pad or divisor_override is not None,
    }
    if divisor_override is None:
        return with_batch(input, 4, lambda x: run(pooling.avg_pool2d, x, **options))
    if divisor_override == 0 or ceil_mode:
        raise ValueError(
            f"avg_pool2d: divisor_override is {divisor_override} with ceil_mode={ceil_mode}; "
            "expected a number that is not 0, and ceil_mode=False"
        )
    scale = kernel[0] * kernel[1] / divisor_override
    return with_batch(input, 4, lambda x: run(pooling.avg_pool2d, x, **options) * scale)


def avg_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """(N, C, L) -> (N, C, L'): the mean of each window, as in avg_pool2d."""
    return avg_pool2d(
        input.unsqueeze(-1),
        column("kernel_size", kernel_size, 1),
        column("stride", stride, 1) if _is_given(stride) else None,
        column("padding", padding, 0),
        ceil_mode,
        count_include_pad,
    ).squeeze(-1)


def adaptive_avg_pool2d(input: Tensor, output_size: int | Sequence[int | None] | None) -> Tensor:
    """(N, C, H, W) -> (N, C, *output_size): means of windows that divide the image; None keeps an axis as it is."""
    wanted = zip(numbers("output_size", output_size, 2), input.shape[-2:], strict=False)
    size = tuple(own if number is None else number for number, own in wanted)
    return with_batch(input, 4, lambda x: run(pooling.adaptive_avg_pool2d, x, output_size=size))


def adaptive_avg_pool1d(input: Tensor, output_size: Size) -> Tensor:
    """(N, C, L) -> (N, C, output_size), as adaptive_avg_pool2d."""
    return adaptive_avg_pool2d(input.unsqueeze(-1), column("output_size", output_size, 1)).squeeze(-1)


def _is_given(stride: Size | None) -> bool:
    """PyTorch takes () for None, too."""
    return stride is not None and stride != ()
