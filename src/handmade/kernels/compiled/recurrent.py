"""Whole sequences of the recurrent layers; see `kernels/recurrent.py`.

The sequences of a batch know nothing of each other. So a piece of the work is some of them, through all their steps: a
product of their states with W_hh on the tile, then the gates in one pass while they are in the cache, and on to the
next step. No thread ever waits for another, which threads that share one step must do once for each step.

The tile finds W_hh in the order in which it reads it. It is packed once, and used in all steps.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from handmade.kernels.choice import worth
from handmade.kernels.compiled.build import Floats, Ints, inline, kernel
from handmade.kernels.compiled.convolution import pack
from handmade.kernels.compiled.exponentials import logistic, tanh
from handmade.kernels.compiled.instructions import address_of, float32, floats_at, ints_at, shift
from handmade.kernels.compiled.tile import COLUMNS, ROWS, tile, tile_columns, tile_rows
from handmade.kernels.recurrent import track
from handmade.kernels.threads import workspace

Array = np.ndarray
LEAST = 64
"""States (of all steps and sequences) that repay the packing of W_hh."""
SEQUENCES = 16
"""Sequences of a piece, at most: a panel of W_hh, once in the cache, serves all of them."""
DEPTH = 256
"""Terms of a sum that are added before the next panel's turn: its part of W_hh then fits the first cache."""


