"""Convolutional layers. N samples, C input and K output channels, G groups; kernel R x S (R in one dimension)."""

from __future__ import annotations

from typing import Any

import handmade.nn.functional as F
from handmade.engine import Tensor
from handmade.engine.creation import empty
from handmade.nn import init
from handmade.nn.functional.arguments import Size, numbers
from handmade.nn.module import Module, Parameter


class _Convolution(Module):
    """What the three layers have in common: arguments, parameters, repr."""

    axes: int
    transposed = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size,
        padding: Size | str,
        dilation: Size,
        groups: int,
        bias: bool,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(f"{name}: {in_channels} to {out_channels} channels cannot be divided into {groups} groups")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = numbers("kernel_size", kernel_size, self.axes)
        self.stride = numbers("stride", stride, self.axes)
        self.padding: Any = padding if isinstance(padding, str) else numbers("padding", padding, self.axes)
        self.dilation = numbers("dilation", dilation, self.axes)
        self.groups = groups
        outer, inner = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        memory = empty(outer, *self.kernel_size, inner // groups)  # channels last, as the kernels read it
        self.weight = Parameter(memory.permute(0, -1, *range(1, 1 + self.axes)))
        self.bias = Parameter(empty(out_channels)) if bias else None
        init.layer_(self.weight, self.bias)

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        for option, usual in (("padding", 0), ("dilation", 1), ("output_padding", 0)):
            value = getattr(self, option, None)
            if value not in (None, (usual,) * self.axes):
                text += f", {option}={value}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        return text if self.bias is not None else f"{text}, bias=False"


class Conv1d(_Convolution):
    """(N, C, L) -> (N, K, L'): a sliding sum of products along one axis.

    weight (K, C/G, R), bias (K,), both initialised uniformly in ±1 / sqrt(C/G R). padding may be "same" or "valid".
    """

    axes = 1

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.conv1d(input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class Conv2d(_Convolution):
    """(N, C, H, W) -> (N, K, H', W'), with H' = floor((H + 2 padding - dilation (R - 1) - 1) / stride) + 1.

    weight (K, C/G, R, S), bias (K,), both initialised uniformly in ±1 / sqrt(C/G R S). padding may also be "same" or
    "valid".

    >>> from handmade import nn, ones
    >>> nn.Conv2d(3, 8, kernel_size=5, stride=2, padding=2)(ones(1, 3, 32, 32)).shape
    (1, 8, 16, 16)
    """

    axes = 2

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.conv2d(input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class ConvTranspose2d(_Convolution):
    """(N, C, H, W) -> (N, K, H', W'), with H' = (H - 1) stride - 2 padding + dilation (R - 1) + 1 + output_padding.

    weight (C, K/G, R, S), bias (K,), both initialised uniformly in ±1 / sqrt(K/G R S).

    >>> from handmade import nn, ones
    >>> nn.ConvTranspose2d(8, 3, kernel_size=2, stride=2)(ones(1, 8, 16, 16)).shape
    (1, 3, 32, 32)
    """

    axes = 2
    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)
        self.output_padding = numbers("output_padding", output_padding, 2)

    def forward(self, input: Tensor) -> Tensor:
        window = (self.stride, self.padding, self.output_padding)
        return F.conv_transpose2d(input, self.weight, self.bias, *window, self.groups, self.dilation)
