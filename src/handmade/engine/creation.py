"""Functions that create tensors, from data, of constants and of random numbers, under PyTorch's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from handmade.engine import random
from handmade.engine.dtypes import as_dtype, float32, int64
from handmade.engine.rearranging import numbers as sizes
from handmade.engine.tensor import Tensor


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor with a copy of `data`: an array (which keeps its float type), numbers, nested lists of numbers.

    Python floats become float32, integers of any width int64.
    """
    made = Tensor(data, dtype)
    if np.may_share_memory(made.array, data.array if isinstance(data, Tensor) else np.asarray(data)):
        made.array = made.array.copy("K")
    return made.requires_grad_() if requires_grad else made


def from_numpy(array: np.ndarray) -> Tensor:
    """A tensor that shares memory with an array of a supported dtype."""
    return Tensor(array)


def _made(array: np.ndarray, dtype: Any, requires_grad: bool) -> Tensor:
    made = Tensor(array, float32 if dtype is None else dtype)
    return made.requires_grad_() if requires_grad else made


def empty(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Uninitialised: the values are whatever the memory held."""
    return _made(np.empty(sizes(size), as_dtype(dtype or float32)), dtype, requires_grad)


def zeros(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    return _made(np.zeros(sizes(size), as_dtype(dtype or float32)), dtype, requires_grad)


def ones(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    return _made(np.ones(sizes(size), as_dtype(dtype or float32)), dtype, requires_grad)


def full(size: Sequence[int], fill_value: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Filled with `fill_value`, whose type is used unless `dtype` is given."""
    value = Tensor(fill_value, dtype).array
    return _made(np.full(tuple(size), value), value.dtype, requires_grad)


def eye(n: int, m: int | None = None, dtype: Any = None) -> Tensor:
    """Ones on the diagonal of an (n, m) matrix, zeros elsewhere."""
    return _made(np.eye(n, m), dtype, False)


def arange(start: float, end: float | None = None, step: float = 1, dtype: Any = None) -> Tensor:
    """start, start + step, ... up to but not including end; int64 unless a float is given."""
    start, end = (0, start) if end is None else (start, end)
    if dtype is None:
        dtype = float32 if any(isinstance(x, float) for x in (start, end, step)) else int64
    return Tensor(np.arange(start, end, step), dtype)


def linspace(start: float, end: float, steps: int, dtype: Any = None) -> Tensor:
    """`steps` numbers from start to end, both included."""
    return _made(np.linspace(start, end, steps), dtype, False)


def zeros_like(x: Tensor, dtype: Any = None) -> Tensor:
    return Tensor(np.zeros_like(x.array, as_dtype(dtype or x.dtype)))


def ones_like(x: Tensor, dtype: Any = None) -> Tensor:
    return Tensor(np.ones_like(x.array, as_dtype(dtype or x.dtype)))


def full_like(x: Tensor, fill_value: Any, dtype: Any = None) -> Tensor:
    return Tensor(np.full_like(x.array, fill_value, as_dtype(dtype or x.dtype)))


def randn(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Standard normal numbers."""
    drawn = random.generator().standard_normal(sizes(size), as_dtype(dtype or float32))
    return _made(np.asarray(drawn), dtype, requires_grad)


def rand(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Uniform numbers in [0, 1)."""
    drawn = random.generator().random(sizes(size), as_dtype(dtype or float32))
    return _made(np.asarray(drawn), dtype, requires_grad)


def randn_like(x: Tensor) -> Tensor:
    return randn(x.shape, dtype=x.dtype)


def rand_like(x: Tensor) -> Tensor:
    return rand(x.shape, dtype=x.dtype)


def randint(low: int, high: int, size: Sequence[int]) -> Tensor:
    """Random integers from low to high - 1."""
    return Tensor(random.generator().integers(low, high, tuple(size)))


def randperm(n: int) -> Tensor:
    """0 to n - 1 in random order."""
    return Tensor(random.generator().permutation(n))
