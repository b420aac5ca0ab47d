"""Padding layers: (N, C, ..., W) with elements added at both ends of the last axes; a batch axis may be missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from handmade.engine import Tensor
from handmade.nn.functional.arguments import numbers
from handmade.nn.module import Module


class _Pad(Module):
    """padding: one number for all ends, or (before, after) for each axis, the last axis first; negative ones crop."""

    axes: ClassVar[int]
    mode: ClassVar[str]
    value = 0.0

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        self.padding = numbers("padding", padding, 2 * self.axes)

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (self.axes + 1, self.axes + 2):
            axes = f"{self.axes + 1} or {self.axes + 2} axes"
            raise ValueError(f"{type(self).__name__}: input has shape {input.shape}; expected {axes}")
        return input.pad(self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        return str(self.padding)


class _ConstantPad(_Pad):
    mode = "constant"

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """Adds `value` at both ends of one axis."""

    axes = 1


class ConstantPad2d(_ConstantPad):
    """Adds `value` around images."""

    axes = 2


class ZeroPad1d(_Pad):
    """Adds zeros at both ends of one axis."""

    axes, mode = 1, "constant"


class ZeroPad2d(_Pad):
    """Adds zeros around images.

    >>> from handmade import nn, ones
    >>> nn.ZeroPad2d((1, 0, 0, 0))(ones(1, 1, 1, 2)).tolist()  # left, right, top, bottom
    [[[[0.0, 1.0, 1.0]]]]
    """

    axes, mode = 2, "constant"


class ReflectionPad1d(_Pad):
    """Adds the mirror image of the elements next to each end, which are not repeated."""

    axes, mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """Adds the mirror image of the pixels next to each edge, which are not repeated."""

    axes, mode = 2, "reflect"


class ReplicationPad1d(_Pad):
    """Repeats the element at each end."""

    axes, mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """Repeats the pixels at each edge."""

    axes, mode = 2, "replicate"


class CircularPad1d(_Pad):
    """Continues each end with the other one."""

    axes, mode = 1, "circular"


class CircularPad2d(_Pad):
    """Continues each edge with the opposite one."""

    axes, mode = 2, "circular"
