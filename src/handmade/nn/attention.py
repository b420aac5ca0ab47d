"""Attention layers: several heads, each with its own projections of queries, keys and values.

    x --in_proj--> query, key, value --heads apart--> H heads of d numbers --attention--> --heads joined, out_proj--> y

B batch, S_q queries and S_k keys (S of both in self-attention), E = H d embed_dim, H heads of d numbers
"""

from __future__ import annotations

import math
from functools import reduce
from operator import add, or_
from typing import Any

import handmade.nn.functional as F
from handmade.engine import Tensor, bool_
from handmade.engine.creation import empty, ones, zeros, zeros_like
from handmade.engine.functions import cat
from handmade.nn import init
from handmade.nn.functional.attention import attention_weights
from handmade.nn.linear import Linear
from handmade.nn.module import Module, Parameter
from handmade.nn.positions import RotaryEmbedding

KeyValue = tuple[Tensor, Tensor]
"""Keys and values of the heads, (B, H, S_k, d) each."""


class MultiheadAttention(Module):
    """Concat(head_1 ... head_H) Wo, head_h = Attention(query Wq_h, key Wk_h, value Wv_h) (Vaswani et al. 2017, 3.2.2).

    query (S_q, B, E), key (S_k, B, kdim), value (S_k, B, vdim) -> (S_q, B, E); with `batch_first` the batch comes first
    in all of them. in_proj_weight (3E, E) holds Wq, Wk and Wv stacked along axis 0; if kdim or vdim differs from E,
    they are q_proj_weight, k_proj_weight and v_proj_weight instead. Dropout acts on the attention weights.

    Masks are PyTorch's: True, or a large negative number to add, HIDES a key (in scaled_dot_product_attention True
    means the opposite). A query with every key hidden gets zeros from all heads, where PyTorch gives NaN.
    Two options add a key that is not in the input, and that every query may attend to: `add_bias_kv` a learned one,
    bias_k and bias_v (1, 1, E), `add_zero_attn` zeros, with which a query can attend to nothing.

    >>> from handmade import nn, randn
    >>> attention = nn.MultiheadAttention(16, num_heads=4, batch_first=True)
    >>> query, memory = randn(2, 5, 16), randn(2, 7, 16)
    >>> output, attention_weights = attention(query, memory, memory)
    >>> output.shape, attention_weights.shape  # the weights are the heads' mean
    ((2, 5, 16), (2, 5, 7))
    """

    attention = staticmethod(F.scaled_dot_product_attention)

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
    ) -> None:
        super().__init__()
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.head_dim = _head_dim(type(self).__name__, embed_dim, num_heads)
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.dropout = dropout
        self.batch_first = batch_first
        joint = self.kdim == self.vdim == embed_dim
        self.in_proj_weight = Parameter(empty(3 * embed_dim, embed_dim)) if joint else None
        self.q_proj_weight = None if joint else Parameter(empty(embed_dim, embed_dim))
        self.k_proj_weight = None if joint else Parameter(empty(embed_dim, self.kdim))
        self.v_proj_weight = None if joint else Parameter(empty(embed_dim, self.vdim))
        self.in_proj_bias = Parameter(zeros(3 * embed_dim)) if bias else None
        self.bias_k = Parameter(init.xavier_normal_(empty(1, 1, embed_dim))) if add_bias_kv else None
        self.bias_v = Parameter(init.xavier_normal_(empty(1, 1, embed_dim))) if add_bias_kv else None
        self.add_zero_attn = add_zero_attn
        self.out_proj = Linear(embed_dim, embed_dim, bias)
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.out_proj.bias is not None:
            init.zeros_(self.out_proj.bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """(output, attention weights or None).

        Args:
            query: (S_q, B, E), or (B, S_q, E) with batch_first; so are key and value.
            key: (S_k, B, kdim).
            value: (S_k, B, vdim).
            key_padding_mask: (B, S_k), True for the padding of a sample: keys that none of its queries may attend to.
            need_weights: whether to return the weights; without them it is faster.
            attn_mask: (S_q, S_k), or (B H, S_q, S_k) with all heads of a sample next to each other; True hides a key
                from a query. Either mask may hold floats instead, which are added to the scores.
            average_attn_weights: return the mean over the heads, (B, S_q, S_k), instead of (B, H, S_q, S_k).
            is_causal: also hide the keys after i from query i. (PyTorch requires attn_mask as well.)
        """
        if query.ndim == key.ndim == value.ndim == 2:  # one sample, without a batch axis
            batch = int(not self.batch_first)
            given = {id(x): x.unsqueeze(batch) for x in (query, key, value)}  # the same tensors stay the same
            padding = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
            options = (padding, need_weights, attn_mask, average_attn_weights, is_causal)
            output, weights = self(*(given[id(x)] for x in (query, key, value)), *options)
            return output.squeeze(batch), None if weights is None else weights.squeeze(0)
        self._check(query=query, key=key, value=value)
        if query is key is value:
            q, k, v = self._self_projections(query)
        else:
            q, (k, v) = self.queries(query), self.keys_and_values(key, value)
        scores = (q.shape[0], self.num_heads, q.shape[2], k.shape[2])
        mask = merged_mask(attn_mask, key_padding_mask, is_causal, scores, q.device)
        k, v, mask = self._with_added_keys(k, v, mask)
        if not need_weights:
            return self.attend(q, k, v, mask), None
        weights = attention_weights(q, k, mask)
        output = self._joined(F.dropout(weights, self.dropout, self.training) @ v)
        return output, weights.mean(1) if average_attn_weights else weights

    # --- its steps, called one by one by a decoder that caches keys and values ---------------------------------------

    def queries(self, query: Tensor) -> Tensor:
        """query Wq for each head: (B, S_q, E), or (S_q, B, E) -> (B, H, S_q, d)."""
        return self._heads(F.linear(query, *self._projection(0)))

    def keys_and_values(self, key: Tensor, value: Tensor) -> KeyValue:
        """key Wk and value Wv for each head, both (B, H, S_k, d)."""
        if key is value and self.in_proj_weight is not None:
            both = F.linear(key, *self._projection(1, 3))
            k, v = both.chunk(2, dim=-1)
            return self._heads(k), self._heads(v)
        return self._heads(F.linear(key, *self._projection(1))), self._heads(F.linear(value, *self._projection(2)))

    def attend(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
        """Attention of all heads, concatenated and projected; mask as from `merged_mask`, True for visible keys."""
        dropout = self.dropout if self.training else 0.0
        return self._joined(self.attention(q, k, v, mask, dropout))

    def _with_added_keys(self, k: Tensor, v: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """The keys and values of the heads, and the visible ones among them, with those of the two options."""
        added = []
        if self.bias_k is not None and self.bias_v is not None:
            added.append([x.reshape(1, self.num_heads, 1, self.head_dim) for x in (self.bias_k, self.bias_v)])
        if self.add_zero_attn:
            added.append([k.new_zeros(1, 1, 1, 1)] * 2)
        for key, value in added:
            one = (k.shape[0], self.num_heads, 1, self.head_dim)
            k, v = cat([k, key.expand(one)], dim=2), cat([v, value.expand(one)], dim=2)
            if mask is not None:
                seen = mask.new_full((*mask.shape[:-1], 1), mask.dtype == bool_)  # True, or 0 to be added
                mask = cat([mask, seen], dim=-1)
        return k, v, mask

    def _self_projections(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        if self.in_proj_weight is None:
            return self.queries(x), *self.keys_and_values(x, x)
        q, k, v = F.linear(x, self.in_proj_weight, self.in_proj_bias).chunk(3, dim=-1)
        return self._heads(q), self._heads(k), self._heads(v)

    def _projection(self, first: int, end: int | None = None) -> tuple[Tensor, Tensor | None]:
        """Weight and bias of the query (0), the key (1) or the value (2), or of `range(first, end)` together."""
        rows = slice(first * self.embed_dim, (first + 1 if end is None else end) * self.embed_dim)
        bias = None if self.in_proj_bias is None else self.in_proj_bias[rows]
        if self.in_proj_weight is not None:
            return self.in_proj_weight[rows], bias
        weight = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)[first]
        assert weight is not None
        return weight, bias

    def _heads(self, x: Tensor) -> Tensor:
        x = x.reshape(*x.shape[:2], self.num_heads, self.head_dim)
        return x.permute(0, 2, 1, 3) if self.batch_first else x.permute(1, 2, 0, 3)  # -> B H S d

    def _joined(self, heads: Tensor) -> Tensor:
        rows = heads.permute(0, 2, 1, 3) if self.batch_first else heads.permute(2, 0, 1, 3)  # B H S d -> B S H d
        return self.out_proj(rows.flatten(2))

    def _check(self, **inputs: Tensor) -> None:
        batch = inputs["query"].shape[0 if self.batch_first else 1] if inputs["query"].ndim == 3 else None
        for (name, x), size in zip(inputs.items(), (self.embed_dim, self.kdim, self.vdim), strict=True):
            if x.ndim != 3 or x.shape[2] != size or x.shape[0 if self.batch_first else 1] != batch:
                axes = f"(B, S, {size})" if self.batch_first else f"(S, B, {size})"
                raise ValueError(
                    f"MultiheadAttention: {name} has shape {x.shape}; expected {axes}, batch_first={self.batch_first}"
                    + ("" if batch is None else f", with B = {batch} as in query")
                )
        if inputs["key"].shape[:2] != inputs["value"].shape[:2]:
            raise ValueError(
                f"MultiheadAttention: key {inputs['key'].shape} and value {inputs['value'].shape} "
                "must have the same S: each key has one value"
            )


class GroupedQueryAttention(Module):
    """Self-attention in which each head of keys and values serves H / num_kv_heads query heads (Ainslie et al. 2023),
    so that the key-value cache is smaller when text is generated. num_kv_heads = 1 is multi-query attention (Shazeer
    2019), num_kv_heads = num_heads ordinary multi-head attention.

    (B, S, E) -> (B, S, E). q_proj, k_proj, v_proj and o_proj are Llama's names; `rotary` rotates queries and keys by
    their positions.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        num_kv_heads: int,
        dropout: float = 0.0,
        bias: bool = False,
        rotary: RotaryEmbedding | None = None,
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.num_kv_heads = num_kv_heads
        self.head_dim = _head_dim(type(self).__name__, embed_dim, num_heads)
        if num_kv_heads < 1 or num_heads % num_kv_heads:
            raise ValueError(
                f"GroupedQueryAttention: num_kv_heads is {num_kv_heads}, which does not divide num_heads = {num_heads}:"
                " every key and value must serve the same number of query heads"
            )
        self.dropout = dropout
        self.q_proj = Linear(embed_dim, embed_dim, bias)
        self.k_proj = Linear(embed_dim, num_kv_heads * self.head_dim, bias)
        self.v_proj = Linear(embed_dim, num_kv_heads * self.head_dim, bias)
        self.o_proj = Linear(embed_dim, embed_dim, bias)
        self.rotary = rotary

    def forward(self, x: Tensor, attn_mask: Tensor | None = None, is_causal: bool = False) -> Tensor:
        """attn_mask and is_causal as in `scaled_dot_product_attention`: True where a query may attend to a key."""
        heads = lambda y: y.reshape(*y.shape[:2], -1, self.head_dim).transpose(1, 2)  # B S E -> B H S d
        q, k, v = heads(self.q_proj(x)), heads(self.k_proj(x)), heads(self.v_proj(x))
        if self.rotary is not None:
            q, k = self.rotary(q), self.rotary(k)
        dropout = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, attn_mask, dropout, is_causal, enable_gqa=True)
        return self.o_proj(y.transpose(1, 2).flatten(2))


def merged_mask(
    attn_mask: Tensor | None,
    key_padding_mask: Tensor | None,
    is_causal: bool,
    scores: tuple[int, int, int, int],
    device: Any,
) -> Tensor | None:
    """PyTorch's two masks and causality, merged into the one mask that `scaled_dot_product_attention` takes.

    The masks are as in `MultiheadAttention.forward`: True hides. scores is (B, H, S_q, S_k). The result broadcasts to
    it: boolean, True where a query may attend to a key, or, if any mask holds floats, numbers to be added.
    """
    B, H, S_q, S_k = scores
    masks = []
    if attn_mask is not None:
        if attn_mask.shape not in ((S_q, S_k), (B * H, S_q, S_k)):
            raise ValueError(
                f"attn_mask has shape {attn_mask.shape}; expected (S_q, S_k) = {(S_q, S_k)}, queries and keys, "
                f"or (B H, S_q, S_k) = {(B * H, S_q, S_k)} for B = {B} samples and H = {H} heads"
            )
        masks.append(attn_mask if attn_mask.ndim == 2 else attn_mask.reshape(scores))
    if key_padding_mask is not None:
        if key_padding_mask.shape != (B, S_k):
            raise ValueError(
                f"key_padding_mask has shape {key_padding_mask.shape}; expected (B, S_k) = {(B, S_k)}: "
                f"one entry for each of {S_k} keys of each of {B} samples"
            )
        masks.append(key_padding_mask[:, None, None])
    if is_causal:
        masks.append(ones(S_q, S_k, dtype=bool_, device=device).triu(1))
    for mask in masks:
        if not (mask.dtype == bool_ or mask.is_floating_point()):
            raise TypeError(f"a mask is {mask.dtype}; expected bool (True hides a key) or floats, added to the scores")
    floats = [mask.dtype for mask in masks if mask.is_floating_point()]
    if not masks:
        return None
    if not floats:
        return ~reduce(or_, masks)
    as_numbers = lambda mask: zeros_like(mask, dtype=floats[0]).masked_fill(mask, -math.inf)
    return reduce(add, [as_numbers(mask) if mask.dtype == bool_ else mask for mask in masks])  # learned or not


def _head_dim(layer: str, embed_dim: int, num_heads: int) -> int:
    if num_heads < 1 or embed_dim % num_heads:
        raise ValueError(
            f"{layer}: num_heads is {num_heads}, which does not divide embed_dim = {embed_dim}: the heads share it "
            "equally"
        )
    return embed_dim // num_heads
