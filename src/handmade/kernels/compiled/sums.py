"""Sums in several threads; see `kernels/sums.py`."""

from __future__ import annotations

from typing import Any

import numpy as np

from handmade.kernels.choice import worth
from handmade.kernels.compiled.build import Floats, kernel
from handmade.kernels.compiled.instructions import float32, shift
from handmade.kernels.compiled.memory import flat

LEAST = 1 << 14
"""Numbers that repay the call of a kernel."""
PIECE = 1 << 14
"""Numbers of a piece, about."""
GROUP = 8
"""Rows that are added up on their own: what a total gains is then never much smaller than the total."""


def total(x: np.ndarray, axes: int | tuple[int, ...], keepdims: bool = False) -> Any:
    """See `kernels.sums.total`: the sum over the rows of a matrix, such as a bias's gradient."""
    if axes not in (0, (0,)) or x.ndim != 2 or not worth(x.size, LEAST) or not x.size or not x.flags.c_contiguous:
        return NotImplemented
    rows, columns = x.shape
    step = max(GROUP, min(PIECE // columns, 16 * GROUP) // GROUP * GROUP)
    sums = np.empty((-(-rows // step), columns), np.float32)
    _sum_rows(len(sums), x, sums, rows, columns, step)
    return sums.sum(0, np.float64, keepdims=keepdims).astype(np.float32)


def add(x: np.ndarray, y: Any) -> Any:
    """See `kernels.sums.add`: two arrays of the same order in memory."""
    if not _alike(x, y) or not worth(x.size, LEAST) or (numbers := flat(x)) is None:
        return NotImplemented
    value = np.empty_like(x)
    _add(-(-x.size // PIECE), numbers, flat(y), flat(value), x.size)
    return value


def add_(x: np.ndarray, y: np.ndarray) -> Any:
    """See `kernels.sums.add_`."""
    if not _alike(x, y) or not worth(x.size, LEAST) or (numbers := flat(x)) is None or np.may_share_memory(x, y):
        return NotImplemented
    _add_to(-(-x.size // PIECE), numbers, flat(y), x.size)
    return None


def _alike(x: np.ndarray, y: Any) -> bool:
    alike = isinstance(y, np.ndarray) and x.shape == y.shape and x.strides == y.strides and x.dtype == y.dtype
    return alike and x.size > 0


@kernel
def _add(piece: int, x: Floats, y: Floats, value: Floats, size: int) -> None:
    for i in range(piece * PIECE, min(size, (piece + 1) * PIECE)):
        value[i] = x[i] + y[i]


@kernel
def _add_to(piece: int, x: Floats, y: Floats, size: int) -> None:
    for i in range(piece * PIECE, min(size, (piece + 1) * PIECE)):
        x[i] += y[i]


@kernel
def _sum_rows(piece: int, x: Floats, sums: Floats, rows: int, columns: int, step: int) -> None:
    start, end = piece * step, min(rows, (piece + 1) * step)
    total = shift(sums, piece * columns)
    for c in range(columns):
        total[c] = float32(0)
    whole = start + (end - start) // GROUP * GROUP
    for r in range(start, whole, GROUP):
        a, b = shift(x, r * columns), shift(x, (r + 4) * columns)
        for c in range(columns):
            first = (a[c] + a[columns + c]) + (a[2 * columns + c] + a[3 * columns + c])
            second = (b[c] + b[columns + c]) + (b[2 * columns + c] + b[3 * columns + c])
            total[c] += first + second
    for r in range(whole, end):
        for c in range(columns):
            total[c] += x[r * columns + c]
