"""Convolution on the tile, without a matrix of patches; see `kernels/convolution.py` for what is computed.

All three products are made of tiles (`tile.py`), each piece of work on a block of outputs whose inputs fit the cache:

    forward   a row of the tile is an output position, its taps the kernel's places, the depth their channels. Where the
              places of a kernel's row lie side by side in memory (no dilation, no groups), they are one longer depth:
              an RGB image under a 7 x 7 kernel has 7 taps of depth 21 instead of 49 of depth 3.
    input     the same with the weight's axes exchanged, and the outputs' gradient in the image's place. For stride s,
              the inputs fall in s x s classes by their places' remainders, and each class sees taps of its own: s x s
              convolutions of stride 1, none of which multiplies by zeros.
    weight    `convolution_weight`.

Padding is made by copying the block with zeros around it, which costs little beside the products, and lets every tile
read without asking where the image ends.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from handmade.kernels.choice import worth
from handmade.kernels.compiled import convolution_weight, depthwise, winograd, winograd_weight
from handmade.kernels.compiled.blocks import PIECES, Grid, Taps, copy_block, cut, forward_taps
from handmade.kernels.compiled.build import Floats, Ints, kernel
from handmade.kernels.compiled.instructions import address_of, floats_at, ints_at, shift
from handmade.kernels.compiled.tile import COLUMNS, ROWS, tile, tile_columns, tile_rows
from handmade.kernels.compiled.transpose import transpose
from handmade.kernels.threads import workspace
from handmade.kernels.windows import Array, Pair, Window, channels_first, channels_last

BLOCK_BYTES = 96 << 10
"""What a piece reads of the image at a time: a part of a core's second cache, which the weights share."""
LEAST = 1 << 17
"""Multiplications that repay the call of a kernel."""


def conv2d(x: Array, weight: Array, bias: Array | None, window: Window, groups: int = 1) -> Any:
    """See `kernels.convolution.conv2d`."""
    outputs = window.output_size((x.shape[2], x.shape[3]))
    if not is_worth(x, weight, outputs, groups):
        return NotImplemented
    x, weight = channels_last(x), channels_last(weight)
    if _is_depthwise(x.shape[3], len(weight), groups):
        return channels_first(depthwise.forward(x, weight, bias, window, outputs))
    if _covers(window, x, groups):
        x, weight, window = _as_pixels(x), _as_pixels(weight), Window((1, 1))
    if winograd.applies(window, x.shape[3], len(weight), groups, outputs):
        return channels_first(winograd.convolve(x, weight, bias, window.padding, outputs, turned=False))
    y = np.empty((len(x), *outputs, len(weight)), x.dtype)
    correlate(x, weight, bias, y, forward_taps(weight, window, groups), Grid(*outputs), window.stride, groups)
    return channels_first(y)


