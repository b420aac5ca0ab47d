"""The gradient of a convolution's weight on the tile: a sum over positions for every pair of places.

dW[k, j] = sum over positions p of g[p, k] x[p + j], where j runs over the kernel's places and their channels. A row of
the tile is a j, a column a k, a tap one row of an image, and the depth runs over the positions of that row. A piece
takes a slice of the positions, block by block, and some of the j; its sums stay in memory of their own, and the slices
are added in their order at the end, so that the result does not depend on who did which.
"""

from __future__ import annotations

import functools

import numpy as np

from handmade.kernels.compiled.blocks import Grid, copy_block, copy_planes, cut, forward_taps
from handmade.kernels.compiled.build import Floats, Ints, kernel
from handmade.kernels.compiled.instructions import address_of, floats_at, ints_at, shift
from handmade.kernels.compiled.tile import COLUMNS, ROWS, tile, tile_columns, tile_rows
from handmade.kernels.compiled.transpose import transpose
from handmade.kernels.threads import workspace
from handmade.kernels.windows import Array, Pair, Window

BLOCK_BYTES = 128 << 10
PARTIAL_BYTES = 16 << 20
"""What the sums of all slices take together, unless one slice alone takes more."""
SLICES = 16
LEAST_PIECES = 8
"""Pieces that are worth copying a block once more for."""
ROW_BLOCK = 32
PLANES = 32
"""Channels from which on a block is copied channel by channel: the depth then runs along memory."""


