"""Attention without the matrix of all weights, a block of queries at a time; see `kernels/attention.py`.

The weights of some queries for all keys fit a core's cache, where those of all queries do not: a block's scores are
made, turned into weights and multiplied by the values while they are there, and the way back makes them once more
(Dao et al. 2022, "FlashAttention", whose blocks of keys as well are for processors with less memory at hand). A row of
weights is whole, so its softmax needs no second thoughts. Keys behind the last one that any query of a block may see
are left out of all products: under a causal mask almost half of them, which is where the time is won. Where all keys
are seen, NumPy's products of whole matrices are faster, and the plain form is left to do its work.

A piece of the work is a head, or some of its queries. All products are made on the tile, from blocks packed in panels.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from handmade.kernels.attention import Kept
from handmade.kernels.choice import worth
from handmade.kernels.compiled.build import Bytes, Floats, Ints, inline, kernel, subroutine
from handmade.kernels.compiled.dropout import factors
from handmade.kernels.compiled.exponentials import exp
from handmade.kernels.compiled.instructions import address_of, float32, ints_at, shift
from handmade.kernels.compiled.tile import COLUMNS, ROWS, tile, tile_columns, tile_rows
from handmade.kernels.compiled.transpose import LANES, transpose_block
from handmade.kernels.dropout import GROUP, Noise

Array = np.ndarray
BLOCK = 24
"""Queries of a block: whole tiles of 6 or 8 rows."""
PIECES = 8
"""Pieces that the heads are cut into at least, where they can be."""
LEAST = 128
"""Queries, and keys, that repay the packing in blocks: for 64 it wins a twentieth."""
LEAST_SCORES = 1 << 12
"""Scores that repay the call of one that makes the softmax alone."""
LANES_APART = 16
"""Added to even numbers of vectors in a row: rows a power of two apart share few lines of the cache."""
PIECE = 1 << 14
"""Scores of a piece of the softmax, about."""


def attention(query: Array, key: Array, value: Array, mask: Array | None, scale: float, dropout: Noise | None) -> Any:
    """See `kernels.attention.attention`."""
    if not _applies(query, key, value, mask):
        return NotImplemented
    *batch, queries, width = query.shape
    heads, keys, v_width = math.prod(batch), key.shape[-2], value.shape[-1]
    output = np.empty_like(query, shape=(*batch, queries, v_width))  # in the query's order: heads may lie inside rows
    limits = np.empty((2, *batch, queries, 1), np.float32)
    parts = max(1, min(-(-queries // BLOCK), -(-PIECES // heads)))
    arrays, sizes = (query, key, value, output), (heads, queries, keys, width, v_width)
    _attention(
        heads * parts, *map(_first, arrays), limits, *map(_starts, arrays), *_seen(mask, query),
        *sizes, *map(_step, arrays), parts, *_drawn(dropout), scale,
        scratch=_tables(keys) + _panels(keys) * width + keys * _panels(v_width) + (BLOCK + 2) * _row(keys),
    )  # fmt: skip
    return output, Kept(None, limits)


def attention_backward(
    g: Array, query: Array, key: Array, value: Array, mask: Array | None, scale: float, dropout: Noise | None,
    output: Array, kept: Kept,
) -> Any:  # fmt: skip
    """See `kernels.attention.attention_backward`."""
    if kept.limits is None or not _lie_in_rows(g, query, key, value, output):
        return NotImplemented
    *batch, queries, width = query.shape
    heads, keys, v_width = math.prod(batch), key.shape[-2], value.shape[-1]
    gradients = tuple(np.empty_like(array) for array in (query, key, value))
    arrays, sizes = (g, query, key, value, output, *gradients), (heads, queries, keys, width, v_width)
    packed = _panels(keys) * (width + v_width) + (keys + BLOCK) * _panels(width) + BLOCK * _panels(v_width)
    _attention_backward(
        heads, *map(_first, arrays), kept.limits, *map(_starts, arrays), *_seen(mask, query),
        *sizes, *map(_step, arrays), *_drawn(dropout), scale,
        scratch=_tables(keys) + packed + (2 * BLOCK + 2) * _row(keys),
    )  # fmt: skip
    return gradients


def softmax_(weights: Array, mask: Array | None) -> Any:
    """See `kernels.attention.softmax_`."""
    if not worth(weights.size, LEAST_SCORES) or not weights.size or not weights.flags.c_contiguous:
        return NotImplemented
    masked = mask is not None
    if mask is not None and mask.dtype != bool:
        weights += mask
        mask = None
    queries, keys = weights.shape[-2:]
    rows, step = weights.size // keys, max(1, PIECE // keys)
    _softmax(-(-rows // step), weights, *_seen(mask, weights), rows, queries, keys, step, masked, scratch=16)
    return None


def softmax_backward_(g: Array, weights: Array, scale: float) -> Any:
    """See `kernels.attention.softmax_backward_`."""
    if not worth(g.size, LEAST_SCORES) or not g.size or not g.flags.c_contiguous or not weights.flags.c_contiguous:
        return NotImplemented
    keys = g.shape[-1]
    rows, step = g.size // keys, max(1, PIECE // keys)
    _softmax_backward(-(-rows // step), g, weights, rows, keys, step, scale)
    return None


# --- where everything lies ------------------------------------------------------------------------------------


def _applies(query: Array, key: Array, value: Array, mask: Array | None) -> bool:
    """Whether blocks pay: for a mask that may hide different keys from different queries, and enough of both."""
    return (
        mask is not None
        and mask.dtype == bool
        and min(mask.shape[-2:], default=1) > 1
        and mask.ndim > 1
        and value.shape[-1] > 0
        and query.shape[:-2] == key.shape[:-2] == value.shape[:-2]
        and _lie_in_rows(query, key, value)
        and worth(min(query.size and query.shape[-2], key.shape[-2]), LEAST)
    )


def _lie_in_rows(*arrays: Array) -> bool:
    """Whether the numbers of each row lie side by side, and are float32."""
    return all(array.strides[-1] == array.itemsize and array.dtype == np.float32 for array in arrays)


def _first(x: Array) -> Array:
    """The first row: memory that begins where x does."""
    return x[(0,) * (x.ndim - 1)]


def _step(x: Array) -> int:
    """Numbers from a row to the next."""
    return x.strides[-2] // x.itemsize


def _starts(x: Array) -> Array:
    """Where each head begins, in numbers."""
    return _places(x.shape[:-2], tuple(stride // x.itemsize for stride in x.strides[:-2]))


def _seen(mask: Array | None, scores: Array) -> tuple[Array | None, Array | None, int, int]:
    """The mask, where it begins for each head, and the bytes to the next query and to the next key."""
    if mask is None:
        return None, None, 0, 0
    mask = np.ascontiguousarray(mask).reshape((1,) * (scores.ndim - mask.ndim) + mask.shape)
    *leading, row, column = (0 if size == 1 else stride for size, stride in zip(mask.shape, mask.strides, strict=True))
    return mask, _places(scores.shape[:-2], tuple(leading)), row, column


@functools.lru_cache(256)
def _places(sizes: tuple[int, ...], steps: tuple[int, ...]) -> Array:
    """The sum of index times step over the axes, for all indices."""
    places = np.zeros(sizes, np.int64)
    for axis, (size, step) in enumerate(zip(sizes, steps, strict=True)):
        places += (np.arange(size) * step).reshape(-1, *[1] * (len(sizes) - axis - 1))
    return places


def _drawn(dropout: Noise | None) -> tuple[int, int, int, int, float]:
    """Whether there is dropout, and what `factors` needs of it."""
    return (0, 0, 0, 0, 1.0) if dropout is None else (1, *dropout.key, dropout.threshold, dropout.scale)


def _panels(columns: int) -> int:
    """Columns, up to whole tiles."""
    return -(-columns // tile_columns()) * tile_columns()


def _row(keys: int) -> int:
    """Numbers from a query's scores to the next one's: whole groups of dropout, and no power of two."""
    return -(-keys // GROUP) * GROUP | LANES_APART


def _tables(keys: int) -> int:
    """Room for two tables of rows, of 8 bytes each, in floats."""
    return 4 * (max(keys, BLOCK) + tile_rows())


# --- what both ways share -------------------------------------------------------------------------------------


@subroutine
def pack_rows(source, step, rows, columns, target):
    """Rows as they lie, in panels of the tile's columns, zeros beside the last one."""
    for first in range(0, columns, COLUMNS):
        count = min(COLUMNS, columns - first)
        for r in range(rows):
            a, b = shift(source, r * step + first), shift(target, (first // COLUMNS * rows + r) * COLUMNS)
            if count == COLUMNS:
                for c in range(COLUMNS):
                    b[c] = a[c]
            else:
                for c in range(COLUMNS):
                    b[c] = a[c] if c < count else float32(0)


@subroutine
def pack_turned(source, step, rows, columns, target):
    """The rows as columns, in panels of the tile's columns, zeros beside the last one."""
    for first in range(0, rows, COLUMNS):
        count, panel = min(COLUMNS, rows - first), shift(target, first * columns)
        whole = columns // LANES * LANES if count == COLUMNS else 0
        for d in range(0, whole, LANES):
            for c in range(0, COLUMNS, LANES):
                transpose_block(shift(source, (first + c) * step + d), step, shift(panel, d * COLUMNS + c), COLUMNS)
        for d in range(whole, columns):
            for c in range(COLUMNS):
                panel[d * COLUMNS + c] = source[(first + c) * step + d] if c < count else float32(0)


@subroutine
def multiply(a, a_row, a_step, rows, depth, packed, most, columns, c, c_row, tables, start):
    """c[r, n] (+)= sum over d < depth of a[r, d] packed[d, n], whose panels have room for `most` d."""
    a_rows, c_rows = tables, shift(tables, rows + ROWS)
    for r in range(rows + ROWS):
        place = min(r, rows - 1)
        a_rows[r], c_rows[r] = 4 * place * a_row, 4 * place * c_row
    nowhere = address_of(a_rows)  # one tap, at the offset of the first row, which is 0
    for first in range(0, columns, COLUMNS):
        for r in range(0, rows, ROWS):
            tile(
                address_of(a), address_of(a_rows) + 8 * r, nowhere, 4 * a_step,
                address_of(packed) + 4 * first * most, nowhere, 4 * COLUMNS, 1, depth,
                address_of(c) + 4 * first, address_of(c_rows) + 8 * r, start, columns - first,
            )  # fmt: skip


@inline
def last_seen(mask, row, column, first, end, keys):
    """Keys up to the last one that any of the queries first to end may see."""
    if not address_of(mask) or not column:
        return keys
    last = 0
    for q in range(first, end):
        seen = shift(mask, q * row)
        later = 0
        for k in range(last, keys):
            later |= seen[k]
        if later:
            last = keys
            while not seen[last - 1]:
                last -= 1
    return last


@inline
def hide(w, mask, query, row, column, keys):
    """Scores that the query may not see become -inf."""
    if address_of(mask):
        seen, nothing = shift(mask, query * row), float32(-np.inf)
        if column:
            for k in range(keys):
                w[k] = w[k] if seen[k] else nothing
        elif not seen[0]:
            for k in range(keys):
                w[k] = nothing


@inline
def largest_of(w, keys, room):
    """The largest of some numbers: of every 16th first, which vectors do side by side."""
    if keys < 32:
        largest = w[0]
        for k in range(1, keys):
            largest = max(largest, w[k])
        return largest
    for i in range(16):
        room[i] = w[i]
    for k in range(16, keys - 15, 16):
        for i in range(16):
            room[i] = room[i] if room[i] > w[k + i] else w[k + i]
    largest = room[0]
    for i in range(1, 16):
        largest = max(largest, room[i])
    for k in range(keys // 16 * 16, keys):
        largest = max(largest, w[k])
    return largest


@subroutine
def row_factors(row, keys, seen, first_key, second_key, threshold, keep, target):
    """Dropout's factors of a row of weights."""
    groups = (keys + GROUP - 1) // GROUP
    for n in range((seen + GROUP - 1) // GROUP):
        factors(row * groups + n, first_key, second_key, threshold, keep, shift(target, n * GROUP))


@inline
def exponentials(w, largest, keys):
    """e^(w - largest), whose sum is returned."""
    for k in range(keys):
        d = w[k] - largest
        w[k] = float32(0) if d < float32(-87) else exp(d)
    total = float32(0)
    for k in range(keys):
        total += w[k]
    return total


# --- the way forward ------------------------------------------------------------------------------------------


@kernel
def _attention(
    piece: int, scratch: Floats, query: Floats, key: Floats, value: Floats, output: Floats, limits: Floats,
    q_starts: Ints, k_starts: Ints, v_starts: Ints, o_starts: Ints, mask: Bytes, mask_starts: Ints, mask_row: int,
    mask_column: int, heads: int, queries: int, keys: int, width: int, v_width: int, q_step: int, k_step: int,
    v_step: int, o_step: int, parts: int, drops: int, first_key: int, second_key: int, threshold: int, keep: float,
    scale: float,
) -> None:  # fmt: skip
    head, part = piece // parts, piece % parts
    q, o = shift(query, q_starts[head]), shift(output, o_starts[head])
    mask = shift(mask, mask_starts[head]) if address_of(mask) else mask
    row, blocks = ((keys + GROUP - 1) // GROUP * GROUP) | LANES_APART, (queries + BLOCK - 1) // BLOCK
    tables = ints_at(address_of(scratch))
    turned_keys = shift(scratch, 4 * (max(keys, BLOCK) + ROWS))
    values = shift(turned_keys, (keys + COLUMNS - 1) // COLUMNS * COLUMNS * width)
    kept = shift(values, (v_width + COLUMNS - 1) // COLUMNS * COLUMNS * keys)
    room = shift(kept, row)
    weights = shift(room, row)
    pack_turned(shift(key, k_starts[head]), k_step, keys, width, turned_keys)
    pack_rows(shift(value, v_starts[head]), v_step, keys, v_width, values)
    for block in range(blocks * part // parts, blocks * (part + 1) // parts):
        i0, i1 = block * BLOCK, min(queries, (block + 1) * BLOCK)
        seen = last_seen(mask, mask_row, mask_column, i0, i1, keys)
        if seen == 0:
            for i in range(i0, i1):
                limits[head * queries + i] = 0.0
                limits[(heads + head) * queries + i] = 1.0
                for d in range(v_width):
                    o[i * o_step + d] = 0.0
            continue
        multiply(
            shift(q, i0 * q_step), q_step, 1, i1 - i0, width, turned_keys, width, seen, weights, row, tables, 0
        )  # fmt: skip
        for i in range(i0, i1):
            w = shift(weights, (i - i0) * row)
            for k in range(seen):
                w[k] *= scale
            hide(w, mask, i, mask_row, mask_column, seen)
            largest = largest_of(w, seen, room)
            if largest == float32(-np.inf) and address_of(mask):
                largest = float32(0)
            total = exponentials(w, largest, seen)
            if total == float32(0):
                total = float32(1)
            limits[head * queries + i] = largest
            limits[(heads + head) * queries + i] = total
            factor = float32(1) / total
            for k in range(seen):
                w[k] *= factor
            if drops:
                row_factors(head * queries + i, keys, seen, first_key, second_key, threshold, keep, kept)
                for k in range(seen):
                    w[k] *= kept[k]
        multiply(weights, row, 1, i1 - i0, seen, values, keys, v_width, shift(o, i0 * o_step), o_step, tables, 0)


@kernel
def _softmax(
    piece: int, scratch: Floats, weights: Floats, mask: Bytes, starts: Ints, mask_row: int, mask_column: int,
    rows: int, queries: int, keys: int, step: int, masked: int,
) -> None:  # fmt: skip
    for r in range(piece * step, min(rows, (piece + 1) * step)):
        w = shift(weights, r * keys)
        if address_of(mask):
            hide(w, shift(mask, starts[r // queries]), r % queries, mask_row, mask_column, keys)
        largest = largest_of(w, keys, scratch)
        if masked and largest == float32(-np.inf):
            largest = float32(0)
        total = exponentials(w, largest, keys)
        if masked and total == float32(0):
            total = float32(1)
        factor = float32(1) / total
        for k in range(keys):
            w[k] *= factor


# --- the way back ---------------------------------------------------------------------------------------------


@kernel
def _attention_backward(
    piece: int, scratch: Floats, g: Floats, query: Floats, key: Floats, value: Floats, output: Floats,
    d_query: Floats, d_key: Floats, d_value: Floats, limits: Floats, g_starts: Ints, q_starts: Ints, k_starts: Ints,
    v_starts: Ints, o_starts: Ints, dq_starts: Ints, dk_starts: Ints, dv_starts: Ints, mask: Bytes, mask_starts: Ints,
    mask_row: int, mask_column: int, heads: int, queries: int, keys: int, width: int, v_width: int, g_step: int,
    q_step: int, k_step: int, v_step: int, o_step: int, dq_step: int, dk_step: int, dv_step: int,
    drops: int, first_key: int, second_key: int, threshold: int, keep: float, scale: float,
) -> None:  # fmt: skip
    """A piece is a head: the gradients of its keys and values are sums over blocks of queries, in their order."""
    q, o, dy = shift(query, q_starts[piece]), shift(output, o_starts[piece]), shift(g, g_starts[piece])
    dq, dk, dv = shift(d_query, dq_starts[piece]), shift(d_key, dk_starts[piece]), shift(d_value, dv_starts[piece])
    k_rows, v_rows = shift(key, k_starts[piece]), shift(value, v_starts[piece])
    mask = shift(mask, mask_starts[piece]) if address_of(mask) else mask
    row = ((keys + GROUP - 1) // GROUP * GROUP) | LANES_APART
    across, v_across = (width + COLUMNS - 1) // COLUMNS * COLUMNS, (v_width + COLUMNS - 1) // COLUMNS * COLUMNS
    down = (keys + COLUMNS - 1) // COLUMNS * COLUMNS
    tables = ints_at(address_of(scratch))
    turned_keys = shift(scratch, 4 * (max(keys, BLOCK) + ROWS))
    turned_values = shift(turned_keys, down * width)
    packed_keys = shift(turned_values, down * v_width)
    packed_queries = shift(packed_keys, keys * across)
    packed_g = shift(packed_queries, BLOCK * across)
    kept = shift(packed_g, BLOCK * v_across)
    weights = shift(kept, row)
    scores = shift(weights, BLOCK * row)
    pack_turned(k_rows, k_step, keys, width, turned_keys)
    pack_turned(v_rows, v_step, keys, v_width, turned_values)
    pack_rows(k_rows, k_step, keys, width, packed_keys)
    for k in range(keys):
        for d in range(width):
            dk[k * dk_step + d] = 0.0
        for d in range(v_width):
            dv[k * dv_step + d] = 0.0
    one = float32(1)
    for i0 in range(0, queries, BLOCK):
        i1 = min(queries, i0 + BLOCK)
        count = i1 - i0
        seen = last_seen(mask, mask_row, mask_column, i0, i1, keys)
        if seen == 0:
            for i in range(i0, i1):
                for d in range(width):
                    dq[i * dq_step + d] = 0.0
            continue
        q_block, g_block = shift(q, i0 * q_step), shift(dy, i0 * g_step)
        multiply(q_block, q_step, 1, count, width, turned_keys, width, seen, weights, row, tables, 0)
        multiply(g_block, g_step, 1, count, v_width, turned_values, v_width, seen, scores, row, tables, 0)
        for i in range(i0, i1):
            w, b = shift(weights, (i - i0) * row), shift(scores, (i - i0) * row)
            for k in range(seen):
                w[k] *= scale
            hide(w, mask, i, mask_row, mask_column, seen)
            largest, factor = limits[piece * queries + i], one / limits[(heads + piece) * queries + i]
            for k in range(seen):
                d = w[k] - largest
                w[k] = float32(0) if d < float32(-87) else exp(d) * factor
            y, into = shift(o, i * o_step), shift(dy, i * g_step)
            product = float32(0)
            for d in range(v_width):
                product += y[d] * into[d]
            if drops:
                row_factors(piece * queries + i, keys, seen, first_key, second_key, threshold, keep, kept)
                for k in range(seen):
                    b[k] = w[k] * (b[k] * kept[k] - product) * scale
                    w[k] *= kept[k]
            else:
                for k in range(seen):
                    b[k] = w[k] * (b[k] - product) * scale
        pack_rows(q_block, q_step, count, width, packed_queries)
        pack_rows(g_block, g_step, count, v_width, packed_g)
        multiply(weights, 1, row, seen, count, packed_g, count, v_width, dv, dv_step, tables, 1)
        multiply(scores, 1, row, seen, count, packed_queries, count, width, dk, dk_step, tables, 1)
        multiply(scores, row, 1, count, seen, packed_keys, keys, width, shift(dq, i0 * dq_step), dq_step, tables, 0)


@kernel
def _softmax_backward(piece: int, g: Floats, weights: Floats, rows: int, keys: int, step: int, scale: float) -> None:
    for r in range(piece * step, min(rows, (piece + 1) * step)):
        b, w = shift(g, r * keys), shift(weights, r * keys)
        product = float32(0)
        for k in range(keys):
            product += b[k] * w[k]
        for k in range(keys):
            b[k] = (b[k] - product) * w[k] * scale
