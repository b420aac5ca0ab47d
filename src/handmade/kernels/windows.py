"""Where the windows of convolution and pooling lie on an image, and the blocks in which images are worked through.

N images, H height, W width, C channels. A window of R x S taps stands at every output position. Tap r of output o
reads the input row o * stride + r * dilation - padding; rows outside of the image are padding.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

Array = np.ndarray
Pair = tuple[int, int]
Region = tuple[slice, slice, slice]
"""Images, rows and columns: an index into an array (N, H, W, C)."""

BLOCK_BYTES = 2 << 20
"""What one step of a kernel works on: large enough for a matrix product, small enough to stay in the cache."""


class Window(NamedTuple):
    """The window of a convolution or a pooling; every field is (height, width)."""

    kernel: Pair
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)

    def check(self, name: str, size: Pair) -> None:
        """Raise ValueError if the window has an impossible field or does not fit on an image of `size`."""
        for field, least in (("kernel", 1), ("stride", 1), ("padding", 0), ("dilation", 1)):
            if min(getattr(self, field)) < least:
                raise ValueError(f"{name}: {field} must be at least {least}, got {getattr(self, field)}")
        room = (size[0] + 2 * self.padding[0], size[1] + 2 * self.padding[1])
        if self.span[0] > room[0] or self.span[1] > room[1]:
            raise ValueError(
                f"{name}: the kernel {self.kernel} with dilation {self.dilation} covers {self.span} pixels, but the "
                f"input {size} with padding {self.padding} has only {room}. Use a smaller kernel or more padding."
            )

    @property
    def span(self) -> Pair:
        """How far the window reaches: its kernel with the gaps of the dilation."""
        (r, s), (down, across) = self.kernel, self.dilation
        return (r - 1) * down + 1, (s - 1) * across + 1

    def output_size(self, size: Pair, ceil_mode: bool = False) -> Pair:
        """How many windows fit on an image of `size`; `ceil_mode` lets the last one reach over the padding's edge."""
        height, width = (
            _count(size[axis], self.span[axis], self.stride[axis], self.padding[axis], ceil_mode) for axis in (0, 1)
        )
        return height, width

    def is_pointwise(self) -> bool:
        """Whether every output sees exactly its own pixel: a convolution is then one matrix product."""
        return self.kernel == (1, 1) and self.stride == (1, 1) and self.padding == (0, 0)

    def taps(self, size: Pair, outputs: Pair, first_row: int = 0) -> Iterator[tuple[int, int, Region, Region]]:
        """Each tap (r, s), row by row, with the outputs for which it lies inside the image, and the inputs it reads.

        `outputs` are counted from row `first_row` of all outputs, which lets a block of rows be worked on alone.
        """
        every = slice(None)
        for r in range(self.kernel[0]):
            top = first_row * self.stride[0] + r * self.dilation[0] - self.padding[0]
            output_rows, input_rows = inside(top, size[0], outputs[0], self.stride[0])
            for s in range(self.kernel[1]):
                left = s * self.dilation[1] - self.padding[1]
                output_columns, input_columns = inside(left, size[1], outputs[1], self.stride[1])
                yield r, s, (every, output_rows, output_columns), (every, input_rows, input_columns)


def _count(size: int, span: int, stride: int, padding: int, ceil_mode: bool) -> int:
    room = size + 2 * padding - span
    if not ceil_mode:
        return room // stride + 1
    count = -(-room // stride) + 1
    starts_outside = (count - 1) * stride >= size + padding
    return count - 1 if starts_outside else count


def inside(start: int, size: int, outputs: int, stride: int) -> tuple[slice, slice]:
    """Of the positions start + o * stride with o < outputs: those o that lie in range(size), and where they lie."""
    first = max(0, -(start // stride))  # the least o with start + o * stride >= 0
    end = min(outputs, (size - 1 - start) // stride + 1)
    if first >= end:
        return slice(0, 0), slice(0, 0)
    return slice(first, end), slice(start + first * stride, start + (end - 1) * stride + 1, stride)


def padded(x: Array, window: Window, rows: slice | None = None) -> Array:
    """The images x (N, H, W, C) with the window's zeros around them; only what the outputs of `rows` see, if given."""
    (above, beside), height = window.padding, x.shape[1]
    top, bottom = -above, height + above
    if rows is not None:
        top += rows.start * window.stride[0]
        bottom = (rows.stop - 1) * window.stride[0] + window.span[0] - above
    image = x[:, max(0, top) : max(0, bottom)]
    if (above, beside) == (0, 0):
        return image
    result = np.zeros((len(x), bottom - top, x.shape[2] + 2 * beside, x.shape[3]), x.dtype)
    first = max(0, -top)
    result[:, first : first + image.shape[1], beside : beside + x.shape[2]] = image
    return result


def views(x: Array, window: Window) -> Array:
    """The windows on the padded images x (N, H, W, C), without a copy: (N, H', W', C, R, S)."""
    (down, across), (gap_down, gap_across) = window.stride, window.dilation
    everywhere = sliding_window_view(x, window.span, (1, 2))
    return everywhere[:, ::down, ::across, :, ::gap_down, ::gap_across]


def blocks(images: int, rows: int, bytes_per_row: int) -> Iterator[tuple[slice, slice]]:
    """Cut a batch into blocks of about BLOCK_BYTES: several whole images, or some rows of one image."""
    fitting = max(1, BLOCK_BYTES // max(1, bytes_per_row))
    if fitting >= rows:
        step = fitting // max(1, rows)
        for n in range(0, images, step):
            yield slice(n, min(n + step, images)), slice(0, rows)
        return
    for n in range(images):
        for row in range(0, rows, fitting):
            yield slice(n, n + 1), slice(row, min(row + fitting, rows))


def channels_last(x: Array) -> Array:
    """(N, C, H, W) -> contiguous (N, H, W, C), without a copy where the memory is so already."""
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1))


def channels_first(x: Array) -> Array:
    """(N, H, W, C) -> the view (N, C, H, W) of it."""
    return x.transpose(0, 3, 1, 2)


class Scratch:
    """Memory that one block leaves to the next: to fill it again is faster than to ask for new pages."""

    def __init__(self, dtype: np.dtype) -> None:
        self._memory = np.empty(0, dtype)

    def __call__(self, *shape: int) -> Array:
        """An array of `shape` with anything in it, which the next call overwrites."""
        size = math.prod(shape)
        if self._memory.size < size:
            self._memory = np.empty(size, self._memory.dtype)
        return self._memory[:size].reshape(shape)
