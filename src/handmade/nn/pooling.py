"""Pooling layers: images (N, C, H, W) -> (N, C, H', W'), one number for each window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import handmade.nn.functional as F
from handmade.engine import Tensor
from handmade.nn.functional.arguments import Size
from handmade.nn.module import Module


class MaxPool2d(Module):
    """The largest value in each window; windows do not overlap unless `stride` is given (its default is kernel_size).

    >>> from handmade import nn, tensor
    >>> nn.MaxPool2d(2)(tensor([[[[1.0, 2.0], [4.0, 3.0]]]])).item()
    4.0
    """

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.return_indices = return_indices
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Any:
        window = (self.kernel_size, self.stride, self.padding, self.dilation)
        return F.max_pool2d(input, *window, self.ceil_mode, self.return_indices)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(MaxPool2d):
    """(N, C, L) -> (N, C, L'): MaxPool2d with one axis."""

    def forward(self, input: Tensor) -> Any:
        window = (self.kernel_size, self.stride, self.padding, self.dilation)
        return F.max_pool1d(input, *window, self.ceil_mode, self.return_indices)


class AvgPool2d(Module):
    """The mean of each window; padding counts as zeros unless `count_include_pad` is False."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        window = (self.kernel_size, self.stride, self.padding)
        return F.avg_pool2d(input, *window, self.ceil_mode, self.count_include_pad, self.divisor_override)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(AvgPool2d):
    """(N, C, L) -> (N, C, L'): AvgPool2d with one axis."""

    def forward(self, input: Tensor) -> Tensor:
        window = (self.kernel_size, self.stride, self.padding)
        return F.avg_pool1d(input, *window, self.ceil_mode, self.count_include_pad)


class AdaptiveAvgPool2d(Module):
    """Means of windows that divide the image so that the output has size `output_size`; None keeps an axis as it is.

    >>> from handmade import nn, ones
    >>> nn.AdaptiveAvgPool2d(1)(ones(2, 512, 7, 9)).shape
    (2, 512, 1, 1)
    """

    def __init__(self, output_size: int | Sequence[int | None] | None) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(AdaptiveAvgPool2d):
    """(N, C, L) -> (N, C, output_size): AdaptiveAvgPool2d with one axis."""

    def forward(self, input: Tensor) -> Tensor:
        assert isinstance(self.output_size, int)
        return F.adaptive_avg_pool1d(input, self.output_size)
