"""Functions that create tensors from data, constants or random numbers, under PyTorch's names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from handmade.engine import random
from handmade.engine.devices import check_device, on_the_cpu
from handmade.engine.dtypes import as_dtype, float32, int64
from handmade.engine.kinds import numbers as sizes
from handmade.engine.tensor import Tensor, tensor_of


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """A tensor with a copy of `data`: an array (which keeps its float type), numbers, nested lists of numbers.

    Python floats become float32, integers of any width int64.
    """
    check_device(device)
    made = Tensor(data, dtype)
    if np.may_share_memory(made.array, data.array if isinstance(data, Tensor) else np.asarray(data)):
        made.array = made.array.copy("K")
    return made.requires_grad_() if requires_grad else made


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """A tensor around `data`, which is copied only where its dtype changes."""
    check_device(device)
    return tensor_of(data) if dtype is None else tensor_of(data).to(dtype)


def from_numpy(array: np.ndarray) -> Tensor:
    """A tensor that shares memory with an array of a supported dtype."""
    return Tensor(array)


@on_the_cpu
def empty(*size: Any, dtype: Any = None) -> Tensor:
    """Uninitialised: the values are whatever the memory held."""
    return Tensor(np.empty(sizes(size), as_dtype(dtype or float32)))


@on_the_cpu
def zeros(*size: Any, dtype: Any = None) -> Tensor:
    return Tensor(np.zeros(sizes(size), as_dtype(dtype or float32)))


@on_the_cpu
def ones(*size: Any, dtype: Any = None) -> Tensor:
    return Tensor(np.ones(sizes(size), as_dtype(dtype or float32)))


@on_the_cpu
def full(size: Sequence[int], fill_value: Any, dtype: Any = None) -> Tensor:
    """Filled with `fill_value`, whose type is used unless `dtype` is given."""
    value = Tensor(fill_value, dtype).array
    return Tensor(np.full(sizes((size,)), value))


@on_the_cpu
def eye(n: int, m: int | None = None, dtype: Any = None) -> Tensor:
    """Ones on the diagonal of an (n, m) matrix, zeros elsewhere."""
    if min(n, n if m is None else m) < 0:
        raise ValueError(f"eye: sizes are {n} and {m}, expected 0 or more")
    return Tensor(np.eye(n, m, dtype=as_dtype(dtype or float32)))


@on_the_cpu
def arange(start: Any, end: Any = None, step: Any = 1, dtype: Any = None) -> Tensor:
    """start, start + step, ... up to but not including end; int64 unless a float is given."""
    start, end = (0, start) if end is None else (start, end)
    start, end, step = (x.item() if isinstance(x, Tensor | np.generic) else x for x in (start, end, step))
    if not all(math.isfinite(x) for x in (start, end)) or step == 0 or (end - start) * step < 0:
        raise ValueError(f"arange: {start} to {end} by {step}: expected finite ends, and a step between them")
    if dtype is None:
        dtype = float32 if any(isinstance(x, float) for x in (start, end, step)) else int64
    return Tensor(np.arange(start, end, step), dtype)


@on_the_cpu
def linspace(start: Any, end: Any, steps: int, dtype: Any = None) -> Tensor:
    """`steps` numbers from start to end, both included."""
    start, end, steps = _one_number("start", start), _one_number("end", end), _one_number("steps", steps)
    if not isinstance(steps, int) or steps < 0:
        raise ValueError(f"linspace: steps is {steps}, expected an integer, 0 or more")
    return Tensor(np.linspace(start, end, steps), dtype or float32)


def _one_number(name: str, x: Any) -> Any:
    if np.ndim(x):
        raise ValueError(f"linspace: {name} has shape {np.shape(x)}, expected one number")
    return x.item() if isinstance(x, Tensor | np.generic) else x


@on_the_cpu
def empty_like(input: Tensor, dtype: Any = None) -> Tensor:
    return Tensor(np.empty_like(input.array, as_dtype(dtype or input.dtype)))


@on_the_cpu
def zeros_like(input: Tensor, dtype: Any = None) -> Tensor:
    return Tensor(np.zeros_like(input.array, as_dtype(dtype or input.dtype)))


@on_the_cpu
def ones_like(input: Tensor, dtype: Any = None) -> Tensor:
    return Tensor(np.ones_like(input.array, as_dtype(dtype or input.dtype)))


@on_the_cpu
def full_like(input: Tensor, fill_value: Any, dtype: Any = None) -> Tensor:
    return Tensor(np.full_like(input.array, fill_value, as_dtype(dtype or input.dtype)))


@on_the_cpu
def randn(*size: Any, dtype: Any = None, generator: random.Generator | None = None) -> Tensor:
    """Standard normal numbers."""
    drawn = random.generator(generator).standard_normal(sizes(size), as_dtype(dtype or float32))
    return Tensor(np.asarray(drawn), dtype or float32)


@on_the_cpu
def rand(*size: Any, dtype: Any = None, generator: random.Generator | None = None) -> Tensor:
    """Uniform numbers in [0, 1)."""
    drawn = random.generator(generator).random(sizes(size), as_dtype(dtype or float32))
    return Tensor(np.asarray(drawn), dtype or float32)


@on_the_cpu
def normal(mean: Any, std: Any = 1.0, size: Any = None, generator: random.Generator | None = None) -> Tensor:
    """Normal numbers with this mean and standard deviation: numbers, or tensors that broadcast."""
    shape = np.broadcast_shapes(np.shape(mean), np.shape(std)) if size is None else sizes((size,))
    drawn = random.generator(generator).normal(np.asarray(mean), np.asarray(std), shape)
    floats = [x.dtype for x in (mean, std) if isinstance(x, Tensor) and x.is_floating_point()]
    return Tensor(np.asarray(drawn), floats[0] if floats else float32)


@on_the_cpu
def randn_like(input: Tensor, dtype: Any = None) -> Tensor:
    return randn(input.shape, dtype=dtype or input.dtype)


@on_the_cpu
def rand_like(input: Tensor, dtype: Any = None) -> Tensor:
    return rand(input.shape, dtype=dtype or input.dtype)


@on_the_cpu
def randint(low: int, high: Any = None, size: Any = None, dtype: Any = None, generator: Any = None) -> Tensor:
    """Random integers from low to high - 1; a single number is high, and low is then 0."""
    if size is None:  # randint(high, size)
        low, high, size = 0, low, high
    elif high is None:  # randint(high, size=size)
        low, high = 0, low
    if size is None or not low < high:
        raise ValueError(f"randint: from {low} below {high} with size {size}; expected low < high and a size")
    return Tensor(random.generator(generator).integers(low, high, sizes((size,))), dtype or int64)


@on_the_cpu
def randperm(n: int, dtype: Any = None, generator: random.Generator | None = None) -> Tensor:
    """The integers from 0 to n - 1 in random order."""
    return Tensor(random.generator(generator).permutation(n), dtype or int64)


@on_the_cpu
def tril_indices(row: int, col: int, offset: int = 0, dtype: Any = None) -> Tensor:
    """The indices of a matrix's lower triangle: row numbers and column numbers."""
    return Tensor(np.stack(np.tril_indices(row, offset, col)), dtype or int64)


@on_the_cpu
def triu_indices(row: int, col: int, offset: int = 0, dtype: Any = None) -> Tensor:
    """The indices of a matrix's upper triangle: row numbers and column numbers."""
    return Tensor(np.stack(np.triu_indices(row, offset, col)), dtype or int64)