def conv2d_weight_gradient(x: Array, g: Array, window: Window, groups: int = 1) -> Any:
    """See `kernels.convolution.conv2d_weight_gradient`."""
    size = g.shape[1] * x.shape[1] // groups * window.kernel[0] * window.kernel[1]
    if not g.size or not worth(size * g.size // g.shape[1], LEAST):
        return NotImplemented
    x, g = channels_last(x), channels_last(g)
    if _is_depthwise(x.shape[3], g.shape[3], groups):
        return channels_first(depthwise.weight_gradient(x, g, window))
    if _covers(window, x, groups):
        shape = (g.shape[3], *x.shape[1:])
        return channels_first(convolution_weight.gradient(_as_pixels(x), g, Window((1, 1)), 1).reshape(shape))
    outputs, filters = (g.shape[1], g.shape[2]), g.shape[3]
    if winograd.applies(window, x.shape[3], filters, groups, outputs) and winograd_weight.applies(x.shape[3], filters):
        return channels_first(winograd_weight.gradient(x, g, window.padding))
    return channels_first(convolution_weight.gradient(x, g, window, groups))


def conv2d_input_gradient(g: Array, weight: Array, size: Pair, window: Window, groups: int = 1) -> Any:
    """See `kernels.convolution.conv2d_input_gradient`."""
    if not is_worth(g, weight, (g.shape[2], g.shape[3]), groups):
        return NotImplemented
    g, weight = channels_last(g), channels_last(weight)
    if _is_depthwise(weight.shape[3] * groups, len(weight), groups):
        return channels_first(depthwise.input_gradient(g, weight, size, window))
    if winograd.applies(window, len(weight), weight.shape[3], groups, size):
        padding = (2 - window.padding[0], 2 - window.padding[1])
        return channels_first(winograd.convolve(g, weight, None, padding, size, turned=True))
    gradient = np.empty((len(g), *size, weight.shape[3] * groups), g.dtype)
    if _covers(window, gradient, groups):
        pixel, weight = _as_pixels(gradient), _as_pixels(weight)
        taps = _class_taps(weight, Window((1, 1)), 0, 0, 1)
        assert taps is not None
        correlate(g, weight, None, pixel, taps, Grid(1, 1), (1, 1), 1)
        return channels_first(gradient)
    down, across = window.stride
    for top in range(min(down, size[0])):
        for left in range(min(across, size[1])):
            taps = _class_taps(weight, window, top, left, groups)
            if taps is None:
                gradient[:, top::down, left::across] = 0
                continue
            rows, columns = -(-(size[0] - top) // down), -(-(size[1] - left) // across)
            grid = Grid(rows, columns, top, left, down, across)
            correlate(g, weight, None, gradient, taps, grid, (1, 1), groups)
    return channels_first(gradient)


def is_worth(x: Array, weight: Array, outputs: Pair, groups: int) -> bool:
    """Whether the compiled form should do this convolution of x (N, C, H, W)."""
    return x.size > 0 and worth(len(x) * outputs[0] * outputs[1] * weight.size, LEAST)


def _is_depthwise(channels: int, filters: int, groups: int) -> bool:
    return groups > 1 and channels == filters == groups


def _covers(window: Window, x: Array, groups: int) -> bool:
    """Whether the kernel covers the whole image x (N, H, W, C): each is then one pixel of H W C channels."""
    return groups == 1 and window == Window((x.shape[1], x.shape[2]))


def _as_pixels(x: Array) -> Array:
    return x.reshape(len(x), 1, 1, -1)


def _class_taps(weight: Array, window: Window, top: int, left: int, groups: int) -> Taps | None:
    """The taps from inputs (top + i stride, left + j stride) to the outputs that they were read for; None if none."""
    rows, columns = _reaching(top, window, 0), _reaching(left, window, 1)
    if not rows or not columns:
        return None
    depth_stride, row, place, _ = weight.strides
    filters = len(weight) // groups
    if groups == 1 and window.dilation[1] == window.stride[1] == 1:  # places side by side, the kernel's last one first
        sources = [r * row + columns[-1][0] * place for r, _ in rows]
        offsets = [columns[-1][1]] * len(rows)
        return Taps([o for _, o in rows], offsets, sources, len(columns), filters, -place, depth_stride, 4)
    sources = [r * row + s * place for r, _ in rows for s, _ in columns]
    offsets = [o for _, o in columns] * len(rows)
    return Taps([o for _, o in rows for _ in columns], offsets, sources, 1, filters, 0, depth_stride, 4)


def _reaching(first: int, window: Window, axis: int) -> list[Pair]:
    """Each tap r that joins the inputs first + i stride to outputs o + i, with that o."""
    places = [first + window.padding[axis] - r * window.dilation[axis] for r in range(window.kernel[axis])]
    stride = window.stride[axis]
    return [(r, place // stride) for r, place in enumerate(places) if place % stride == 0]


def correlate(
    x: Array, weight: Array, bias: Array | None, y: Array, taps: Taps, grid: Grid, stride: Pair, groups: int
) -> None:
    """y[n, o, p, k] = bias[k] + sum of taps' weights times pixels of x, for the outputs of the grid.

    x (N, H, W, C), weight (K, R, S, C/G) as the taps read it, y (N, H', W', K): C and K are those of this product.
    """
    filters, run = y.shape[3] // groups, taps.places * taps.depth
    columns = tile_columns()
    panels = -(-filters // columns)
    packed = workspace(groups, panels, len(taps.rows), run, columns)
    sources = np.array(taps.sources)
    group_stride = weight.strides[0] * (len(weight) // groups)
    pack(groups * panels, weight, packed, sources, len(sources), taps.places, taps.depth, taps.place_stride // 4,
         taps.depth_stride // 4, taps.output_stride // 4, group_stride // 4, filters, panels)  # fmt: skip
    span = taps.span()
    blocks = cut(x, taps.depth, span, grid, stride, BLOCK_BYTES)
    a_taps = [
        4 * ((row - span[0]) * blocks.row + (column - span[1]) * blocks.pixel)
        for row, column in zip(taps.rows, taps.columns, strict=True)
    ]
    tables = np.array([a_taps, [4 * t * run * columns for t in range(len(a_taps))]])
    parts = min(panels, -(-PIECES // (blocks.count * groups)))
    _correlate(
        blocks.count * groups * parts, x, packed, _padded_bias(bias, groups, panels * columns), y, tables[0], tables[1],
        *x.shape, *y.shape[1:], *grid, *stride, *span, groups, len(a_taps), taps.depth, run, panels, parts,
        *blocks[:4], blocks.direct, *blocks[6:9],
        scratch=blocks.numbers + 4 * (blocks.positions + tile_rows()),
    )  # fmt: skip


def _padded_bias(bias: Array | None, groups: int, width: int) -> Array | None:
    """The bias of each group with zeros up to whole tiles: (G, width)."""
    if bias is None:
        return None
    room = np.zeros((groups, width), np.float32)
    room[:, : len(bias) // groups] = bias.reshape(groups, -1)
    return room


@kernel
def pack(
    piece: int, weight: Floats, packed: Floats, sources: Ints, taps: int, places: int, depth: int,
    place_stride: int, depth_stride: int, output_stride: int, group_stride: int, outputs: int, panels: int,
) -> None:  # fmt: skip
    """A piece is a panel: the weights of as many outputs as a tile has columns, in the order that the tile reads."""
    group, panel = piece // panels, piece % panels
    target = shift(packed, piece * taps * places * depth * COLUMNS)
    first = panel * COLUMNS
    count = min(COLUMNS, outputs - first)
    for t in range(taps):
        start = sources[t] // 4 + group * group_stride + first * output_stride
        for j in range(places):
            source = shift(weight, start + j * place_stride)
            if depth_stride == 1:
                transpose(source, output_stride, target, COLUMNS, count, depth)
            else:
                for d in range(depth):
                    for k in range(count):
                        target[d * COLUMNS + k] = source[d * depth_stride + k * output_stride]
            if count < COLUMNS:
                for d in range(depth):
                    for k in range(count, COLUMNS):
                        target[d * COLUMNS + k] = 0.0
            target = shift(target, depth * COLUMNS)


@kernel
def _correlate(
    piece: int, scratch: Floats, x: Floats, packed: Floats, bias: Floats, y: Floats, a_taps: Ints, b_taps: Ints,
    images: int, height: int, width: int, channels: int, y_height: int, y_width: int, filters: int,
    grid_height: int, grid_width: int, grid_top: int, grid_left: int, grid_down: int, grid_across: int,
    down: int, across: int, top: int, left: int, span_height: int, span_width: int,
    groups: int, taps: int, depth: int, run: int, panels: int, parts: int,
    block_images: int, block_rows: int, strips: int, blocks: int, direct: int, pixel: int, row: int, image: int,
) -> None:  # fmt: skip
    """A piece is a block of outputs, one group's, and some of the panels of its filters."""
    part, group, block = piece % parts, piece // parts % groups, piece // parts // groups
    n0 = block // strips * block_images
    n1 = min(images, n0 + block_images)
    i0 = block % strips * block_rows
    i1 = min(grid_height, i0 + block_rows)
    positions = (n1 - n0) * (i1 - i0) * grid_width
    a_rows = ints_at(address_of(scratch))
    c_rows = shift(a_rows, positions + ROWS)
    if direct:
        a = address_of(x) + 4 * (n0 * image + (i0 * down + top) * row + left * pixel + group * depth)
    else:
        copy = floats_at(address_of(c_rows) + 8 * (positions + ROWS))
        rows, columns = (i1 - i0 - 1) * down + span_height, (grid_width - 1) * across + span_width
        copy_block(x, copy, n0, n1, i0 * down + top, rows, left, columns, height, width, channels, group * depth, depth)
        image = rows * columns * depth
        a = address_of(copy)
    q = 0
    for n in range(n1 - n0):
        for i in range(i1 - i0):
            a_row = n * image + i * down * row
            c_row = ((n0 + n) * y_height + grid_top + (i0 + i) * grid_down) * y_width + grid_left
            for j in range(grid_width):
                a_rows[q + j] = 4 * (a_row + j * across * pixel)
                c_rows[q + j] = 4 * filters * (c_row + j * grid_across)
            q += grid_width
    for q in range(positions, positions + ROWS):
        a_rows[q], c_rows[q] = a_rows[positions - 1], c_rows[positions - 1]
    outputs = filters // groups
    for panel in range(panels * part // parts, panels * (part + 1) // parts):
        b = address_of(packed) + 4 * (group * panels + panel) * taps * run * COLUMNS
        first = panel * COLUMNS
        c = address_of(y) + 4 * (group * outputs + first)
        start = 0
        if address_of(bias):
            start = address_of(bias) + 4 * (group * panels + panel) * COLUMNS
        for q in range(0, positions, ROWS):
            tile(
                a, address_of(a_rows) + 8 * q, address_of(a_taps), 4, b, address_of(b_taps), 4 * COLUMNS, taps, run,
                c, address_of(c_rows) + 8 * q, start, outputs - first,
            )  # fmt: skip
