"""Products of matrices on the kernels' threads.

NumPy's library multiplies one block as well as any code; but its own threads wait for each other in loops, and a busy
core makes all of them wait. Here it is called for blocks of the result, from our threads and without Python in between.
How a product is cut depends on its size alone, so results are the same on any number of threads. Where the library is
not the one of NumPy's wheels, NumPy multiplies, with threads of its own.
"""

from __future__ import annotations

import ctypes
import functools
import math
from typing import Any

import numpy as np

from handmade.kernels.choice import worth
from handmade.kernels.compiled.build import Address, Ints, address, kernel
from handmade.kernels.compiled.instructions import floats_at, multiply_block

LEAST = 1 << 20
"""Multiplications that repay the call."""
BLOCK = 1 << 21
"""Multiplications of a piece, about: a tenth of a millisecond."""
REPAYS_PACKING = 128
"""Rows, or columns, of a block at least: for each block the library packs the other matrix once more."""
BLOCKS = 8
_ONE = np.zeros(3, np.int64)
_AS_IT_LIES, _TRANSPOSED = 111, 112  # in the library's words


def matmul(a: np.ndarray, b: np.ndarray, bias: np.ndarray | None = None) -> Any:
    """See `kernels.products.matmul`."""
    sgemm = _library()  # small products, too, are made in the calling thread alone
    if a.ndim < 2 or b.ndim < 2 or b.dtype != a.dtype:
        return NotImplemented
    (rows, depth), columns = a.shape[-2:], b.shape[-1]
    work = rows * columns * depth
    if not worth(work * max(a.size // max(rows * depth, 1), 1), LEAST):
        return NotImplemented
    how_a, how_b = _how_it_lies(a), _how_it_lies(b)
    if not sgemm or not work or how_a is None or how_b is None or b.shape[-2] != depth:
        return NotImplemented
    if bias is not None and (bias.dtype != a.dtype or not bias.flags.c_contiguous):
        return NotImplemented
    batch, places = (), _ONE
    if a.ndim > 2 or b.ndim > 2:
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        places = _places(batch, a.shape[:-2], a.strides[:-2], b.shape[:-2], b.strides[:-2], 4 * rows * columns)
    items = math.prod(batch)
    if not items:
        return NotImplemented
    value = np.empty((*batch, rows, columns), a.dtype)
    together = max(1, min(items // BLOCKS, BLOCK // work)) if items > 1 else 1
    row_blocks = _blocks(rows) if items == 1 and rows >= columns else 1
    column_blocks = _blocks(columns) if items == 1 and rows < columns else 1
    groups = -(-items // together)
    _multiply(
        groups * row_blocks * column_blocks, sgemm, address(a), address(b), address(value),
        0 if bias is None else address(bias), places, items, together, row_blocks, column_blocks,
        rows, columns, depth, *how_a, *how_b, a.strides[-2], b.strides[-1],
    )  # fmt: skip
    return value


def _how_it_lies(matrix: np.ndarray) -> tuple[int, int] | None:
    """(as it lies or transposed, numbers from one row in memory to the next), or None where rows are scattered."""
    (row, column), (rows, columns) = matrix.strides[-2:], matrix.shape[-2:]
    if (column == 4 or columns == 1) and row >= 4 * columns and not row % 4:
        return _AS_IT_LIES, row // 4
    if (row == 4 or rows == 1) and column >= 4 * rows and not column % 4:
        return _TRANSPOSED, column // 4
    return None


@functools.lru_cache(256)
def _places(
    batch: tuple[int, ...], shape_a: tuple[int, ...], steps_a: tuple[int, ...],
    shape_b: tuple[int, ...], steps_b: tuple[int, ...], size: int,
) -> np.ndarray:  # fmt: skip
    """(items, 3): how many bytes behind the beginning of a, b and the value each matrix of a batch begins."""
    numbers = np.arange(math.prod(batch))
    along = np.unravel_index(numbers, batch)
    return np.stack([_offsets(along, shape_a, steps_a), _offsets(along, shape_b, steps_b), numbers * size], 1)


def _offsets(along: tuple[np.ndarray, ...], shape: tuple[int, ...], steps: tuple[int, ...]) -> np.ndarray:
    own = along[len(along) - len(shape) :]
    parts = [index * step for index, size, step in zip(own, shape, steps, strict=True) if size > 1]
    return functools.reduce(np.add, parts, np.zeros_like(along[0]))


def _blocks(size: int) -> int:
    """A power of two, so that two or four threads have as much to do: 1, 2, 4, 8."""
    blocks = 1 if size < 32 else 2
    while blocks < BLOCKS and size > blocks * REPAYS_PACKING:
        blocks *= 2
    return blocks


@kernel
def _multiply(
    piece: int, sgemm: Address, a: Address, b: Address, value: Address, bias: Address, places: Ints,
    items: int, together: int, row_blocks: int, column_blocks: int, rows: int, columns: int, depth: int,
    way_a: int, step_a: int, way_b: int, step_b: int, row: int, column: int,
) -> None:  # fmt: skip
    """A block of rows or columns of one product, or several whole products of a batch; with the bias."""
    group, block = piece // (row_blocks * column_blocks), piece % (row_blocks * column_blocks)
    i, j = block // column_blocks, block % column_blocks
    top, bottom = rows * i // row_blocks, rows * (i + 1) // row_blocks
    left, right = columns * j // column_blocks, columns * (j + 1) // column_blocks
    for item in range(group * together, min(items, (group + 1) * together)):
        block = value + places[3 * item + 2] + 4 * (top * columns + left)
        multiply_block(
            sgemm, way_a, way_b, bottom - top, right - left, depth,
            a + places[3 * item] + top * row, step_a, b + places[3 * item + 1] + left * column, step_b, block, columns,
        )  # fmt: skip
        if bias:
            added, sums = floats_at(bias + 4 * left), floats_at(block)
            for r in range(bottom - top):
                for k in range(right - left):
                    sums[r * columns + k] += added[k]


@functools.cache
def _library() -> int:
    """The address of the product of float32 matrices in NumPy's library; 0 where it is another library.

    From here on it computes in the thread that calls it.
    """
    from threadpoolctl import ThreadpoolController

    for library in ThreadpoolController().select(user_api="blas").lib_controllers:
        try:
            sgemm = ctypes.CDLL(library.filepath).scipy_cblas_sgemm64_
        except (OSError, AttributeError):
            continue
        library.set_num_threads(1)
        return ctypes.cast(sgemm, ctypes.c_void_p).value or 0
    return 0
