"""Tables of vectors, looked up by index."""

import numpy as np

from handmade.kernels.embedding import add_rows
from handmade.ops.op import op


@op
def embedding(weight, *, indices, padding_idx=None, scale_grad_by_freq=False):
    """Rows of weight (V, D): indices of any shape S -> (*S, D). The row `padding_idx` gets no gradient.

    scale_grad_by_freq: the gradient of a row is divided by how often it was asked for.
    """
    check_indices(weight, indices)

    def pullback(g):
        shared = g / _times(indices).astype(g.dtype)[..., None] if scale_grad_by_freq else g
        return (lambda: _gradient(shared, indices, weight, padding_idx),)

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


def _gradient(g, indices, weight, padding_idx):
    """(V, D) from g (..., D): `padding_idx` gets nothing."""
    total = add_rows(g.reshape(-1, weight.shape[1]), indices.reshape(-1), len(weight))
    if padding_idx is not None:
        total[padding_idx] = 0
    return total
