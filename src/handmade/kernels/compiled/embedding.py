"""The sums of an embedding's gradients in one pass over them; see `kernels/embedding.py`.

A piece is some rows of the table, so no two threads ever add to the same one. The uses of a row are added in runs of
RUN, and those sums to each other, which keeps the rounding of long sums small.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from handmade.kernels.choice import worth
from handmade.kernels.compiled.build import Floats, Ints, kernel
from handmade.kernels.compiled.instructions import shift

LEAST = 1 << 12
"""Numbers that repay the call of a kernel."""
PIECE = 1 << 14
"""Numbers of the table in a piece, about."""
RUN = 16


def add_rows(g: np.ndarray, indices: np.ndarray, rows: int) -> Any:
    """See `kernels.embedding.add_rows`."""
    if not worth(g.size, LEAST) or not g.size:
        return NotImplemented
    width = g.shape[1]
    total = np.empty((rows, width), np.float32)
    order = np.argsort(indices, kind="stable")
    ends = np.cumsum(np.bincount(indices, minlength=rows))
    step = max(1, PIECE // width)
    _add_rows(-(-rows // step), np.ascontiguousarray(g), order, ends, total, rows, width, step, scratch=width)
    return total


@kernel
def _add_rows(
    piece: int, scratch: Floats, g: Floats, order: Ints, ends: Ints, total: Floats, rows: int, width: int, step: int
) -> None:
    first = piece * step
    start = ends[first - 1] if first else 0
    for row in range(first, min(rows, first + step)):
        y, end = shift(total, row * width), ends[row]
        for d in range(width):
            y[d] = 0.0
        while start < end:
            run = min(end, start + RUN)
            x = shift(g, order[start] * width)
            for d in range(width):
                scratch[d] = x[d]
            for n in range(start + 1, run):
                x = shift(g, order[n] * width)
                for d in range(width):
                    scratch[d] += x[d]
            for d in range(width):
                y[d] += scratch[d]
            start = run
