"""The gates of a recurrent step, all in one pass; see `kernels/recurrent.py`."""

from __future__ import annotations

from typing import Any

import numpy as np

from handmade.kernels.choice import worth
from handmade.kernels.compiled.build import Floats, kernel
from handmade.kernels.compiled.exponentials import logistic, tanh
from handmade.kernels.compiled.instructions import float32, shift

Array = np.ndarray
LEAST = 1 << 10
"""Numbers that repay the call of a kernel."""
PIECE = 1 << 12
"""States of a piece, about."""


def lstm_step(
    gates: Array, hidden: Array, old: Array, new: Array, squashed: Array, h: Array, peephole: Array | None
) -> Any:
    """See `kernels.recurrent.lstm_step`."""
    if peephole is not None or not worth(gates.size, LEAST):
        return NotImplemented
    batch, size = old.shape
    step = max(1, PIECE // size)
    _lstm_step(-(-batch // step), gates, hidden, old, new, squashed, h, batch, size, step)
    return None


def lstm_step_backward(
    d: Array, gates: Array, old: Array, squashed: Array, dh: Array, dc: Array, peephole: Array | None
) -> Any:
    """See `kernels.recurrent.lstm_step_backward`."""
    if peephole is not None or not worth(gates.size, LEAST):
        return NotImplemented
    batch, size = old.shape
    step = max(1, PIECE // size)
    _lstm_step_backward(-(-batch // step), d, gates, old, squashed, dh, dc, batch, size, step)
    return None


@kernel
def _lstm_step(
    piece: int, gates: Floats, hidden: Floats, old: Floats, new: Floats, squashed: Floats, h: Floats,
    batch: int, size: int, step: int,
) -> None:  # fmt: skip
    for b in range(piece * step, min(batch, (piece + 1) * step)):
        a, p = shift(gates, 4 * b * size), shift(hidden, 4 * b * size)
        for k in range(size):
            i, f = logistic(a[k] + p[k]), logistic(a[size + k] + p[size + k])
            g, o = tanh(a[2 * size + k] + p[2 * size + k]), logistic(a[3 * size + k] + p[3 * size + k])
            a[k], a[size + k], a[2 * size + k], a[3 * size + k] = i, f, g, o
            c = f * old[b * size + k] + i * g
            new[b * size + k] = c
            y = tanh(c)
            squashed[b * size + k] = y
            h[b * size + k] = o * y


@kernel
def _lstm_step_backward(
    piece: int, d: Floats, gates: Floats, old: Floats, squashed: Floats, dh: Floats, dc: Floats,
    batch: int, size: int, step: int,
) -> None:  # fmt: skip
    one = float32(1)
    for b in range(piece * step, min(batch, (piece + 1) * step)):
        a, out = shift(gates, 4 * b * size), shift(d, 4 * b * size)
        for k in range(size):
            i, f, g, o = a[k], a[size + k], a[2 * size + k], a[3 * size + k]
            y, into_h = squashed[b * size + k], dh[b * size + k]
            c = dc[b * size + k] + (one - y * y) * o * into_h
            out[k] = i * (one - i) * g * c
            out[size + k] = f * (one - f) * old[b * size + k] * c
            out[2 * size + k] = (one - g * g) * i * c
            out[3 * size + k] = o * (one - o) * y * into_h
            dc[b * size + k] = c * f
