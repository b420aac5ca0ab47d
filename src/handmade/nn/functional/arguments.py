"""What the functions share: checking their arguments, and running the operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from handmade.engine import Tensor, apply
from handmade.ops.op import Operation

Size = int | Sequence[int]
"""One number, or one for each of the axes (height, width)."""


def run(operation: Operation, *tensors: Tensor | None, **options: Any) -> Tensor:
    """Run the operation on its input and parameters, all of which must be floats."""
    for tensor in tensors:
        if tensor is not None:
            check_float(operation.__name__, tensor)
    return apply(operation, *tensors, **options)


def with_batch(input: Tensor, ndim: int, compute: Callable[[Tensor], Any]) -> Any:
    """compute(input); an input of one axis less than `ndim` is one sample, which gets a batch axis for the while."""
    if not isinstance(input, Tensor) or input.ndim != ndim - 1:
        return compute(input)
    output = compute(input.unsqueeze(0))
    return tuple(part.squeeze(0) for part in output) if isinstance(output, tuple) else output.squeeze(0)


def check_float(name: str, tensor: Any) -> None:
    """Raise TypeError unless `tensor` is a float Tensor: NumPy would accept integers, but compute in float64."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name}: got a {type(tensor).__name__}; expected a Tensor, for example handmade.tensor(x)")
    if tensor.array.dtype.kind != "f":
        raise TypeError(f"{name}: got {tensor.dtype} {tensor.shape}; expected float32 or float64: use x.float()")


def constant(name: str, argument: str, tensor: Tensor | None, input: Tensor) -> Tensor | None:
    """`tensor`, after checking that it needs no gradient (it would get none) and has the float type of `input`."""
    if tensor is not None and tensor.requires_grad:
        raise RuntimeError(f"{name}: {argument} requires a gradient, but is a constant here; pass {argument}.detach()")
    if tensor is not None and tensor.is_floating_point() and tensor.dtype != input.dtype:
        raise TypeError(f"{name}: {argument} is {tensor.dtype} and input {input.dtype}; convert one of them")
    return tensor


def column(argument: str, value: Any, across: int) -> tuple[Any, int]:
    """The number of a function on sequences as (height, width), for images that are one pixel wide."""
    return numbers(argument, value, 1)[0], across


def numbers(argument: str, value: Any, count: int) -> tuple[Any, ...]:
    """`value` as a tuple: a sequence of `count` numbers as it is, one number repeated `count` times."""
    values = tuple(value) if isinstance(value, Sequence) else (value,) * count
    if len(values) == 1:
        values *= count
    if len(values) != count:
        raise ValueError(f"{argument} is {value}; expected one number or {count}")
    return values
