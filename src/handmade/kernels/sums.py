"""Sums that stay accurate, whatever the axis.

NumPy adds in pairs along the axis that lies last in memory, and row to row along all others: a float32 total of a
million rows is off in its third digit, since each row is small beside what has been added up (Higham 1993, "The
accuracy of floating point summation": the error of n additions in a row grows with n, that of pairs with log n).
Here a long axis is cut into pieces, each is summed in float32, and the few sums that are left in float64.
"""

from typing import Any

import numpy as np

from handmade.kernels.choice import has_compiled_form

_PIECE = 16
"""Short enough for an error below torch's, long enough that what is left to add in float64 takes no time."""


@has_compiled_form
def add(x: Any, y: Any) -> np.ndarray:
    """x + y, of arrays and numbers."""
    return np.asarray(np.add(x, y))


@has_compiled_form
def add_(x: np.ndarray, y: np.ndarray) -> None:
    """Add y to x, in place."""
    x += y


@has_compiled_form
def total(x: np.ndarray, axes: int | tuple[int, ...], keepdims: bool = False) -> np.ndarray:
    """x.sum(axes, keepdims=keepdims), with an error that does not grow with the axes' lengths; always an array."""
    axes = (axes,) if isinstance(axes, int) else axes
    outer = [axis % x.ndim for axis in axes if x.shape[axis] > _PIECE and x.strides[axis] != x.itemsize]
    if not outer or x.dtype != np.float32:
        return np.asarray(x.sum(axes, keepdims=keepdims))
    longest = max(outer, key=lambda axis: x.shape[axis])
    return np.asarray(_pieces(x, longest).sum(axes, np.float64, keepdims=keepdims)).astype(x.dtype)


def _pieces(x: np.ndarray, axis: int) -> np.ndarray:
    """x with the sums of pieces of `axis` in place of its numbers."""
    rows = np.moveaxis(x, axis, 0)
    pieces, rest = divmod(len(rows), _PIECE)
    sums = rows[: pieces * _PIECE].reshape(pieces, _PIECE, *rows.shape[1:]).sum(1)
    if rest:
        sums = np.concatenate([sums, rows[pieces * _PIECE :].sum(0, keepdims=True)])
    return np.moveaxis(sums, 0, axis)
