"""The gradient of a 3 x 3 weight by Winograd's transforms: the adjoint of `winograd`.

From y = A^T [(G w G^T) * (B^T x B)] A follows dw = G^T [(A dy A^T) * (B^T x B)] G, summed over all squares of
outputs: for each place e of 36, dU[e] = sum over squares of M[e] V[e]^T, (K x squares) @ (squares x C). A piece sums
over a slice of the squares for a part of the filters; the slices are added in their order, and transformed back.
"""

from __future__ import annotations

import numpy as np

from handmade.kernels.compiled.blocks import copy_block
from handmade.kernels.compiled.build import Floats, kernel
from handmade.kernels.compiled.instructions import address_of, floats_at, ints_at, shift
from handmade.kernels.compiled.machine import lanes
from handmade.kernels.compiled.tile import COLUMNS, ROWS, tile, tile_rows
from handmade.kernels.compiled.transpose import LANES
from handmade.kernels.compiled.winograd import SQUARE, cut_squares
from handmade.kernels.compiled.winograd_transforms import transform_gradient, transform_input, transform_weight
from handmade.kernels.threads import workspace
from handmade.kernels.windows import Array, Pair

SQUARES = 48
"""Squares of a piece's block: what it multiplies must be worth reading and writing its sums."""
SLICES = 16
PARTIAL_BYTES = 24 << 20
"""What the sums of all slices take together; where one slice takes more, the direct way is better."""
LEAST_PIECES = 8
GAP = 16
"""Numbers between rows whose length is a power of two: they would share few lines of the cache."""


def applies(channels: int, filters: int) -> bool:
    """Whether the sums are small enough, beside what `winograd.applies` asks."""
    return 36 * 4 * channels * filters <= PARTIAL_BYTES // 2


def gradient(x: Array, g: Array, padding: Pair) -> Array:
    """(K, 3, 3, C) from x (N, H, W, C) and g (N, H', W', K)."""
    channels, filters = x.shape[3], g.shape[3]
    down, across = -(-g.shape[1] // SQUARE), -(-g.shape[2] // SQUARE)
    strips, rows, images = cut_squares(len(x), down, across, SQUARES)
    blocks = strips * -(-len(x) // images)
    slices = max(1, min(SLICES, blocks, PARTIAL_BYTES // (36 * 4 * channels * filters)))
    parts = max(1, min(filters // 32, -(-LEAST_PIECES // slices)))
    count = images * rows * across
    part_filters = -(-(filters // lanes()) // parts) * lanes()  # of the largest part: whole vectors
    inputs = images * (rows * SQUARE + 2) * (across * SQUARE + 2) * channels
    partial = workspace(slices, 36, filters, channels)
    _sum_squares(
        slices * parts, x, g, partial, *x.shape, *g.shape[1:], *padding,
        down, across, images, rows, strips, blocks, slices, parts,
        scratch=inputs + count * SQUARE * SQUARE * part_filters + 36 * count * (channels + part_filters + GAP)
        + 4 * (part_filters + tile_rows()) + 2,
    )  # fmt: skip
    weight = np.empty((filters, 3, 3, channels), np.float32)
    _add_and_transform(filters, partial, weight, slices, filters, channels)
    return weight


@kernel
def _sum_squares(
    piece: int, scratch: Floats, x: Floats, g: Floats, partial: Floats,
    images: int, height: int, width: int, channels: int, g_height: int, g_width: int, filters: int,
    above: int, beside: int, down: int, across: int, block_images: int, block_rows: int, strips: int, blocks: int,
    slices: int, parts: int,
) -> None:  # fmt: skip
    """A piece is a slice of the blocks and a part of the filters."""
    part, slice_ = piece % parts, piece // parts
    vectors = filters // LANES
    k0, k1 = vectors * part // parts * LANES, vectors * (part + 1) // parts * LANES
    own = k1 - k0
    nothing = floats_at(0)
    a_rows = ints_at(address_of(scratch))
    c_rows = shift(a_rows, own + ROWS)
    for k in range(own + ROWS):
        a_rows[k] = 4 * min(k, own - 1)
        c_rows[k] = 4 * channels * min(k, own - 1)
    zero = address_of(a_rows)
    inputs = floats_at(address_of(c_rows) + 8 * (own + ROWS))
    first_block = blocks * slice_ // slices
    for block in range(first_block, blocks * (slice_ + 1) // slices):
        n0 = block // strips * block_images
        n1 = min(images, n0 + block_images)
        i0 = block % strips * block_rows
        i1 = min(down, i0 + block_rows)
        squares = (n1 - n0) * (i1 - i0) * across
        rows, columns = (i1 - i0) * SQUARE, across * SQUARE
        copy_block(
            x, inputs, n0, n1, i0 * SQUARE - above, rows + 2, -beside, columns + 2, height, width, channels, 0, channels
        )
        outputs = shift(inputs, (n1 - n0) * (rows + 2) * (columns + 2) * channels)
        copy_block(g, outputs, n0, n1, i0 * SQUARE, rows, 0, columns, g_height, g_width, filters, k0, own)
        v = shift(outputs, (n1 - n0) * rows * columns * own)
        m = shift(v, 36 * squares * channels)
        v_step, pitch = squares * channels, own + GAP
        m_step = squares * pitch
        q = 0
        for n in range(n1 - n0):
            for i in range(0, rows, SQUARE):
                for j in range(0, columns, SQUARE):
                    source = shift(inputs, ((n * (rows + 2) + i) * (columns + 2) + j) * channels)
                    for c in range(0, channels, LANES):
                        panel = c // COLUMNS
                        target = shift(v, (panel * squares + q) * COLUMNS + c - panel * COLUMNS)
                        transform_input(
                            shift(source, c), (columns + 2) * channels, channels, target, 6 * v_step, v_step, nothing
                        )
                    source = shift(outputs, ((n * rows + i) * columns + j) * own)
                    for k in range(0, own, LANES):
                        target = shift(m, q * pitch + k)
                        transform_gradient(shift(source, k), columns * own, own, target, 6 * m_step, m_step, nothing)
                    q += 1
        for e in range(36):
            c = address_of(partial) + 4 * ((slice_ * 36 + e) * filters + k0) * channels
            for panel in range(0, channels, COLUMNS):
                b = address_of(v) + 4 * (e * v_step + panel * squares)
                for k in range(0, own, ROWS):
                    tile(
                        address_of(m) + 4 * e * m_step, address_of(a_rows) + 8 * k, zero, 4 * pitch,
                        b, zero, 4 * COLUMNS, 1, squares,
                        c + 4 * panel, address_of(c_rows) + 8 * k, block > first_block, COLUMNS,
                    )  # fmt: skip


@kernel
def _add_and_transform(piece: int, partial: Floats, weight: Floats, slices: int, filters: int, channels: int) -> None:
    """Sum over the slices and transform back; a piece is a filter."""
    step = filters * channels
    for e in range(36):
        total = shift(partial, (e * filters + piece) * channels)
        for s in range(1, slices):
            part = shift(total, s * 36 * step)
            for c in range(channels):
                total[c] += part[c]
    for c in range(0, channels, LANES):
        source, target = shift(partial, piece * channels + c), shift(weight, piece * 9 * channels + c)
        transform_weight(source, 6 * step, step, target, 3 * channels, channels, floats_at(0))
