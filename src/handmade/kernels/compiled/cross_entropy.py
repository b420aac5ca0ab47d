"""Softmax-cross-entropy in one pass each way; see `kernels/cross_entropy.py`."""

from __future__ import annotations

from typing import Any

import numpy as np

from handmade.kernels.choice import worth
from handmade.kernels.compiled.attention import largest_of
from handmade.kernels.compiled.build import Floats, kernel
from handmade.kernels.compiled.exponentials import exp
from handmade.kernels.compiled.instructions import address_of, float32, shift

Array = np.ndarray
LEAST = 1 << 12
"""Logits that repay the call of a kernel."""
PIECE = 1 << 14
"""Logits of a piece, about."""


def row_sums(rows: Array, uniform: Array | None) -> Any:
    """See `kernels.cross_entropy.row_sums`."""
    if not worth(rows.size, LEAST) or not rows.size:
        return NotImplemented
    sums = np.empty((3, len(rows)), np.float32)
    step = max(1, PIECE // rows.shape[1])
    _row_sums(-(-len(rows) // step), rows, uniform, sums, *rows.shape, step, scratch=16)
    return sums


def row_gradients(rows: Array, largest: Array, factor: Array, uniform: Array | None, share: Array) -> Any:
    """See `kernels.cross_entropy.row_gradients`."""
    if not worth(rows.size, LEAST) or not rows.size:
        return NotImplemented
    gradient = np.empty(rows.shape, np.float32)
    step = max(1, PIECE // rows.shape[1])
    _row_gradients(-(-len(rows) // step), rows, largest, factor, uniform, share, gradient, *rows.shape, step)
    return gradient


@kernel
def _row_sums(
    piece: int, scratch: Floats, rows: Floats, uniform: Floats, sums: Floats, count: int, classes: int, step: int
) -> None:
    for r in range(piece * step, min(count, (piece + 1) * step)):
        x = shift(rows, r * classes)
        largest = largest_of(x, classes, scratch)
        total, level = float32(0), float32(0)
        for c in range(classes):
            d = x[c] - largest
            total += float32(0) if d < float32(-87) else exp(d)
        if address_of(uniform):
            for c in range(classes):
                level += (x[c] - largest) * uniform[c]
        sums[r], sums[count + r], sums[2 * count + r] = largest, total, level


@kernel
def _row_gradients(
    piece: int, rows: Floats, largest: Floats, factor: Floats, uniform: Floats, share: Floats, gradient: Floats,
    count: int, classes: int, step: int,
) -> None:  # fmt: skip
    for r in range(piece * step, min(count, (piece + 1) * step)):
        x, y, m, f = shift(rows, r * classes), shift(gradient, r * classes), largest[r], factor[r]
        for c in range(classes):
            d = x[c] - m
            y[c] = f * (float32(0) if d < float32(-87) else exp(d))
        if address_of(uniform):
            s = share[r]
            for c in range(classes):
                y[c] -= s * uniform[c]
