"""What the functions share: checks of their arguments, and the running of the operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handmade.engine import Tensor, apply
from handmade.ops.op import Operation

Size = int | Sequence[int]
"""One number, or one for each of the axes (height, width)."""


def run(operation: Operation, *tensors: Tensor | None, **options: Any) -> Tensor:
    """The operation on its input and parameters, all of which must be floats."""
    for tensor in tensors:
        if tensor is not None:
            check_float(operation.__name__, tensor)
    return apply(operation, *tensors, **options)


def check_float(name: str, tensor: Any) -> None:
    """NumPy would compute with whole numbers as well, but in float64."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name}: got a {type(tensor).__name__}; expected a Tensor, as handmade.tensor(x)")
    if tensor.array.dtype.kind != "f":
        raise TypeError(f"{name}: got {tensor.dtype} {tensor.shape}; expected float32 or float64, as x.float()")


def constant(name: str, argument: str, tensor: Tensor | None, input: Tensor) -> Tensor | None:
    """The tensor, if no gradient is expected of it, since none would come, and if its float type is that of `input`."""
    if tensor is not None and tensor.requires_grad:
        raise RuntimeError(f"{name}: {argument} requires a gradient, but is a constant here; give {argument}.detach()")
    if tensor is not None and tensor.is_floating_point() and tensor.dtype != input.dtype:
        raise TypeError(f"{name}: {argument} is {tensor.dtype} and input {input.dtype}; convert one of them")
    return tensor


def numbers(argument: str, value: Any, count: int) -> tuple[Any, ...]:
    """`value` if it is a sequence of `count`, else `count` times `value`."""
    values = tuple(value) if isinstance(value, Sequence) else (value,) * count
    if len(values) != count:
        raise ValueError(f"{argument} is {value}; expected one number or {count}")
    return values
