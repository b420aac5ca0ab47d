"""The kinds of operation that methods run, and what their arguments mean: axes, sizes, dtypes."""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self, TypeVar

import numpy as np

from handmade import ops
from handmade.engine.dtypes import as_dtype
from handmade.ops.op import Operation

Dims = int | Sequence[int] | None
F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


NUMPYS = {"axis": "dim", "keepdims": "keepdim"}
"""NumPy's names of arguments, which PyTorch takes as well."""


def also_numpys_names(function: F) -> F:
    """A function of `dim` that may be called with `axis`, and with `keepdims`."""

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        if not options:  # as most calls
            return function(*args)
        for theirs, own in NUMPYS.items():
            if theirs in options:
                if own in options:
                    raise TypeError(f"{function.__name__}: {own} and {theirs} are one argument; pass one of them")
                options[own] = options.pop(theirs)
        return function(*args, **options)

    return call  # pyright: ignore[reportReturnType]


def numpys_names(cls: type[T]) -> type[T]:
    """`also_numpys_names` for all methods of a class that have an argument `dim`."""
    for name, method in list(vars(cls).items()):
        if inspect.isfunction(method) and not name.startswith("_") and "dim" in inspect.signature(method).parameters:
            setattr(cls, name, also_numpys_names(method))
    return cls


class Kinds:
    """Base of all methods. Tensor defines `_apply` (run and record), `_combine` (two operands, either of which may be a
    number), `_compute` (no gradient)."""

    __slots__ = ()
    array: np.ndarray
    shape: tuple[int, ...]
    ndim: int
    _apply: Callable[..., Self]
    _combine: Callable[..., Self]
    _compute: Callable[..., Self]

    def _apply_float(self, operation: Operation, **options: Any) -> Self:
        if self.array.dtype.kind != "f":
            raise TypeError(
                f"{operation.__name__}: the tensor is {self.array.dtype}, expected floats; convert with .float()"
            )
        return self._apply(operation, **options)

    def _smooth(self, operation: Operation, **options: Any) -> Self:
        """Apply a function whose values are not integers: integer tensors give float32."""
        return self._as_float()._apply(operation, **options)

    def _as_float(self) -> Any:
        return self if self.array.dtype.kind == "f" else self._apply(ops.cast, dtype=np.dtype(np.float32))

    def _cast(self, dtype: Any) -> Self:
        """In another dtype; itself for its own, and for None."""
        dtype = self.array.dtype if dtype is None else as_dtype(dtype)
        return self if dtype == self.array.dtype else self._apply(ops.cast, dtype=dtype)

    def _around(self, array: np.ndarray) -> Self:
        """A tensor around an array that has been computed already."""
        return self._compute(lambda own: array)

    def _along(self, function: Callable[[Any, int], Any], dim: int) -> Any:
        """`function` of the tensor and an axis; a tensor without axes counts as one axis of size 1, as in PyTorch."""
        dim = self._dim(dim)
        return function(self, dim) if self.ndim else function(self._apply(ops.reshape, shape=(1,)), dim).reshape(())

    def _at(self, dim: int, index: Any) -> tuple[Any, ...]:
        """The index that is `index` along one axis and takes everything along the others."""
        return (slice(None),) * self._dim(dim) + (index,)

    # --- arguments ----------------------------------------------------------------------------------------------

    def _dim(self, dim: int) -> int:
        if isinstance(dim, bool):
            raise TypeError(f"dim is {dim}, expected the number of an axis; pass keepdim={dim} by name")
        dim = operator.index(dim)  # any integer, even a tensor with one element
        if self.ndim == 0 and dim in (-1, 0):
            return 0  # a tensor without axes counts as one axis of size 1, as in PyTorch
        if not -self.ndim <= dim < self.ndim:
            raise IndexError(f"dim is {dim}; a tensor of shape {self.shape} has axes {-self.ndim} to {self.ndim - 1}")
        return dim % self.ndim

    def _dims(self, dim: Dims) -> tuple[int, ...]:
        """Axes as a tuple of non-negative numbers; None means all axes."""
        if dim is None:
            return tuple(range(self.ndim))
        found = tuple(self._dim(axis) for axis in (dim if isinstance(dim, Sequence) else (dim,)))
        if len(set(found)) < len(found):
            raise ValueError(f"dim is {dim}: an axis of a tensor of shape {self.shape} occurs twice")
        return found if self.ndim else ()


def numbers(arguments: tuple[Any, ...]) -> tuple[int, ...]:
    """x.reshape(2, 3) and x.reshape((2, 3)) mean the same. TypeError unless they are integers."""
    if len(arguments) == 1 and isinstance(arguments[0], Iterable):
        arguments = tuple(arguments[0])
    try:
        return tuple(operator.index(n) for n in arguments)
    except TypeError:
        raise TypeError(f"sizes are {arguments}, expected whole numbers") from None
