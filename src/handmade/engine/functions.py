"""Functions of several tensors, and random ones; functions of one tensor are its methods."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np

from handmade import ops
from handmade.engine import random
from handmade.engine.kinds import also_numpys_names
from handmade.engine.tensor import Tensor, apply, tensor_of

P = ParamSpec("P")
R = TypeVar("R")


def function(method: Callable[P, R]) -> Callable[P, R]:
    """A method as a function, whose first argument `input` may be a number beside a tensor: add(2.0, x)."""

    @functools.wraps(method)
    def call(input: Any, *args: Any, **options: Any) -> Any:
        if not isinstance(input, Tensor):
            tensors = (x for x in (*args, *options.values()) if isinstance(x, Tensor))
            beside = next((x for x in tensors if x.array.dtype.kind != "b"), None)  # beside a mask it keeps its kind
            number, input = input, Tensor(input)
            if beside is not None and not input.ndim and (beside.is_floating_point() or not input.is_floating_point()):
                input = Tensor(np.asarray(number, beside.dtype))  # of its own digits, not those of float32
        return method(input, *args, **options)  # pyright: ignore[reportCallIssue]

    return call  # pyright: ignore[reportReturnType]


@also_numpys_names
def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors along an existing axis; all other sizes must agree. An empty tensor of one axis is left out."""
    if any(not isinstance(tensor, Tensor) for tensor in tensors):
        raise TypeError(f"cat: got a list of {[type(tensor).__name__ for tensor in tensors]}; expected tensors")
    if len({tensor.ndim for tensor in tensors}) > 1:
        tensors = [tensor for tensor in tensors if tensor.shape != (0,)]
    _check_alike("cat", tensors, dim)
    return apply(ops.cat, *tensors, dim=dim)


@also_numpys_names
def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors along a new axis; the shapes must be equal."""
    _check_alike("stack", tensors, None)
    return apply(ops.stack, *tensors, dim=dim)


def _check_alike(name: str, tensors: Sequence[Tensor], dim: int | None) -> None:
    if not tensors:
        raise ValueError(f"{name}: the list of tensors is empty")
    shapes = [tensor.shape for tensor in tensors]
    if dim is not None and not all(-len(shape) <= dim < len(shape) for shape in shapes):
        raise IndexError(f"{name}: dim {dim} is out of range for the shapes {shapes}")
    rest = shapes if dim is None else [tuple(np.delete(shape, dim)) for shape in shapes]
    if len(set(rest)) > 1:
        where = "" if dim is None else f" except at axis {dim}"
        raise ValueError(f"{name}: shapes {shapes} must be equal{where}")


def einsum(equation: str, *operands: Any) -> Tensor:
    """Einstein summation: letters name axes; letters missing after '->' are summed over; '...' is allowed."""
    if len(operands) == 1 and isinstance(operands[0], list | tuple):
        operands = tuple(operands[0])
    return apply(ops.einsum, *operands, equation=equation)


def where(condition: Tensor | np.ndarray | np.bool_, input: Any = None, other: Any = None) -> Any:
    """`input` where the condition holds, else `other`; all three broadcast. Without these, where it holds."""
    if input is None and other is None:
        return tensor_of(condition).nonzero(as_tuple=True)
    return function(Tensor.where)(input, condition, other)  # pyright: ignore[reportArgumentType]


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Vectors as the coordinates of a grid, one tensor each; "xy" swaps the first two axes."""
    if len(tensors) == 1 and isinstance(tensors[0], list | tuple):
        tensors = tuple(tensors[0])
    if indexing not in ("ij", "xy") or any(tensor.ndim > 1 for tensor in tensors):
        shapes = [tensor.shape for tensor in tensors]
        raise ValueError(f"meshgrid: indexing is {indexing!r}, shapes are {shapes}; expected 'ij' or 'xy', and vectors")
    shape = tuple(tensor.numel() for tensor in tensors)
    along = lambda axis: [-1 if other == axis else 1 for other in range(len(shape))]
    grids = [tensor.reshape(along(axis)).expand(shape) for axis, tensor in enumerate(tensors)]
    return tuple(grid.transpose(0, 1) if indexing == "xy" and len(shape) > 1 else grid for grid in grids)


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """All of them expanded to one shape."""
    shape = np.broadcast_shapes(*(tensor.shape for tensor in tensors))
    return tuple(tensor.expand(shape) for tensor in tensors)


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Joined along the second axis, vectors along their first."""
    parts = [tensor if tensor.ndim else tensor.reshape(1) for tensor in tensors]
    return cat(parts, 0 if parts and parts[0].ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Joined along the first axis; a vector counts as a row."""
    return cat([tensor.reshape(1, -1) if tensor.ndim < 2 else tensor for tensor in tensors], 0)


