"""Methods without a gradient: comparisons, logic, indices of the largest elements, tests of all elements."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from handmade.engine.kinds import Dims, Kinds, numpys_names


@numpys_names
class Comparing(Kinds):
    """Their results are booleans and integers."""

    __slots__ = ()

    def eq(self, other: Any) -> Self:
        return self._compute(np.equal, other)

    def ne(self, other: Any) -> Self:
        return self._compute(np.not_equal, other)

    def lt(self, other: Any) -> Self:
        return self._compute(np.less, other)

    def le(self, other: Any) -> Self:
        return self._compute(np.less_equal, other)

    def gt(self, other: Any) -> Self:
        return self._compute(np.greater, other)

    def ge(self, other: Any) -> Self:
        return self._compute(np.greater_equal, other)

    def bitwise_and(self, other: Any) -> Self:
        return self._compute(np.bitwise_and, other)

    def bitwise_or(self, other: Any) -> Self:
        return self._compute(np.bitwise_or, other)

    def bitwise_xor(self, other: Any) -> Self:
        return self._compute(np.bitwise_xor, other)

    def bitwise_not(self) -> Self:
        return self._compute(np.invert)

    def floor_divide(self, other: Any) -> Self:
        """floor(x / y); for integers, an integer."""
        return self._compute(_floor_divide, other)

    def __eq__(self, other: object) -> Self:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self.eq(other)

    def __ne__(self, other: object) -> Self:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self.ne(other)

    less, less_equal, greater, greater_equal, not_equal = lt, le, gt, ge, ne
    __lt__, __le__, __gt__, __ge__ = lt, le, gt, ge
    __and__, __or__, __xor__, __invert__ = bitwise_and, bitwise_or, bitwise_xor, bitwise_not
    __rand__, __ror__, __rxor__ = bitwise_and, bitwise_or, bitwise_xor
    __floordiv__ = floor_divide
    __hash__ = object.__hash__  # by identity, as in PyTorch

    def __rfloordiv__(self, other: Any) -> Self:
        return self._compute(lambda x, y: _floor_divide(y, x), other)

    def logical_and(self, other: Any) -> Self:
        return self._compute(np.logical_and, other)

    def logical_or(self, other: Any) -> Self:
        return self._compute(np.logical_or, other)

    def logical_xor(self, other: Any) -> Self:
        return self._compute(np.logical_xor, other)

    def logical_not(self) -> Self:
        return self._compute(np.logical_not)

    def isnan(self) -> Self:
        return self._compute(np.isnan)

    def isinf(self) -> Self:
        return self._compute(np.isinf)

    def isfinite(self) -> Self:
        return self._compute(np.isfinite)

    def isclose(self, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Self:
        """|x - other| <= atol + rtol |other|."""
        if min(rtol, atol) < 0:
            raise ValueError(f"isclose: rtol is {rtol} and atol {atol}; expected 0 or more")
        if isinstance(other, Kinds) and other.array.dtype != self.array.dtype:
            raise TypeError(f"isclose: the tensors are {self.array.dtype} and {other.array.dtype}; convert one of them")
        return self._compute(lambda x, y: np.isclose(x, y, rtol, atol, equal_nan), other)

    def allclose(self, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
        """Whether `isclose` holds for every element."""
        return bool(self.isclose(other, rtol, atol, equal_nan).array.all())

    def equal(self, other: Any) -> bool:
        """Whether the shapes and all elements are equal."""
        return bool(np.array_equal(self.array, np.asarray(other)))

    def count_nonzero(self, dim: Dims = None) -> Self:
        return self._compute(np.count_nonzero, axis=self._dims(dim))

    def nonzero(self, *, as_tuple: bool = False) -> Any:
        """The indices (N, axes) of the elements that are not 0; `as_tuple` gives a tensor of indices for each axis."""
        if not as_tuple:
            return self._compute(np.argwhere)
        return tuple(map(self._around, np.atleast_1d(self.array).nonzero()))

    def unique(
        self, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
    ) -> Any:
        """The different elements in order; with them, where each came from and how often it occurs, if asked for."""
        found = np.unique(self.array, False, return_inverse, return_counts, dim, equal_nan=False)
        return tuple(map(self._around, found)) if isinstance(found, tuple) else self._around(found)

    def any(self, dim: Dims = None, keepdim: bool = False) -> Self:
        return self._compute(np.any, axis=self._dims(dim), keepdims=keepdim)

    def all(self, dim: Dims = None, keepdim: bool = False) -> Self:
        return self._compute(np.all, axis=self._dims(dim), keepdims=keepdim)

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Self:
        """The index of the largest element (of equal ones, the first); without `dim`, in the flattened tensor."""
        return self._place(np.argmax, dim, keepdim)

    def argmin(self, dim: int | None = None, keepdim: bool = False) -> Self:
        """The index of the smallest element (of equal ones, the first); without `dim`, in the flattened tensor."""
        return self._place(np.argmin, dim, keepdim)

    def argsort(self, dim: int = -1, descending: bool = False, stable: bool = True) -> Self:
        """The indices that sort the elements; equal ones keep their order, so it is always `stable`."""
        return self._along(lambda x, dim: x._compute(_argsort, dim=dim, descending=descending), dim)

    def _place(self, function: Any, dim: int | None, keepdim: bool) -> Self:
        if dim is None or self.ndim == 0:
            return self._compute(function, axis=None, keepdims=keepdim)
        return self._compute(function, axis=self._dim(dim), keepdims=keepdim)


def _argsort(x: np.ndarray, dim: int, descending: bool) -> np.ndarray:
    if not descending:
        return np.argsort(x, dim, kind="stable")
    # Sorting the reversed array and reversing the result keeps the order of equal elements.
    last = x.shape[dim] - 1 if x.ndim else 0
    return np.flip(last - np.argsort(np.flip(x, dim), dim, kind="stable"), dim)


def _floor_divide(x: Any, y: Any) -> np.ndarray:
    if np.result_type(x, y).kind in "iu" and not np.all(y):
        raise ZeroDivisionError("floor_divide: division of an integer by 0")
    return np.floor_divide(x, y)
