"""Convolutional layers. N samples, C input and K output channels, G groups; kernel R x S (R in one dimension)."""

from __future__ import annotations

from typing import Any

import handmade.nn.functional as F
from handmade.engine import Tensor
from handmade.engine.creation import empty
from handmade.nn import init
from handmade.nn.functional.arguments import Size, numbers
from handmade.nn.functional.convolution import paddings
from handmade.nn.module import Module, Parameter

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _Convolution(Module):
    """What the layers have in common: arguments, parameters, repr."""

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
        padding_mode: str,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        modes = PADDING_MODES[:1] if self.transposed else PADDING_MODES
        if padding_mode not in modes:
            raise ValueError(f"{name}: padding_mode is {padding_mode!r}; expected {', '.join(map(repr, modes))}")
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(f"{name}: {in_channels} to {out_channels} channels cannot be divided into {groups} groups")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = numbers("kernel_size", kernel_size, self.axes)
        self.stride = numbers("stride", stride, self.axes)
        self.padding: Any = padding if isinstance(padding, str) else numbers("padding", padding, self.axes)
        self.dilation = numbers("dilation", dilation, self.axes)
        self.groups = groups
        self.padding_mode = padding_mode
        outer, inner = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        memory = empty(outer, *self.kernel_size, inner // groups)  # channels last, as the kernels read it
        self.weight = Parameter(memory.permute(0, -1, *range(1, 1 + self.axes)))
        self.bias = Parameter(empty(out_channels)) if bias else None
        init.layer_(self.weight, self.bias)

    def _padded(self, input: Tensor) -> tuple[Tensor, Any]:
        """The input, and the zeros that are still to be added; other numbers than zeros are added here."""
        if self.padding_mode == "zeros":
            return input, self.padding
        pairs = paddings(type(self).__name__, self.padding, self.kernel_size, self.stride, self.dilation)
        return input.pad([number for pair in reversed(pairs) for number in pair], self.padding_mode), 0

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        for option, usual in (("padding", 0), ("dilation", 1), ("output_padding", 0)):
            value = getattr(self, option, None)
            if value not in (None, (usual,) * self.axes):
                text += f", {option}={value}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        return text if self.padding_mode == "zeros" else f"{text}, padding_mode={self.padding_mode}"


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
        padding_mode: str = "zeros",
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode)

    def forward(self, input: Tensor) -> Tensor:
        input, padding = self._padded(input)
        return F.conv1d(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


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
        padding_mode: str = "zeros",
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode)

    def forward(self, input: Tensor) -> Tensor:
        input, padding = self._padded(input)
        return F.conv2d(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class _ConvolutionTransposed(_Convolution):
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
        padding_mode: str = "zeros",
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode)
        self.output_padding = numbers("output_padding", output_padding, self.axes)

    def forward(self, input: Tensor) -> Tensor:
        window = (self.stride, self.padding, self.output_padding)
        transposed = F.conv_transpose1d if self.axes == 1 else F.conv_transpose2d
        return transposed(input, self.weight, self.bias, *window, self.groups, self.dilation)


class ConvTranspose1d(_ConvolutionTransposed):
    """(N, C, L) -> (N, K, L'), with L' = (L - 1) stride - 2 padding + dilation (R - 1) + 1 + output_padding.

    weight (C, K/G, R), bias (K,), both initialised uniformly in ±1 / sqrt(K/G R).
    """

    axes = 1


class ConvTranspose2d(_ConvolutionTransposed):
    """(N, C, H, W) -> (N, K, H', W'), with H' = (H - 1) stride - 2 padding + dilation (R - 1) + 1 + output_padding.

    weight (C, K/G, R, S), bias (K,), both initialised uniformly in ±1 / sqrt(K/G R S).

    >>> from handmade import nn, ones
    >>> nn.ConvTranspose2d(8, 3, kernel_size=2, stride=2)(ones(1, 8, 16, 16)).shape
    (1, 3, 32, 32)
    """

    axes = 2
