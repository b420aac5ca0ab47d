"""The loops of softmax-cross-entropy: two readings of the logits, no array of probabilities or of their logarithms.

R rows, C classes. Way forward, way back: each reads the logits once, a row at a time, and e^x is made in both.
"""

from collections.abc import Iterator

import numpy as np

from handmade.kernels.choice import has_compiled_form

Array = np.ndarray


@has_compiled_form
def row_sums(rows: Array, uniform: Array | None) -> Array:
    """Of each row x (C,): its largest number m, the sum of e^(x - m), and that of uniform (x - m): (3, R).

    Without `uniform`, which has a number for each class, the last is 0.
    """
    sums = np.zeros((3, len(rows)), rows.dtype)
    largest, total, level = sums
    np.max(rows, axis=1, out=largest)
    for block in blocks(rows):
        shifted = rows[block] - largest[block, None]
        if uniform is not None:
            np.matmul(shifted, uniform, out=level[block])
        np.exp(shifted, out=shifted).sum(axis=1, out=total[block])
    return sums


@has_compiled_form
def row_gradients(rows: Array, largest: Array, factor: Array, uniform: Array | None, share: Array) -> Array:
    """factor e^(x - largest) - share uniform for each row x: rows (R, C); largest, factor and share (R,)."""
    gradient = np.empty_like(rows)
    for block in blocks(rows):
        part = np.subtract(rows[block], largest[block, None], out=gradient[block])
        np.exp(part, out=part)
        part *= factor[block, None]
        if uniform is not None:
            part -= share[block, None] * uniform
    return gradient


def blocks(rows: Array) -> Iterator[slice]:
    """Slices of rows, small enough that what is computed from them stays in a core's cache."""
    step = max(1, (1 << 16) // max(1, rows.shape[1]))
    return (slice(start, start + step) for start in range(0, len(rows), step))
