"""Attention, its weights, and their gradients, on arrays whose leading axes (batch, heads) are broadcast.

Letters: S_q queries and S_k keys of d_k numbers each, S_k values of d_v numbers.
"""

from typing import NamedTuple

import numpy as np

from handmade.kernels import products
from handmade.kernels.choice import has_compiled_form
from handmade.kernels.dropout import Noise

Array = np.ndarray


class Kept(NamedTuple):
    """What the way back needs of the weights: themselves, or what makes them from the scores once more."""

    weights: Array | None
    """(..., S_q, S_k), without dropout."""
    limits: Array | None = None
    """(2, ..., S_q, 1): each row's largest score, and its sum of e^(score - largest)."""


@has_compiled_form
def attention(
    query: Array, key: Array, value: Array, mask: Array | None, scale: float, dropout: Noise | None
) -> tuple[Array, Kept]:
    """softmax(scale query key^T + mask) value, (..., S_q, d_v). Mask and `dropout` as in `ops.attention`."""
    weights = attention_weights(query, key, mask, scale)
    applied = weights if dropout is None else weights * dropout.mask_of_rows(weights.shape, weights.dtype)
    return products.matmul(applied, value), Kept(weights)


@has_compiled_form
def attention_backward(
    g: Array, query: Array, key: Array, value: Array, mask: Array | None, scale: float, dropout: Noise | None,
    output: Array, kept: Kept,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """Gradients of query, key and value from that of the output, g (..., S_q, d_v)."""
    weights = attention_weights(query, key, mask, scale) if kept.weights is None else kept.weights
    d_weights = products.matmul(g, value.swapaxes(-1, -2))
    applied = weights
    if dropout is not None:
        factors = dropout.mask_of_rows(weights.shape, weights.dtype)
        d_weights *= factors
        applied = weights * factors
    d_query, d_key = attention_weights_backward(d_weights, weights, query, key, scale)
    return d_query, d_key, products.matmul(applied.swapaxes(-1, -2), g)


def attention_weights(query: Array, key: Array, mask: Array | None, scale: float) -> Array:
    """softmax(scale query key^T + mask) along the keys: (..., S_q, d_k), (..., S_k, d_k) -> (..., S_q, S_k).

    The mask is boolean, True where a query may look, or is added to the scores. A query that may look nowhere has
    zero weights.
    """
    weights = products.matmul(query * query.dtype.type(scale), key.swapaxes(-1, -2))
    softmax_(weights, mask)
    return weights


@has_compiled_form
def softmax_(weights: Array, mask: Array | None) -> None:
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


def attention_weights_backward(g: Array, weights: Array, query: Array, key: Array, scale: float) -> tuple[Array, Array]:
    """Gradients of query and key from that of the weights, g (..., S_q, S_k). Overwrites g.

    Through the softmax, d_scores = weights (g - sum_k g weights): zero in rows of zero weights.
    """
    softmax_backward_(g, weights, scale)
    return products.matmul(g, key), products.matmul(g.swapaxes(-1, -2), query)


@has_compiled_form
def softmax_backward_(g: Array, weights: Array, scale: float) -> None:
    """The gradient g of the weights becomes that of the products, scale times that of the scores, in place."""
    g -= np.vecdot(g, weights)[..., None]
    g *= weights
    g *= g.dtype.type(scale)
