"""Attention. S_q queries and S_k keys of d_k numbers, S_k values of d_v numbers, H heads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from handmade.engine import Tensor, random
from handmade.nn.functional.arguments import constant, run
from handmade.ops import attention
from handmade.ops.dropout import dropout_mask

_record: ContextVar[list[np.ndarray] | None] = ContextVar("attention weights", default=None)


@contextmanager
def recorded_attention() -> Iterator[list[np.ndarray]]:
    """Inside, every call of `scaled_dot_product_attention` adds its attention weights (..., H, S_q, S_k) to the list.

    They come in the order of the calls, before dropout: for a network, one entry a layer. A query's weights sum to one,
    or are zero where it may look nowhere.

        with recorded_attention() as weights:
            model(tokens)
        weights[0][0, 3]  # first layer, first sample, fourth head: (S_q, S_k)
    """
    weights: list[np.ndarray] = []
    before = _record.set(weights)
    try:
        yield weights
    finally:
        _record.reset(before)


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(query key^T scale + mask) value: (..., S_q, d_k), (..., S_k, d_k), (..., S_k, d_v) -> (..., S_q, d_v).

    attn_mask broadcasts to (..., S_q, S_k): boolean, True where a query may look, or numbers added to the scores; it is
    a constant. is_causal lets query i see keys 0 to i. scale is 1 / sqrt(d_k) unless given. Dropout acts on the weights
    whenever dropout_p > 0: a layer passes 0 in evaluation. A query that may look nowhere gets zeros (Vaswani et al.
    2017, section 3.2.1).

    enable_gqa: key and value have fewer heads than query, (..., H / r, S_k, d); each serves r neighbouring heads
    (Ainslie et al. 2023).
    """
    mask = constant("scaled_dot_product_attention", "attn_mask", attn_mask, query)
    if is_causal:
        if mask is not None:
            raise ValueError("scaled_dot_product_attention: give attn_mask or is_causal=True, not both")
        mask = Tensor(attention.causal_mask(query.shape[-2], key.shape[-2]))
    if enable_gqa:
        output = scaled_dot_product_attention(*_in_groups(query, key, value, mask), dropout_p, scale=scale)
        record = _record.get()
        if record is not None:
            record[-1] = record[-1].reshape(*query.shape[:-1], key.shape[-2])
        return output.flatten(-4, -3)
    dropped = None
    if dropout_p:
        weights = (*np.broadcast_shapes(query.shape[:-2], key.shape[:-2]), query.shape[-2], key.shape[-2])
        dropped = dropout_mask(weights, p=dropout_p, rng=random.generator(), dtype=query.dtype)
    operation = attention.scaled_dot_product_attention
    return run(operation, query, key, value, mask=mask, scale=scale, dropout_mask=dropped, record=_record.get())


def attention_weights(query: Tensor, key: Tensor, attn_mask: Tensor | None = None) -> Tensor:
    """The weights alone, (..., S_q, S_k), with their gradient; recorded as those of the whole are."""
    return run(attention.attention_weights, query, key, mask=attn_mask, record=_record.get())


def _in_groups(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """The heads of query, (..., H, S_q, d), as (..., groups, H / groups, S_q, d); those of the others broadcast."""
    heads, groups = (x.shape[-3] if x.ndim > 2 else 0 for x in (query, key))
    if not groups or heads % groups or value.shape[-3] != groups:
        raise ValueError(
            f"scaled_dot_product_attention: query {query.shape}, key {key.shape}, value {value.shape}: with enable_gqa "
            "the heads, third axis from the end, of query must be a multiple of those of key and value"
        )
    split = lambda x: x.reshape(*x.shape[:-3], groups, heads // groups, *x.shape[-2:])
    if mask is not None and mask.ndim > 2:
        mask = split(mask) if mask.shape[-3] == heads else mask.unsqueeze(-3)
    return split(query), key.unsqueeze(-3), value.unsqueeze(-3), mask
