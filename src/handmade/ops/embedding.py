"""Tables of vectors, looked up by index."""

import numpy as np

from handmade.ops.op import op


@op
def embedding(weight, *, indices, padding_idx=None, scale_grad_by_freq=False):
    """Rows of weight (V, D): indices of any shape S -> (*S, D). The row `padding_idx` gets no gradient.

    scale_grad_by_freq: the gradient of a row is divided by how often it was asked for.
    """
    check_indices(weight, indices)

    def pullback(g):
        shared = g / _times(indices).astype(g.dtype)[..., None] if scale_grad_by_freq else g
        return (lambda: _add_rows(shared.reshape(-1, weight.shape[1]), indices.reshape(-1), weight, padding_idx),)

    return np.take(weight, indices, axis=0), pullback


def check_indices(weight, indices):
    """Raise ValueError, TypeError or IndexError unless these are rows of a table (V, D)."""
    if weight.ndim != 2:
        raise ValueError(f"embedding: weight has shape {weight.shape}, expected a table (num_embeddings, dim)")
    if indices.dtype.kind not in "iu":
        raise TypeError(f"embedding: indices are {indices.dtype}, expected integers")
    outside = (indices < 0) | (indices >= len(weight))
    if outside.any():
        raise IndexError(
            f"embedding: index {indices[outside][0]} is outside the table, which has {len(weight)} rows "
            f"(0 to {len(weight) - 1})"
        )


def _times(indices):
    """How often each index occurs, in the shape of the indices."""
    _, place, times = np.unique(indices, return_inverse=True, return_counts=True)
    return times[place].reshape(indices.shape)


def _add_rows(g, indices, weight, padding_idx):
    """Each row of the table gets the sum of the gradients g (N, D) of its uses, `indices` (N,).

    After sorting, the uses of a row are next to each other; they are added in pairs, repeatedly, until each row has one
    sum. (np.add.at and np.add.reduceat give the same sums, several times slower.)
    """
    order = np.argsort(indices, kind="stable")
    rows, sums = indices[order], np.take(g, order, axis=0)
    while (rows[1:] == rows[:-1]).any():
        first = np.flatnonzero(np.diff(rows, prepend=-1))  # where each row's uses begin
        place = np.arange(len(rows)) - np.repeat(first, np.diff(first, append=len(rows)))
        even, odd = np.flatnonzero(place % 2 == 0), np.flatnonzero(place % 2)
        sums[odd - 1] += sums[odd]
        rows, sums = rows[even], sums[even]
    total = np.zeros(weight.shape, weight.dtype)
    total[rows] = sums
    if padding_idx is not None:
        total[padding_idx] = 0
    return total
