"""Whole sequences of the gated recurrent unit with the reset after the product; see `kernels/gru.py`."""

from __future__ import annotations

from typing import Any

import numpy as np

from handmade.kernels.compiled.build import Floats, Ints, kernel
from handmade.kernels.compiled.exponentials import logistic, tanh
from handmade.kernels.compiled.instructions import address_of, float32, ints_at, shift
from handmade.kernels.compiled.recurrent import (
    Array,
    is_worth,
    like,
    pack_weight,
    room_behind,
    rows_product,
    running,
    scratch_size,
    sequences,
    tracks,
)


def gru_forward(
    products: Array, h: Array, weight_hh: Array, bias_hh: Array | None, lengths: Array, reverse: bool
) -> Any:
    """See `kernels.gru.gru_forward`."""
    steps, batch, size = len(products), *h.shape
    if not is_worth(products, h, weight_hh):
        return NotImplemented
    (states,) = tracks(lengths, steps, reverse, h)
    touched, most = like(states[0], lengths), sequences(batch)
    bias = None if bias_hh is None else np.ascontiguousarray(bias_hh)
    _gru_forward(
        -(-batch // most), products, states[reverse], touched, bias, pack_weight(weight_hh), running(lengths, steps),
        steps, batch, size, most, reverse, scratch=scratch_size(most, 3 * size),
    )  # fmt: skip
    return states, products, touched


def gru_backward(
    g: Array, weight_hh: Array, lengths: Array, reverse: bool, before: Array, gates: Array, touched: Array
) -> Any:
    """See `kernels.gru.gru_backward`."""
    steps, batch, size = before.shape
    if not is_worth(gates, weight_hh, g, before, touched):
        return NotImplemented
    g, most = np.ascontiguousarray(g), sequences(batch)
    d, dh = like(gates, lengths), g[steps].copy()
    _gru_backward(
        -(-batch // most), g, before, gates, touched, d, dh, pack_weight(weight_hh, turned=True),
        running(lengths, steps), steps, batch, size, most, reverse, scratch=scratch_size(most, 3 * size),
    )  # fmt: skip
    return d, dh


@kernel
def _gru_forward(
    piece: int, scratch: Floats, products: Floats, h: Floats, touched: Floats, bias: Floats, packed: Floats,
    running: Ints, steps: int, batch: int, size: int, most: int, reverse: int,
) -> None:  # fmt: skip
    first, tables = piece * most, ints_at(address_of(scratch))
    hidden = room_behind(tables, most)
    for s in range(steps):
        t = steps - 1 - s if reverse else s
        rows = min(running[t] - first, most)
        if rows > 0:
            old, new = ((t + reverse) * batch + first) * size, ((t + 1 - reverse) * batch + first) * size
            rows_product(shift(h, old), size, rows, size, packed, 3 * size, hidden, 3 * size, tables, 0)
            for q in range(rows):
                a, p = shift(products, 3 * (t * batch + first + q) * size), shift(hidden, 3 * q * size)
                if address_of(bias):
                    for k in range(3 * size):
                        p[k] += bias[k]
                for k in range(2 * size):
                    a[k] = logistic(a[k] + p[k])
                place = (t * batch + first + q) * size
                reset, before, after = shift(touched, place), shift(h, old + q * size), shift(h, new + q * size)
                candidate, z, through = shift(a, 2 * size), shift(a, size), shift(p, 2 * size)
                for k in range(size):
                    reset[k] = through[k]
                for k in range(size):
                    through[k] *= a[k]
                for k in range(size):
                    candidate[k] = tanh(candidate[k] + through[k])
                for k in range(size):
                    through[k] = candidate[k] + z[k] * (before[k] - candidate[k])
                for k in range(size):
                    after[k] = through[k]


@kernel
def _gru_backward(
    piece: int, scratch: Floats, g: Floats, before: Floats, gates: Floats, touched: Floats, d: Floats, dh: Floats,
    packed: Floats, running: Ints, steps: int, batch: int, size: int, most: int, reverse: int,
) -> None:  # fmt: skip
    first, tables, one = piece * most, ints_at(address_of(scratch)), float32(1)
    hidden = room_behind(tables, most)
    for s in range(steps):
        t = s if reverse else steps - 1 - s
        rows = min(running[t] - first, most)
        if rows > 0:
            place = t * batch + first
            for q in range(rows):
                a, out = shift(gates, 3 * (place + q) * size), shift(d, 3 * (place + q) * size)
                from_above, old = shift(g, (place + q) * size), shift(before, (place + q) * size)
                reset, through = shift(touched, (place + q) * size), shift(hidden, 3 * q * size)
                into_h = shift(dh, (first + q) * size)
                for k in range(size):
                    into_h[k] += from_above[k]
                for k in range(size):
                    z, n = a[size + k], a[2 * size + k]
                    out[2 * size + k] = into_h[k] * (one - z) * (one - n * n)
                for k in range(size):
                    through[2 * size + k] = out[2 * size + k] * a[k]
                for k in range(size):
                    through[k] = through[2 * size + k] * (one - a[k]) * reset[k]
                for k in range(size):
                    z = a[size + k]
                    through[size + k] = z * (one - z) * into_h[k] * (old[k] - a[2 * size + k])
                for k in range(2 * size):
                    out[k] = through[k]
                for k in range(size):
                    into_h[k] *= a[size + k]
            rows_product(hidden, 3 * size, rows, 3 * size, packed, size, shift(dh, first * size), size, tables, 1)
