"""Functions of several tensors, and random ones; functions of one tensor are its methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from handmade import ops
from handmade.engine import random
from handmade.engine.tensor import Tensor, apply, tensor_of


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors along an existing axis; all other sizes must agree."""
    _check_alike("cat", tensors, dim)
    return apply(ops.cat, *tensors, dim=dim)


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


def einsum(equation: str, *operands: Tensor) -> Tensor:
    """Einstein summation: letters name axes; letters missing after '->' are summed over; '...' is allowed."""
    return apply(ops.einsum, *operands, equation=equation)


def where(condition: Tensor | np.ndarray, input: Any, other: Any) -> Tensor:
    """`input` where the condition holds, else `other`; all three broadcast."""
    return tensor_of(input).where(condition, other)


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


def multinomial(input: Tensor, num_samples: int, replacement: bool = False) -> Tensor:
    """Sample indices with probabilities proportional to the weights: (K,) -> (n,), (N, K) -> (N, n)."""
    if num_samples < 1:
        raise ValueError(f"multinomial: num_samples is {num_samples}, expected at least 1")
    weights = np.atleast_2d(input.array).astype(np.float64)
    if not np.isfinite(weights).all() or (weights < 0).any() or (weights.sum(-1) <= 0).any():
        raise ValueError("multinomial: every row needs finite weights >= 0 with a sum > 0")
    if not replacement and ((weights > 0).sum(-1) < num_samples).any():
        raise ValueError(f"multinomial: {num_samples} samples without replacement need {num_samples} weights above 0")
    rng = random.generator()
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
