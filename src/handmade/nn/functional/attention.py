"""Attention. S_q queries and S_k keys of d_k numbers, S_k values of d_v numbers."""

from __future__ import annotations

import numpy as np

from handmade import random
from handmade.nn.functional.arguments import constant, run
from handmade.ops import attention
from handmade.ops.dropout import dropout_mask
from handmade.tensor import Tensor


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """softmax(query key^T scale + mask) value: (..., S_q, d_k), (..., S_k, d_k), (..., S_k, d_v) -> (..., S_q, d_v).

    attn_mask broadcasts to (..., S_q, S_k): boolean, True where a query may look, or numbers added to the scores; it is
    a constant. is_causal lets query i see keys 0 to i. scale is 1 / sqrt(d_k) unless given. Dropout acts on the weights
    whenever dropout_p > 0: a layer passes 0 in evaluation. A query that may look nowhere gets zeros (Vaswani et al.
    2017, section 3.2.1).
    """
    mask = constant("scaled_dot_product_attention", "attn_mask", attn_mask, query)
    if is_causal:
        if mask is not None:
            raise ValueError("scaled_dot_product_attention: give attn_mask or is_causal=True, not both")
        mask = attention.causal_mask(query.shape[-2], key.shape[-2])
    dropped = None
    if dropout_p:
        weights = (*np.broadcast_shapes(query.shape[:-2], key.shape[:-2]), query.shape[-2], key.shape[-2])
        dropped = dropout_mask(weights, p=dropout_p, rng=random.generator(), dtype=query.dtype)
    operation = attention.scaled_dot_product_attention
    return run(operation, query, key, value, mask=mask, scale=scale, dropout_mask=dropped)
