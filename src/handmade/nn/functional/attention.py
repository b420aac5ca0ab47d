"""Attention. S_q queries and S_k keys of size d_k, S_k values of size d_v, H heads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from handmade.engine import Call, Tensor, random, watching
from handmade.kernels.dropout import Noise
from handmade.nn.functional.arguments import run
from handmade.ops import attention


@contextmanager
def recorded_attention() -> Iterator[list[np.ndarray]]:
    """Inside, every call of `scaled_dot_product_attention` adds its attention weights (..., H, S_q, S_k) to the list.

    They are in the order of the calls, before dropout: for a network, one entry per layer. The weights of a query sum
    to one, or are all zero if every key is masked.

        with recorded_attention() as weights:
            model(tokens)
        weights[0][0, 3]  # first layer, first sample, fourth head: (S_q, S_k)
    """
    weights: list[np.ndarray] = []

    def note(call: Call) -> None:
        if call.name == "attention_weights":
            weights.append(call.result.array)
        elif call.name in ("scaled_dot_product_attention", "attention_with_learned_mask"):  # computed again
            query, key, _, *learned = (x.array for x in call.inputs)
            mask = learned[0] if learned else call.options["mask"]
            weights.append(attention.attention_weights(query, key, mask=mask, scale=call.options["scale"])[0])

    with watching(note):
        yield weights


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

    attn_mask broadcasts to (..., S_q, S_k): boolean, True where a query may attend to a key, or numbers to add to the
    scores, which may be learned. is_causal lets query i attend to keys 0 to i. scale is 1 / sqrt(d_k) unless given.
    Dropout acts on the weights whenever dropout_p > 0: a layer passes 0 in evaluation mode. A query with every key
    masked gets zeros (Vaswani et al. 2017, section 3.2.1).

    enable_gqa: key and value have fewer heads than query, (..., H / r, S_k, d); each serves r consecutive query heads
    (Ainslie et al. 2023).
    """
    mask = attn_mask
    if is_causal:
        if mask is not None:
            raise ValueError("scaled_dot_product_attention: pass attn_mask or is_causal=True, not both")
        mask = Tensor(attention.causal_mask(query.shape[-2], key.shape[-2]))
    if enable_gqa:
        key, value = _for_each_head(query, key, value)
    dropout = Noise.drawn(dropout_p, random.generator()) if dropout_p else None
    operation = attention.scaled_dot_product_attention
    if mask is not None and mask.requires_grad:
        operation = attention.attention_with_learned_mask
        return run(operation, query, key, value, mask, scale=scale, dropout=dropout)
    return run(operation, query, key, value, mask=mask, scale=scale, dropout=dropout)


def attention_weights(query: Tensor, key: Tensor, attn_mask: Tensor | None = None) -> Tensor:
    """The attention weights alone, (..., S_q, S_k); differentiable."""
    return run(attention.attention_weights, query, key, mask=attn_mask)


def _for_each_head(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """Keys and values (..., groups, S_k, d), repeated for each head of query: (..., H, S_k, d)."""
    heads, groups = (x.shape[-3] if x.ndim > 2 else 0 for x in (query, key))
    if not groups or heads % groups or value.shape[-3] != groups:
        raise ValueError(
            f"scaled_dot_product_attention: query {query.shape}, key {key.shape}, value {value.shape}: with enable_gqa "
            "the number of query heads (third axis from the end) must be a multiple of that of key and value"
        )

    def spread(x: Tensor) -> Tensor:
        *batch, _, S_k, d = x.shape
        return x.unsqueeze(-3).expand(*batch, groups, heads // groups, S_k, d).flatten(-4, -3)

    return spread(key), spread(value)
