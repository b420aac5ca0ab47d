"""3 x 3 convolution by Winograd's transforms (`winograd_transforms`): a quarter of the products, made on the tile.

In the transformed images a convolution is 36 matrix products, one for each place e of a 6 x 6 square:
M[e] = V[e] U[e], (squares x C) @ (C x K). A piece takes some squares, which give 4 x 4 outputs each: it transforms
their inputs, multiplies, and transforms back while all is in the cache. The gradient to the input is the same with the
kernel turned by half a turn and its axes exchanged.

It pays where channels are many, since the transforms cost what some dozen channels do. Its rounding is documented in
`winograd_transforms`; $HANDMADE_WINOGRAD=0 turns it off.
"""

from __future__ import annotations

import os

import numpy as np

from handmade.kernels.compiled.blocks import copy_block
from handmade.kernels.compiled.build import Floats, kernel
from handmade.kernels.compiled.instructions import address_of, floats_at, ints_at, shift
from handmade.kernels.compiled.tile import COLUMNS, ROWS, tile, tile_columns, tile_rows
from handmade.kernels.compiled.transpose import LANES, transpose_block
from handmade.kernels.compiled.winograd_transforms import transform_filter, transform_input, transform_output
from handmade.kernels.threads import workspace
from handmade.kernels.windows import Array, Pair, Window

LEAST_CHANNELS = 32
GROUP = 64
"""Filters whose products a piece keeps at a time."""
SQUARE = 4
"""Outputs of a square, in height and width; it reads two more."""


def applies(window: Window, channels: int, filters: int, groups: int, outputs: Pair) -> bool:
    """Whether this convolution is of the form that is served here, and large enough."""
    return (
        window.kernel == (3, 3)
        and window.stride == window.dilation == (1, 1)
        and groups == 1
        and min(channels, filters) >= LEAST_CHANNELS
        and channels % 32 == filters % GROUP == 0
        and min(outputs) >= SQUARE
        and is_on()
    )


def is_on() -> bool:
    """Whether $HANDMADE_WINOGRAD allows it: "0" does not."""
    given = os.environ.get("HANDMADE_WINOGRAD", "1").strip()
    if given not in ("0", "1"):
        raise ValueError(f"HANDMADE_WINOGRAD is {given!r}, expected 0 or 1")
    return given == "1"


