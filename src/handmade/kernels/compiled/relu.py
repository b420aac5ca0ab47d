"""The rectifier in several threads: memory decides its speed, so the gradient is one pass and makes no mask."""

from __future__ import annotations

from typing import Any

import numpy as np

from handmade.kernels.choice import worth
from handmade.kernels.compiled.build import Address, Floats, address, kernel
from handmade.kernels.compiled.instructions import float32, floats_at, shift
from handmade.kernels.compiled.memory import flat, rows_in_memory

LEAST = 1 << 14
"""Numbers that repay the call of a kernel."""
PIECE = 1 << 14
"""Numbers of a piece."""


def relu(x: np.ndarray) -> Any:
    """See `kernels.relu.relu`."""
    if not worth(x.size, LEAST) or (numbers := flat(x)) is None:
        return NotImplemented
    y = np.empty_like(x)
    _relu(-(-x.size // PIECE), numbers, flat(y), x.size)
    return y


def relu_backward(g: np.ndarray, y: np.ndarray) -> Any:
    """See `kernels.relu.relu_backward`."""
    if not worth(g.size, LEAST) or not g.size or (values := flat(y)) is None:
        return NotImplemented
    if g.strides == y.strides:
        rows, columns, start, step = 1, g.size, g, 0
    elif (matrix := rows_in_memory(g)) is not None and np.argsort(g.strides).tolist() == np.argsort(y.strides).tolist():
        (rows, columns), start, step = matrix.shape, matrix, matrix.strides[0] // 4
    else:
        return NotImplemented
    gradient = np.empty_like(y)
    together = max(1, PIECE // columns)
    pieces = -(-g.size // PIECE) if rows == 1 else -(-rows // together)
    _relu_backward(pieces, address(start), values, flat(gradient), rows, columns, step, together)
    return gradient


@kernel
def _relu(piece: int, x: Floats, y: Floats, size: int) -> None:
    for i in range(piece * PIECE, min(size, (piece + 1) * PIECE)):
        y[i] = float32(0) if x[i] < 0 else x[i]


@kernel
def _relu_backward(
    piece: int, start: Address, y: Floats, gradient: Floats, rows: int, columns: int, step: int, together: int
) -> None:
    """A part of a single row, or several rows; those of g lie `step` numbers apart."""
    g = floats_at(start)
    if rows == 1:
        for i in range(piece * PIECE, min(columns, (piece + 1) * PIECE)):
            gradient[i] = float32(0) if y[i] <= 0 else g[i]
    for r in range(piece * together, min(rows, (piece + 1) * together) if rows > 1 else 0):
        a, b, out = shift(g, r * step), shift(y, r * columns), shift(gradient, r * columns)
        for c in range(columns):
            out[c] = float32(0) if b[c] <= 0 else a[c]
