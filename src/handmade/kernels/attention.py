"""Attention weights and their gradient, on arrays whose leading axes (batch, heads) are broadcast.

Letters: S_q queries and S_k keys of d_k numbers each.
"""

import numpy as np

from handmade.kernels import products
from handmade.kernels.choice import has_compiled_form


def attention_weights(query: np.ndarray, key: np.ndarray, mask: np.ndarray | None, scale: float) -> np.ndarray:
    """softmax(scale query key^T + mask) along the keys: (..., S_q, d_k), (..., S_k, d_k) -> (..., S_q, S_k).

    The mask is boolean, True where a query may look, or is added to the scores. A query that may look nowhere has
    zero weights.
    """
    weights = products.matmul(query * query.dtype.type(scale), key.swapaxes(-1, -2))
    softmax_(weights, mask)
    return weights


@has_compiled_form
def softmax_(weights: np.ndarray, mask: np.ndarray | None) -> None:
    """The scores (..., S_q, S_k) become weights, in place, under the mask."""
    if mask is not None:
        weights += np.where(mask, 0, -np.inf).astype(weights.dtype) if mask.dtype == bool else mask
    largest = weights.max(axis=-1, keepdims=True)
    if mask is not None:
        largest[largest == -np.inf] = 0  # exp(-inf - 0) = 0, where -inf - (-inf) is NaN
    weights -= largest
    np.exp(weights, out=weights)
    total = weights.sum(axis=-1, keepdims=True)
    if mask is not None:
        total[total == 0] = 1
    weights /= total


def attention_weights_backward(
    g: np.ndarray, weights: np.ndarray, query: np.ndarray, key: np.ndarray, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of query and key from that of the weights, g (..., S_q, S_k). Overwrites g.

    Through the softmax, d_scores = weights (g - sum_k g weights): zero in rows of zero weights.
    """
    softmax_backward_(g, weights, scale)
    return products.matmul(g, key), products.matmul(g.swapaxes(-1, -2), query)


@has_compiled_form
def softmax_backward_(g: np.ndarray, weights: np.ndarray, scale: float) -> None:
    """The gradient g of the weights becomes that of the products, scale times that of the scores, in place."""
    g -= np.vecdot(g, weights)[..., None]
    g *= weights
    g *= g.dtype.type(scale)