def bernoulli(input: Tensor, *, generator: random.Generator | None = None) -> Tensor:
    """1 with the probability that `input` gives for the element, else 0."""
    if input.numel() and not (input.array.min() >= 0 and input.array.max() <= 1):
        raise ValueError(
            f"bernoulli: probabilities go from {input.array.min()} to {input.array.max()}, expected 0 to 1"
        )
    return Tensor((random.generator(generator).random(input.shape) < input.array).astype(input.dtype))


def is_tensor(obj: Any) -> bool:
    return isinstance(obj, Tensor)


def numel(input: Tensor) -> int:
    return input.numel()


def result_type(tensor1: Any, tensor2: Any) -> np.dtype:
    """The dtype of a result computed from both."""
    return (tensor_of(tensor1) * 0 + tensor2).dtype


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Integers (...) -> int64 (..., num_classes): 1 at the index of each, 0 elsewhere; -1 means the largest + 1."""
    numbers = tensor.array
    if numbers.dtype != np.int64:
        raise TypeError(f"one_hot: the tensor is {numbers.dtype}; it must hold integers (int64)")
    largest = int(numbers.max(initial=-1))
    if num_classes == -1:
        num_classes = largest + 1
    if numbers.size and (numbers.min() < 0 or largest >= num_classes):
        raise ValueError(
            f"one_hot: numbers go from {numbers.min()} to {largest}; classes go from 0 to {num_classes - 1}"
        )
    return Tensor((numbers[..., None] == np.arange(num_classes)).astype(np.int64))


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: random.Generator | None = None
) -> Tensor:
    """Sample indices with probabilities proportional to the weights: (K,) -> (n,), (N, K) -> (N, n)."""
    if input.ndim not in (1, 2) or not input.is_floating_point():
        raise ValueError(f"multinomial: input is {input.dtype} {input.shape}, expected float weights (K,) or (N, K)")
    if num_samples < 1:
        raise ValueError(f"multinomial: num_samples is {num_samples}, expected at least 1")
    weights = np.atleast_2d(input.array).astype(np.float64)
    if not np.isfinite(weights).all() or (weights < 0).any() or (weights.sum(-1) <= 0).any():
        raise ValueError("multinomial: every row needs finite weights >= 0 with a sum > 0")
    if not replacement and ((weights > 0).sum(-1) < num_samples).any():
        raise ValueError(f"multinomial: {num_samples} samples without replacement need {num_samples} weights above 0")
    rng = random.generator(generator)
    if replacement:
        cumulative = np.cumsum(weights, -1)
        thresholds = rng.random((len(weights), num_samples)) * cumulative[:, -1:]
        places = (thresholds[..., None] >= cumulative[:, None, :]).sum(-1)
    else:
        # Sorting exponential waiting times with these rates is sampling without replacement (Efraimidis 2006).
        with np.errstate(divide="ignore"):
            waiting = rng.exponential(size=weights.shape) / weights
        places = np.argsort(waiting, -1)[:, :num_samples]
    return Tensor(places.reshape(*input.shape[:-1], num_samples))
