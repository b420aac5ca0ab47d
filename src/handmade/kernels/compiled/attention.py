"""The softmax of attention, a row at a time while it is in the cache; see `kernels/attention.py`."""

from __future__ import annotations

from typing import Any

import numpy as np

from handmade.kernels.choice import worth
from handmade.kernels.compiled.build import Bytes, Floats, Ints, kernel
from handmade.kernels.compiled.exponentials import exp
from handmade.kernels.compiled.instructions import address_of, float32, shift

LEAST = 1 << 12
"""Scores that repay the call of a kernel."""
PIECE = 1 << 14
"""Scores of a piece, about."""


def softmax_(weights: np.ndarray, mask: np.ndarray | None) -> Any:
    """See `kernels.attention.softmax_`."""
    if not worth(weights.size, LEAST) or not weights.size or not weights.flags.c_contiguous:
        return NotImplemented
    masked, starts, row, column = mask is not None, None, 0, 0
    if mask is not None and mask.dtype != bool:
        weights += mask
        mask = None
    if mask is not None:
        mask = np.ascontiguousarray(mask).reshape((1,) * (weights.ndim - mask.ndim) + mask.shape)
        steps = [0 if size == 1 else stride for size, stride in zip(mask.shape, mask.strides, strict=True)]
        *leading, row, column = steps
        places = np.ix_(*(np.arange(size) * step for size, step in zip(weights.shape[:-2], leading, strict=True)))
        starts = np.ascontiguousarray(sum(places, np.zeros((1,) * len(leading), np.int64)))
    queries, keys = weights.shape[-2:]
    rows = weights.size // keys
    step = max(1, PIECE // keys)
    _softmax(-(-rows // step), weights, mask, starts, rows, queries, keys, step, row, column, masked)
    return None


def softmax_backward_(g: np.ndarray, weights: np.ndarray, scale: float) -> Any:
    """See `kernels.attention.softmax_backward_`."""
    if not worth(g.size, LEAST) or not g.size or not g.flags.c_contiguous or not weights.flags.c_contiguous:
        return NotImplemented
    keys = g.shape[-1]
    rows, step = g.size // keys, max(1, PIECE // keys)
    _softmax_backward(-(-rows // step), g, weights, rows, keys, step, scale)
    return None


@kernel
def _softmax(
    piece: int, weights: Floats, mask: Bytes, starts: Ints, rows: int, queries: int, keys: int, step: int,
    mask_row: int, mask_column: int, masked: int,
) -> None:  # fmt: skip
    nothing = float32(-np.inf)
    for r in range(piece * step, min(rows, (piece + 1) * step)):
        w = shift(weights, r * keys)
        if address_of(mask):
            seen = shift(mask, starts[r // queries] + r % queries * mask_row)
            if mask_column:
                for k in range(keys):
                    w[k] = w[k] if seen[k] else nothing
            elif not seen[0]:
                for k in range(keys):
                    w[k] = nothing
        largest = w[0]
        for k in range(1, keys):
            largest = max(largest, w[k])
        if masked and largest == nothing:
            for k in range(keys):
                w[k] = 0.0
            continue
        for k in range(keys):
            d = w[k] - largest
            w[k] = float32(0) if d < float32(-87) else exp(d)
        total = float32(0)
        for k in range(keys):
            total += w[k]
        factor = float32(1) / total
        for k in range(keys):
            w[k] *= factor


@kernel
def _softmax_backward(piece: int, g: Floats, weights: Floats, rows: int, keys: int, step: int, scale: float) -> None:
    for r in range(piece * step, min(rows, (piece + 1) * step)):
        b, w = shift(g, r * keys), shift(weights, r * keys)
        product = float32(0)
        for k in range(keys):
            product += b[k] * w[k]
        for k in range(keys):
            b[k] = (b[k] - product) * w[k] * scale