def lstm_forward(
    products: Array, h: Array, c: Array, weight_hh: Array, peephole: Array | None, lengths: Array, reverse: bool
) -> Any:
    """See `kernels.recurrent.lstm_forward`."""
    steps, batch, size = len(products), *h.shape
    if peephole is not None or not is_worth(products, h, c, weight_hh):
        return NotImplemented
    hs, cs = tracks(lengths, steps, reverse, h, c)
    squashed, packed, most = like(cs[0], lengths), pack_weight(weight_hh), sequences(batch)
    _lstm_forward(
        -(-batch // most), products, hs[reverse], cs[reverse], squashed, packed, running(lengths, steps),
        steps, batch, size, most, reverse, scratch=scratch_size(most, 4 * size),
    )  # fmt: skip
    return hs, cs, products, squashed


def lstm_backward(
    grad: Array, weight_hh: Array, peephole: Array | None, lengths: Array, reverse: bool,
    cs: tuple[Array, Array], gates: Array, squashed: Array,
) -> Any:  # fmt: skip
    """See `kernels.recurrent.lstm_backward`."""
    steps, batch, size = squashed.shape
    if peephole is not None or not is_worth(gates, weight_hh, grad, squashed):
        return NotImplemented
    grad = np.ascontiguousarray(grad)
    d, dh, dc = like(gates, lengths), grad[steps].copy(), grad[steps + 1].copy()
    most = sequences(batch)
    _lstm_backward(
        -(-batch // most), grad, gates, cs[reverse], squashed, d, dh, dc, pack_weight(weight_hh, turned=True),
        running(lengths, steps), steps, batch, size, most, reverse, scratch=scratch_size(most, 0),
    )  # fmt: skip
    return d, dh, dc


def rnn_forward(products: Array, h: Array, weight_hh: Array, lengths: Array, reverse: bool, nonlinearity: str) -> Any:
    """See `kernels.recurrent.rnn_forward`."""
    steps, batch, size = products.shape
    if not is_worth(products, h, weight_hh):
        return NotImplemented
    (states,) = tracks(lengths, steps, reverse, h)
    most = sequences(batch)
    _rnn_forward(
        -(-batch // most), products, states[reverse], pack_weight(weight_hh), running(lengths, steps),
        steps, batch, size, most, reverse, nonlinearity == "tanh", scratch=scratch_size(most, size),
    )  # fmt: skip
    return states


def rnn_backward(g: Array, weight_hh: Array, lengths: Array, reverse: bool, nonlinearity: str, after: Array) -> Any:
    """See `kernels.recurrent.rnn_backward`."""
    steps, batch, size = after.shape
    if not is_worth(after, weight_hh, g):
        return NotImplemented
    g, most = np.ascontiguousarray(g), sequences(batch)
    d, dh = like(after, lengths), g[steps].copy()
    _rnn_backward(
        -(-batch // most), g, after, d, dh, pack_weight(weight_hh, turned=True), running(lengths, steps),
        steps, batch, size, most, reverse, nonlinearity == "tanh", scratch=scratch_size(most, 0),
    )  # fmt: skip
    return d, dh


# --- what all of them need ----------------------------------------------------------------------------------


def is_worth(states: Array, *others: Array) -> bool:
    """Whether the sequences (T, B, G) are for the kernels: contiguous, of one dtype, and enough."""
    alike = all(array.dtype == states.dtype for array in others)
    return alike and states.size > 0 and states.flags.c_contiguous and worth(states.shape[0] * states.shape[1], LEAST)


def sequences(batch: int) -> int:
    """Sequences of a piece."""
    pieces = max(-(-batch // SEQUENCES), 2 if batch >= 2 * tile_rows() else 1)
    return -(-batch // pieces)


def scratch_size(most: int, gates: int) -> int:
    """Floats of working memory: two tables of rows, of 8 bytes each, and the gates' products."""
    return 4 * (most + tile_rows()) + most * gates


def running(lengths: Array, steps: int) -> Array:
    """The number of sequences that run at each step."""
    return (lengths > np.arange(steps)[:, None]).sum(axis=1, dtype=np.int64)


def like(gates: Array, lengths: Array) -> Array:
    """Room for the gradients of the gates (T, B, G), zero where there is padding."""
    return np.empty_like(gates) if lengths.min() == len(gates) else np.zeros_like(gates)


def tracks(lengths: Array, steps: int, reverse: bool, *initial: Array) -> list[tuple[Array, Array]]:
    """For each state what it is before and after each step, as `kernels.recurrent.track` makes them.

    Both are views of one array, and that one which begins first, at [reverse], tells a kernel where it lies.
    """
    return [track(state, lengths, steps, reverse) for state in initial]


def pack_weight(weight: Array, turned: bool = False) -> Array:
    """W_hh (G, H) in panels of the tile's columns: of h W^T, or turned of d W."""
    weight = np.ascontiguousarray(weight)
    depth, outputs = weight.shape if turned else weight.shape[::-1]
    panels = -(-outputs // tile_columns())
    packed = workspace(panels, depth, tile_columns())
    strides = (weight.shape[1], 1) if turned else (1, weight.shape[1])
    pack(panels, weight, packed, np.zeros(1, np.int64), 1, 1, depth, 0, *strides, 0, outputs, panels)
    return packed


@inline
def rows_product(a, a_step, rows, depth, packed, columns, c, c_step, tables, start):
    """c[r, n] = sum over d of a[r, d] packed[d, n] for r < rows, added to c where start is 1."""
    a_rows, c_rows = tables, shift(tables, rows + ROWS)
    for r in range(rows + ROWS):
        place = min(r, rows - 1)
        a_rows[r], c_rows[r] = 4 * place * a_step, 4 * place * c_step
    nowhere = address_of(a_rows)  # one tap, at the offset of the first row, which is 0
    for first in range(0, depth, DEPTH):
        for panel in range((columns + COLUMNS - 1) // COLUMNS):
            b = address_of(packed) + 4 * (panel * depth + first) * COLUMNS
            for r in range(0, rows, ROWS):
                tile(
                    address_of(a) + 4 * first, address_of(a_rows) + 8 * r, nowhere, 4, b, nowhere, 4 * COLUMNS,
                    1, min(DEPTH, depth - first), address_of(c) + 4 * panel * COLUMNS, address_of(c_rows) + 8 * r,
                    start if first == 0 else 1, columns - panel * COLUMNS,
                )  # fmt: skip


@inline
def room_behind(tables, rows):
    """The working memory behind the tables of `rows_product`."""
    return floats_at(address_of(tables) + 16 * (rows + ROWS))


# --- RNN ----------------------------------------------------------------------------------------------------


@kernel
def _rnn_forward(
    piece: int, scratch: Floats, products: Floats, h: Floats, packed: Floats, running: Ints,
    steps: int, batch: int, size: int, most: int, reverse: int, squashes: int,
) -> None:  # fmt: skip
    first, tables = piece * most, ints_at(address_of(scratch))
    hidden = room_behind(tables, most)
    for s in range(steps):
        t = steps - 1 - s if reverse else s
        rows = min(running[t] - first, most)
        if rows > 0:
            old, new = (
                shift(h, ((t + reverse) * batch + first) * size),
                shift(h, ((t + 1 - reverse) * batch + first) * size),
            )
            a = shift(products, (t * batch + first) * size)
            rows_product(old, size, rows, size, packed, size, hidden, size, tables, 0)
            for k in range(rows * size):
                x = a[k] + hidden[k]
                new[k] = tanh(x) if squashes else max(x, float32(0))


@kernel
def _rnn_backward(
    piece: int, scratch: Floats, g: Floats, after: Floats, d: Floats, dh: Floats, packed: Floats, running: Ints,
    steps: int, batch: int, size: int, most: int, reverse: int, squashes: int,
) -> None:  # fmt: skip
    first, tables = piece * most, ints_at(address_of(scratch))
    one, into_h = float32(1), shift(dh, first * size)
    for s in range(steps):
        t = s if reverse else steps - 1 - s
        rows = min(running[t] - first, most)
        if rows > 0:
            place = (t * batch + first) * size
            from_above, new, out = shift(g, place), shift(after, place), shift(d, place)
            for k in range(rows * size):
                y = new[k]
                slope = one - y * y if squashes else (one if y > 0 else float32(0))
                out[k] = slope * (into_h[k] + from_above[k])
            rows_product(out, size, rows, size, packed, size, into_h, size, tables, 0)


# --- LSTM ---------------------------------------------------------------------------------------------------


@kernel
def _lstm_forward(
    piece: int, scratch: Floats, products: Floats, h: Floats, c: Floats, squashed: Floats, packed: Floats,
    running: Ints, steps: int, batch: int, size: int, most: int, reverse: int,
) -> None:  # fmt: skip
    first, tables = piece * most, ints_at(address_of(scratch))
    hidden = room_behind(tables, most)
    for s in range(steps):
        t = steps - 1 - s if reverse else s
        rows = min(running[t] - first, most)
        if rows > 0:
            old, new = ((t + reverse) * batch + first) * size, ((t + 1 - reverse) * batch + first) * size
            rows_product(shift(h, old), size, rows, size, packed, 4 * size, hidden, 4 * size, tables, 0)
            for r in range(rows):
                place = t * batch + first + r
                a, p = shift(products, 4 * place * size), shift(hidden, 4 * r * size)
                for k in range(2 * size):  # one simple loop for each function: those the compiler turns into vectors
                    a[k] = logistic(a[k] + p[k])
                for k in range(2 * size, 3 * size):
                    a[k] = tanh(a[k] + p[k])
                for k in range(3 * size, 4 * size):
                    a[k] = logistic(a[k] + p[k])
                y, before = shift(squashed, place * size), shift(c, old + r * size)
                cell, state = shift(c, new + r * size), shift(h, new + r * size)
                for k in range(size):
                    x = a[size + k] * before[k] + a[k] * a[2 * size + k]
                    cell[k] = x
                    y[k] = tanh(x)
                for k in range(size):
                    state[k] = a[3 * size + k] * y[k]


@kernel
def _lstm_backward(
    piece: int, scratch: Floats, grad: Floats, gates: Floats, c: Floats, squashed: Floats, d: Floats, dh: Floats,
    dc: Floats, packed: Floats, running: Ints, steps: int, batch: int, size: int, most: int, reverse: int,
) -> None:  # fmt: skip
    first, tables, one = piece * most, ints_at(address_of(scratch)), float32(1)
    for s in range(steps):
        t = s if reverse else steps - 1 - s
        rows = min(running[t] - first, most)
        if rows > 0:
            place = t * batch + first
            for r in range(rows):
                a, out = shift(gates, 4 * (place + r) * size), shift(d, 4 * (place + r) * size)
                old, y = shift(c, ((t + reverse) * batch + first + r) * size), shift(squashed, (place + r) * size)
                from_above = shift(grad, (place + r) * size)
                into_h, into_c = shift(dh, (first + r) * size), shift(dc, (first + r) * size)
                for k in range(size):
                    into_h[k] += from_above[k]
                for k in range(size):
                    into_c[k] += (one - y[k] * y[k]) * a[3 * size + k] * into_h[k]
                for k in range(size):
                    out[k] = a[k] * (one - a[k]) * a[2 * size + k] * into_c[k]
                for k in range(size):
                    f = a[size + k]
                    out[size + k] = f * (one - f) * old[k] * into_c[k]
                for k in range(size):
                    g = a[2 * size + k]
                    out[2 * size + k] = (one - g * g) * a[k] * into_c[k]
                for k in range(size):
                    o = a[3 * size + k]
                    out[3 * size + k] = o * (one - o) * y[k] * into_h[k]
                for k in range(size):
                    into_c[k] *= a[size + k]
            rows_product(
                shift(d, 4 * place * size), 4 * size, rows, 4 * size, packed, size, shift(dh, first * size), size,
                tables, 0,
            )  # fmt: skip
