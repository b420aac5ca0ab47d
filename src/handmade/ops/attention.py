"""Scaled dot-product attention (Vaswani et al. 2017, section 3.2.1): softmax(Q K^T / sqrt(d_k)) V.

Letters: S_q queries and S_k keys of size d_k, S_k values of size d_v; leading axes (batch, heads) broadcast.
"""

import math

import numpy as np

from handmade.kernels import attention as kernels
from handmade.kernels import products
from handmade.ops.op import op


@op
def scaled_dot_product_attention(query, key, value, *, mask=None, scale=None, dropout=None):
    """(..., S_q, d_k), (..., S_k, d_k), (..., S_k, d_v) -> (..., S_q, d_v).

    mask broadcasts to the scores (..., S_q, S_k): boolean, True where a query may attend to a key, or numbers to add.
    A query with every key masked gets zeros and no gradient. scale is 1 / sqrt(d_k) unless given. dropout, a
    `kernels.dropout.Noise`, is what the weights are dropped by.
    """
    _check_values(key, value)
    scale = _checked_scale(query, key, mask, scale)
    output, kept = kernels.attention(query, key, value, mask, scale, dropout)

    def pullback(g):
        return kernels.attention_backward(g, query, key, value, mask, scale, dropout, output, kept)

    return output, pullback


@op
def attention_with_learned_mask(query, key, value, mask, *, scale=None, dropout=None):
    """Like `scaled_dot_product_attention`, but also differentiated by the mask, which is added to the scores."""
    _check_values(key, value)
    weights, weights_pullback = weights_with_learned_mask(query, key, mask, scale=scale)
    kept = None if dropout is None else dropout.mask_of_rows(weights.shape, weights.dtype)
    applied = weights if kept is None else weights * kept

    def pullback(g):
        d_weights = products.matmul(g, value.swapaxes(-1, -2))
        if kept is not None:
            d_weights *= kept
        d_query, d_key, d_mask = weights_pullback(d_weights)
        return d_query, d_key, lambda: products.matmul(applied.swapaxes(-1, -2), g), d_mask

    return products.matmul(applied, value), pullback


@op
def attention_weights(query, key, *, mask=None, scale=None):
    """The weights alone, (..., S_q, S_k): each row sums to one, or is all zero if every key is masked."""
    weights, pullback = weights_with_learned_mask(query, key, mask, scale=scale)
    return weights, lambda g: pullback(g.copy())[:2]


def weights_with_learned_mask(query, key, mask, *, scale=None):
    """Like `attention_weights`, but also differentiated by the mask; the pullback overwrites g."""
    scale = _checked_scale(query, key, mask, scale)
    weights = kernels.attention_weights(query, key, mask, scale)

    def pullback(g):
        d_query, d_key = kernels.attention_weights_backward(g, weights, query, key, scale)
        return d_query, d_key, lambda: g / g.dtype.type(scale)  # g is by now the gradient of query key^T

    return weights, pullback


def causal_mask(queries: int, keys: int, offset: int = 0) -> np.ndarray:
    """(S_q, S_k), True where query i may attend to key j: j <= i + offset.

    With offset 0 the first query sees the first key only (PyTorch's is_causal). With offset S_k - S_q the last query
    sees all keys: the queries are then the last S_q of the S_k positions, as with a key-value cache.
    """
    return np.tri(queries, keys, offset, dtype=bool)


def _check_values(key, value):
    if value.ndim < 2 or key.ndim < 2 or value.shape[-2] != key.shape[-2]:
        raise ValueError(f"attention: key {key.shape} and value {value.shape} must have equally many rows (S_k)")


def _checked_scale(query, key, mask, scale):
    if query.ndim < 2 or key.ndim < 2 or query.shape[-1] != key.shape[-1]:
        raise ValueError(f"attention: query {query.shape} and key {key.shape} must have rows of the same size (d_k)")
    if mask is not None:
        scores = (*np.broadcast_shapes(query.shape[:-2], key.shape[:-2]), query.shape[-2], key.shape[-2])
        if mask.dtype not in (bool, query.dtype):
            raise TypeError(
                f"attention: mask is {mask.dtype}, expected bool (True where a query may attend) or {query.dtype} "
                "(added to the scores)"
            )
        if mask.ndim > len(scores) or any(
            m not in (1, n) for m, n in zip(mask.shape[::-1], scores[::-1], strict=False)
        ):
            raise ValueError(
                f"attention: mask of shape {mask.shape} does not broadcast to the scores {scores}: its last axes must "
                f"be S_q = {scores[-2]} queries and S_k = {scores[-1]} keys, or 1"
            )
    return 1 / math.sqrt(query.shape[-1]) if scale is None else scale
