"""Products of matrices on the kernels' threads.

NumPy's library multiplies one block as well as any code; but its own threads wait for each other in loops, and a busy
core makes all of them wait. Here it gets one thread, and our pool gives it blocks of rows, of columns or of a batch.
How a product is cut depends on its size alone, so results are the same on any number of threads.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from handmade.kernels.choice import worth
from handmade.kernels.threads import for_each

LEAST = 1 << 22
"""Multiplications that repay waking a thread."""
BLOCK = 1 << 21
"""Multiplications of a block of a batch, about: a tenth of a millisecond."""
REPAYS_PACKING = 256
"""Rows, or columns, of a block: each packs the other matrix once more. Blocks of 64 rows lose a third of the speed."""
BLOCKS = 8


def matmul(a: np.ndarray, b: np.ndarray) -> Any:
    """See `kernels.products.matmul`."""
    if a.ndim < 2 or b.ndim < 2 or b.dtype != a.dtype:
        return NotImplemented
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    rows, columns = a.shape[-2], b.shape[-1]
    work = math.prod(batch) * rows * columns * a.shape[-1]
    use_one_blas_thread()
    if not work or not worth(work, LEAST):
        return NotImplemented
    value = np.empty((*batch, rows, columns), a.dtype)
    if batch and batch[0] > 1:
        _by_batch(a, b, value, max(1, min(BLOCKS, work // BLOCK, batch[0])))
    elif rows >= columns:
        _by_rows(a, b, value, _blocks(rows))
    else:
        _by_columns(a, b, value, _blocks(columns))
    return value


def _blocks(size: int) -> int:
    """A power of two, so that two or four threads have as much to do: 1, 2, 4, 8."""
    blocks = 1 if size < 32 else 2
    while blocks < BLOCKS and size > blocks * REPAYS_PACKING:
        blocks *= 2
    return blocks


def _by_batch(a: np.ndarray, b: np.ndarray, value: np.ndarray, blocks: int) -> None:
    """Blocks of the first leading axis."""
    part = lambda array, s: array[s] if array.ndim == value.ndim and len(array) > 1 else array

    def product(i: int) -> None:
        s = _block(value.shape[0], i, blocks)
        np.matmul(part(a, s), part(b, s), out=value[s])

    for_each(product, blocks)


def _by_rows(a: np.ndarray, b: np.ndarray, value: np.ndarray, blocks: int) -> None:
    def product(i: int) -> None:
        s = _block(value.shape[-2], i, blocks)
        np.matmul(a[..., s, :], b, out=value[..., s, :])

    for_each(product, blocks)


def _by_columns(a: np.ndarray, b: np.ndarray, value: np.ndarray, blocks: int) -> None:
    def product(i: int) -> None:
        s = _block(value.shape[-1], i, blocks)
        np.matmul(a, b[..., s], out=value[..., s])

    for_each(product, blocks)


def _block(size: int, i: int, blocks: int) -> slice:
    return slice(size * i // blocks, size * (i + 1) // blocks)


@functools.cache
def use_one_blas_thread() -> None:
    """From here on NumPy's library computes in the thread that calls it."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="blas")
