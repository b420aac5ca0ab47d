"""Arrays as bare memory."""

import numpy as np


def flat(x: np.ndarray) -> np.ndarray | None:
    """The numbers of x in the order of memory, as a view (size,); None where other memory lies between them."""
    if x.flags.c_contiguous:
        return x.reshape(-1)
    order = sorted(range(x.ndim), key=lambda axis: -x.strides[axis])
    view = x.transpose(order)
    return view.reshape(-1) if view.flags.c_contiguous else None


def rows_in_memory(x: np.ndarray) -> np.ndarray | None:
    """x as a matrix (rows, columns) in the order of memory, a view whose rows are whole; None where there is no such.

    A slice of an array's channels is one: its rows lie apart, at equal distances.
    """
    order = sorted(range(x.ndim), key=lambda axis: -x.strides[axis])
    view = x.transpose(order)
    if x.ndim < 2 or view.strides[-1] != x.itemsize:
        return None
    for axis in range(x.ndim - 2):
        if view.strides[axis] != view.strides[axis + 1] * view.shape[axis + 1]:
            return None
    return view.reshape(-1, view.shape[-1])