def gradient(x: Array, g: Array, window: Window, groups: int) -> Array:
    """(K, R, S, C/G) from x (N, H, W, C) and g (N, H', W', K)."""
    channels, filters = x.shape[3] // groups, g.shape[3] // groups
    weight = np.empty((filters * groups, *window.kernel, channels), np.float32)
    taps = forward_taps(weight, window, groups)
    span, grid = taps.span(), Grid(g.shape[1], g.shape[2])
    columns, run = tile_columns(), taps.places * taps.depth
    width = -(-filters // columns) * columns
    blocks = cut(x, channels, span, grid, window.stride, BLOCK_BYTES)
    read = ((blocks.rows - 1) * window.stride[0] + span[2]) * ((grid.width - 1) * window.stride[1] + span[3])
    plane = 0 if channels < PLANES else blocks.images * read | 16  # no power of two: planes would share cache lines
    row, pixel, channel = ((grid.width - 1) * window.stride[1] + span[3], 1, plane)
    if not plane:
        row, pixel, channel = row * channels, channels, 1
    size = len(taps.rows) * run  # the j of one group
    slices = max(1, min(SLICES, blocks.count, PARTIAL_BYTES // (4 * size * width * groups)))
    slices = -(-blocks.count // -(-blocks.count // slices))
    parts = max(1, min(-(-LEAST_PIECES // (slices * groups)), size // (8 * tile_rows())))
    corners = [(down - span[0], across - span[1]) for down, across in zip(taps.rows, taps.columns, strict=True)]
    j_rows, c_rows = _offsets(tuple(corners), taps.places, channels, row, pixel, channel, width)
    partial = workspace(slices, groups, size, width)
    room = (plane or blocks.images * read) * channels
    _sum_positions(
        slices * groups * parts, x, g, partial, j_rows, c_rows,
        *x.shape, *g.shape[1:], *window.stride, *span, groups, channels, width, size, slices, parts,
        *blocks[:4], plane, blocks.positions,
        scratch=room + blocks.positions * width + 4 * (blocks.images * blocks.rows + 1),
    )  # fmt: skip
    _add_slices(-(-size // ROW_BLOCK) * groups, partial, weight, slices, groups, size, width, filters)
    return weight


@functools.lru_cache(256)
def _offsets(
    corners: tuple[Pair, ...], places: int, channels: int, row: int, pixel: int, channel: int, width: int
) -> tuple[Array, Array]:
    """Where the row of each j lies, in bytes, in the block and among the sums; the last one's once more for a tile."""
    j_rows = [
        4 * (down * row + (across + place) * pixel + c * channel)
        for down, across in corners
        for place in range(places)
        for c in range(channels)
    ]
    c_rows = 4 * width * np.minimum(np.arange(len(j_rows) + tile_rows()), len(j_rows) - 1)
    return np.array([*j_rows, *[j_rows[-1]] * tile_rows()]), c_rows


@kernel
def _sum_positions(
    piece: int, scratch: Floats, x: Floats, g: Floats, partial: Floats, j_rows: Ints, c_rows: Ints,
    images: int, height: int, width: int, channels: int, g_height: int, g_width: int, filters: int,
    down: int, across: int, top: int, left: int, span_height: int, span_width: int,
    groups: int, depth: int, padded: int, size: int, slices: int, parts: int,
    block_images: int, block_rows: int, strips: int, blocks: int, plane: int, positions: int,
) -> None:  # fmt: skip
    """A piece is a slice of the blocks, one group's, and some of the j."""
    part, group, slice_ = piece % parts, piece // parts % groups, piece // parts // groups
    tiles = (size + ROWS - 1) // ROWS
    j0, j1 = tiles * part // parts * ROWS, tiles * (part + 1) // parts * ROWS
    outputs = filters // groups
    a_taps = ints_at(address_of(scratch))
    b_taps = shift(a_taps, block_images * block_rows)
    g_copy = floats_at(address_of(b_taps) + 8 * block_images * block_rows)
    x_copy = shift(g_copy, positions * padded)
    c = address_of(partial) + 4 * (slice_ * groups + group) * size * padded
    first_block, last_block = blocks * slice_ // slices, blocks * (slice_ + 1) // slices
    for block in range(first_block, last_block):
        n0 = block // strips * block_images
        n1 = min(images, n0 + block_images)
        i0 = block % strips * block_rows
        i1 = min(g_height, i0 + block_rows)
        rows, columns = (i1 - i0 - 1) * down + span_height, (g_width - 1) * across + span_width
        pixel = 1
        if plane:
            copy_planes(
                x, x_copy, n0, n1, i0 * down + top, rows, left, columns, height, width, channels, group * depth, depth,
                plane,
            )  # fmt: skip
        else:
            pixel = depth
            copy_block(
                x, x_copy, n0, n1, i0 * down + top, rows, left, columns, height, width, channels, group * depth, depth
            )
        taps = 0
        for n in range(n1 - n0):
            for i in range(i1 - i0):
                a_taps[taps] = 4 * (n * rows + i * down) * columns * pixel
                b_taps[taps] = 4 * taps * g_width * COLUMNS
                source = shift(g, (((n0 + n) * g_height + i0 + i) * g_width) * filters + group * outputs)
                for panel in range(0, padded, COLUMNS):
                    target = shift(g_copy, panel * positions + taps * g_width * COLUMNS)
                    count = min(COLUMNS, outputs - panel)
                    for p in range(g_width):
                        for k in range(count):
                            target[p * COLUMNS + k] = source[p * filters + panel + k]
                        for k in range(count, COLUMNS):
                            target[p * COLUMNS + k] = 0.0
                taps += 1
        for panel in range(0, padded, COLUMNS):
            for j in range(j0, j1, ROWS):
                tile(
                    address_of(x_copy), address_of(j_rows) + 8 * j, address_of(a_taps), 4 * across * pixel,
                    address_of(g_copy) + 4 * panel * positions, address_of(b_taps), 4 * COLUMNS, taps, g_width,
                    c + 4 * panel, address_of(c_rows) + 8 * j, block > first_block, outputs - panel,
                )  # fmt: skip


@kernel
def _add_slices(
    piece: int, partial: Floats, weight: Floats, slices: int, groups: int, size: int, width: int, filters: int
) -> None:
    """Sum over the slices, and (j, k) becomes (k, j); a piece is ROW_BLOCK of a group's j."""
    per_group = (size + ROW_BLOCK - 1) // ROW_BLOCK
    group, j0 = piece // per_group, piece % per_group * ROW_BLOCK
    j1 = min(size, j0 + ROW_BLOCK)
    total = shift(partial, (group * size + j0) * width)
    for s in range(1, slices):
        part = shift(total, s * groups * size * width)
        for i in range((j1 - j0) * width):
            total[i] += part[i]
    transpose(total, width, shift(weight, group * filters * size + j0), size, j1 - j0, filters)