def convolve(x: Array, weight: Array, bias: Array | None, padding: Pair, outputs: Pair, turned: bool) -> Array:
    """y (N, H', W', K) of x (N, H, W, C) and weight (K, 3, 3, C); `turned`: (C, 3, 3, K), turned by half a turn."""
    filters, channels = (weight.shape[3], len(weight)) if turned else (len(weight), weight.shape[3])
    columns = tile_columns()
    transformed = workspace(filters // columns, 36, channels, columns)
    _transform_filters(
        filters // columns,
        weight, transformed, channels, filters, turned, scratch=36 * columns * columns,
    )  # fmt: skip
    y = np.empty((len(x), *outputs, filters), np.float32)
    down, across = -(-outputs[0] // SQUARE), -(-outputs[1] // SQUARE)
    squares = squares_of_piece(channels)
    strips, rows, images = cut_squares(len(x), down, across, squares)
    blocks = strips * -(-len(x) // images)
    parts = max(1, min(filters // GROUP, -(-8 // blocks)))
    count = images * rows * across
    copied = images * (rows * SQUARE + 2) * (across * SQUARE + 2) * channels
    _convolve(
        blocks * parts, x, transformed, bias, y, *x.shape, *y.shape[1:], *padding,
        down, across, images, rows, strips, parts,
        scratch=copied + 36 * count * (channels + GROUP) + 16 * GROUP + 4 * (count + tile_rows()),
    )  # fmt: skip
    return y


def squares_of_piece(channels: int) -> int:
    """Squares whose transforms stay in the cache: 36 numbers for each channel."""
    return max(24, min(48, (600 << 10) // (144 * channels)))


def cut_squares(images: int, down: int, across: int, squares: int) -> tuple[int, int, int]:
    """Strips of an image, rows of squares in a strip, and images of a piece, for about so many squares a piece."""
    rows = max(1, min(down, squares // across))
    strips = -(-down // rows)
    if strips > 1:
        return strips, -(-down // strips), 1
    return 1, down, min(images, max(1, squares // (down * across)))


@kernel
def _transform_filters(
    piece: int, scratch: Floats, weight: Floats, transformed: Floats, channels: int, filters: int, turned: int
) -> None:
    """A piece is a panel: U[e] of as many filters as a tile has columns, channel by channel."""
    panel = shift(transformed, piece * 36 * channels * COLUMNS)
    nothing = floats_at(0)
    e_step = channels * COLUMNS
    if turned:
        for c in range(channels):
            for k in range(0, COLUMNS, LANES):
                source = shift(weight, (c * 9 + 8) * filters + piece * COLUMNS + k)
                target = shift(panel, c * COLUMNS + k)
                transform_filter(source, -3 * filters, -filters, target, 6 * e_step, e_step, nothing)
    else:
        for c in range(0, channels, LANES):
            for k0 in range(0, COLUMNS, LANES):
                for k in range(LANES):
                    source = shift(weight, (piece * COLUMNS + k0 + k) * 9 * channels + c)
                    target = shift(scratch, k * LANES)
                    transform_filter(source, 3 * channels, channels, target, 6 * LANES * LANES, LANES * LANES, nothing)
                for e in range(36):
                    transpose_block(
                        shift(scratch, e * LANES * LANES), LANES, shift(panel, e * e_step + c * COLUMNS + k0), COLUMNS
                    )


@kernel
def _convolve(
    piece: int, scratch: Floats, x: Floats, transformed: Floats, bias: Floats, y: Floats,
    images: int, height: int, width: int, channels: int, y_height: int, y_width: int, filters: int,
    above: int, beside: int, down: int, across: int, block_images: int, block_rows: int, strips: int, parts: int,
) -> None:  # fmt: skip
    """A piece is a block of squares and a part of the filters."""
    part, block = piece % parts, piece // parts
    n0 = block // strips * block_images
    n1 = min(images, n0 + block_images)
    i0 = block % strips * block_rows
    i1 = min(down, i0 + block_rows)
    squares = (n1 - n0) * (i1 - i0) * across
    rows, columns = (i1 - i0) * SQUARE + 2, across * SQUARE + 2
    nothing = floats_at(0)

    a_rows = ints_at(address_of(scratch))
    c_rows = shift(a_rows, squares + ROWS)
    for q in range(squares + ROWS):
        a_rows[q] = 4 * channels * min(q, squares - 1)
        c_rows[q] = 4 * GROUP * min(q, squares - 1)
    corner = floats_at(address_of(c_rows) + 8 * (squares + ROWS))  # 4 x 4 outputs of a square that the image cuts
    copy = shift(corner, 16 * GROUP)
    copy_block(x, copy, n0, n1, i0 * SQUARE - above, rows, -beside, columns, height, width, channels, 0, channels)
    v = shift(copy, (n1 - n0) * rows * columns * channels)
    m = shift(v, 36 * squares * channels)
    q = 0
    for n in range(n1 - n0):
        for i in range(i1 - i0):
            for j in range(across):
                source = shift(copy, ((n * rows + i * SQUARE) * columns + j * SQUARE) * channels)
                target = shift(v, q * channels)
                step = squares * channels
                for c in range(0, channels, LANES):
                    transform_input(
                        shift(source, c), columns * channels, channels, shift(target, c), 6 * step, step, nothing
                    )
                q += 1

    zero = address_of(a_rows)  # the first offset is 0: the one tap of a matrix product
    step = squares * GROUP
    groups = filters // GROUP
    for group in range(groups * part // parts, groups * (part + 1) // parts):
        for e in range(36):
            for k in range(0, GROUP, COLUMNS):
                b = address_of(transformed) + 4 * ((group * GROUP + k) * 36 + e * COLUMNS) * channels
                for q in range(0, squares, ROWS):
                    tile(
                        address_of(v) + 4 * e * squares * channels, address_of(a_rows) + 8 * q, zero, 4,
                        b, zero, 4 * COLUMNS, 1, channels,
                        address_of(m) + 4 * (e * step + k), address_of(c_rows) + 8 * q, 0, COLUMNS,
                    )  # fmt: skip
        q = 0
        for n in range(n0, n1):
            for i in range(i0, i1):
                for j in range(across):
                    top, left = i * SQUARE, j * SQUARE
                    target = shift(y, ((n * y_height + top) * y_width + left) * filters + group * GROUP)
                    row_step, column_step = y_width * filters, filters
                    whole = top + SQUARE <= y_height and left + SQUARE <= y_width
                    if not whole:
                        row_step, column_step = SQUARE * GROUP, GROUP
                    for k in range(0, GROUP, LANES):
                        added = nothing
                        if address_of(bias):
                            added = shift(bias, group * GROUP + k)
                        if whole:
                            transform_output(
                                shift(m, q * GROUP + k), 6 * step, step, shift(target, k), row_step, column_step, added
                            )
                        else:
                            transform_output(
                                shift(m, q * GROUP + k), 6 * step, step, shift(corner, k), row_step, column_step, added
                            )
                    if not whole:
                        for r in range(min(SQUARE, y_height - top)):
                            for s in range(min(SQUARE, y_width - left)):
                                for k in range(GROUP):
                                    target[(r * y_width + s) * filters + k] = corner[(r * SQUARE + s) * GROUP + k]
                    q += 1
