"""How the convolutions cut their work into blocks whose inputs fit the cache, and how a block is read."""

from __future__ import annotations

from typing import NamedTuple

from handmade.kernels.compiled.build import inline
from handmade.kernels.compiled.instructions import shift
from handmade.kernels.compiled.transpose import transpose
from handmade.kernels.windows import Array, Pair, Window

BLOCK_POSITIONS = 384
"""At most as many outputs in a block, unless one image row has more."""
PIECES = 16
"""Pieces that a layer is cut into at least, where it can be: no core waits long for the last one."""


class Taps(NamedTuple):
    """The places of a kernel: what they read of the image, relative to an output's first pixel, and their weights.

    A tap reads `places` pixels side by side, `depth` channels of each. Strides are those of the weight, in bytes.
    """

    rows: list[int]
    columns: list[int]
    sources: list[int]  # where each tap's weights begin
    places: int
    depth: int
    place_stride: int
    depth_stride: int
    output_stride: int

    def span(self) -> tuple[int, int, int, int]:
        """Top, left, height and width of what all taps together read."""
        top, left = min(self.rows), min(self.columns)
        return top, left, max(self.rows) - top + 1, max(self.columns) - left + self.places


class Grid(NamedTuple):
    """Outputs: how many rows and columns, where in the image the first of each lies, and the steps to the next."""

    height: int
    width: int
    top: int = 0
    left: int = 0
    down: int = 1
    across: int = 1


def forward_taps(weight: Array, window: Window, groups: int) -> Taps:
    """The taps of a convolution of stride 1 or more: places of a row side by side where that is possible."""
    (r, s), (down, across), (above, beside) = window.kernel, window.dilation, window.padding
    output_stride, row, place, _ = weight.strides
    rows = [i * down - above for i in range(r)]
    if groups == 1 and across == 1:
        sources = [i * row for i in range(r)]
        return Taps(rows, [-beside] * r, sources, s, weight.shape[3], place, 4, output_stride)
    columns = [j * across - beside for j in range(s)]
    sources = [i * row + j * place for i in range(r) for j in range(s)]
    return Taps([i for i in rows for _ in columns], columns * r, sources, 1, weight.shape[3], 0, 4, output_stride)


class Blocks(NamedTuple):
    """How outputs (N, H', W') are cut into blocks, and how the images are laid out that a block reads."""

    images: int  # in a block
    rows: int
    strips: int  # blocks in an image
    count: int
    direct: bool  # no padding: blocks are read where they are
    numbers: int  # floats of a block's copy
    pixel: int  # floats from a pixel to the next, as the tile reads them
    row: int  # ... from a row to the next
    image: int
    positions: int  # outputs of a block, at most


def cut(x: Array, channels: int, span: tuple[int, int, int, int], grid: Grid, stride: Pair, limit: int) -> Blocks:
    """Blocks of outputs that read about `limit` bytes of x (N, H, W, C), `channels` of each pixel."""
    top, left, height, width = span
    n, h, w, c = x.shape
    across = (grid.width - 1) * stride[1] + width
    inside = top >= 0 and left >= 0 and top + (grid.height - 1) * stride[0] + height <= h and left + across <= w
    row_bytes = 4 * across * channels * stride[0]
    fitting = max(1, min(limit // max(1, row_bytes), BLOCK_POSITIONS // grid.width))
    images, rows = (min(n, fitting // grid.height), grid.height) if fitting >= grid.height else (1, fitting)
    strips = -(-grid.height // rows)
    rows = -(-grid.height // strips)
    read = (rows - 1) * stride[0] + height
    blocks = (images, rows, strips, -(-n // images) * strips, inside)
    if inside:
        return Blocks(*blocks, 0, c, w * c, h * w * c, images * rows * grid.width)
    image = read * across * channels
    return Blocks(*blocks, images * image, channels, across * channels, image, images * rows * grid.width)


@inline
def copy_block(x, target, n0, n1, row0, rows, column0, columns, height, width, channels, first, depth):
    """Rows and columns of the images n0 to n1 of x (N, H, W, C), channels first to first + depth, zeros outside."""
    start, end = max(0, -column0), max(0, min(columns, width - column0))
    for n in range(n0, n1):
        for r in range(row0, row0 + rows):
            if r < 0 or r >= height or end <= start:
                for k in range(columns * depth):
                    target[k] = 0.0
            else:
                for k in range(start * depth):
                    target[k] = 0.0
                source = shift(x, ((n * height + r) * width + column0 + start) * channels + first)
                middle = shift(target, start * depth)
                if depth == channels:
                    for k in range((end - start) * depth):
                        middle[k] = source[k]
                else:
                    for p in range(end - start):
                        for k in range(depth):
                            middle[p * depth + k] = source[p * channels + k]
                for k in range(end * depth, columns * depth):
                    target[k] = 0.0
            target = shift(target, columns * depth)


@inline
def copy_planes(x, target, n0, n1, row0, rows, column0, columns, height, width, channels, first, depth, plane):
    """The same block, channel by channel: a channel's pixels lie side by side, `plane` numbers from the next one's."""
    start, end = max(0, -column0), max(0, min(columns, width - column0))
    for n in range(n0, n1):
        for r in range(row0, row0 + rows):
            if r < 0 or r >= height or end <= start:
                for c in range(depth):
                    for p in range(columns):
                        target[c * plane + p] = 0.0
            else:
                source = shift(x, ((n * height + r) * width + column0 + start) * channels + first)
                transpose(source, channels, shift(target, start), plane, end - start, depth)
                for c in range(depth):
                    for p in range(start):
                        target[c * plane + p] = 0.0
                    for p in range(end, columns):
                        target[c * plane + p] = 0.0
            target = shift(target, columns)
