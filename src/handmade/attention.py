"""Self-attention and multi-head attention: the two functions that one should be able to write from memory.

    Vaswani et al., "Attention Is All You Need" (2017), sections 3.2.1 and 3.2.2.

Each appears here twice. The plain form, on NumPy arrays, is as short as the idea: read it first. The full form computes
the same, takes masks, works on arrays and on tensors (with gradients), and checks its arguments.

Letters: S_q queries attend to S_k keys (self-attention: S of both); a query or key has size d_k, a value d_v;
H heads. Leading axes, such as a batch, may come before.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from handmade.engine import Tensor, apply, random, tensor_of
from handmade.ops.attention import attention_weights as weights_operation
from handmade.ops.attention import causal_mask

Array = np.ndarray | Tensor


def plain_self_attention(Q: np.ndarray, K: np.ndarray, V: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """softmax(Q K^T / sqrt(d_k)) V: each query gets a mean of the values, weighted by how well their keys match it."""
    scores = Q @ K.swapaxes(-1, -2) / np.sqrt(K.shape[-1])  # (S_q, S_k); unscaled, they would grow with d_k
    scores = scores - scores.max(-1, keepdims=True)  # the softmax stays the same, but exp cannot overflow
    weights = np.exp(scores)
    weights = weights / weights.sum(-1, keepdims=True)  # each row sums to one
    return weights @ V, weights


def plain_multi_head_attention(X: np.ndarray, num_heads: int, d_model: int, weights: Any) -> np.ndarray:
    """Attention in H subspaces of d_model / H dimensions each, concatenated and projected by Wo."""
    Wq, Wk, Wv, Wo = weights
    S, d_k = len(X), d_model // num_heads
    split = lambda Y: Y.reshape(S, num_heads, d_k).transpose(1, 0, 2)  # S d_model -> H S d_k
    heads, _ = plain_self_attention(split(X @ Wq), split(X @ Wk), split(X @ Wv))
    return heads.transpose(1, 0, 2).reshape(S, d_model) @ Wo  # H S d_k -> S d_model


def self_attention(Q: Array, K: Array, V: Array, *, mask: Array | None = None, causal: bool = False) -> tuple[Any, Any]:
    """Scaled dot-product attention: output = softmax(Q K^T / sqrt(d_k)) V (section 3.2.1, equation 1).

    Args:
        Q: queries, (..., S_q, d_k).
        K: keys, (..., S_k, d_k).
        V: values, (..., S_k, d_v).
        mask: broadcasts to (..., S_q, S_k); boolean, True where a query may attend to a key, or numbers to add to
            the scores.
        causal: a query sees no key that comes after it. With S_q < S_k the queries are the last S_q positions: the
            last query sees all keys.

    Returns:
        (output (..., S_q, d_v), attention_weights (..., S_q, S_k)), tensors if any input is one, else arrays. Each row
        of weights sums to one; a query with every key masked gets zeros in both.

    Raises:
        ValueError if shapes do not fit, TypeError for an integer mask or mixed float types.

    >>> import numpy as np
    >>> Q, K, V = np.zeros((1, 2)), np.zeros((3, 2)), np.array([[3.0], [6.0], [9.0]])
    >>> output, attention_weights = self_attention(Q, K, V)
    >>> output.round(6)  # all keys alike: the mean of the values
    array([[6.]])
    """
    query, key, value = (_floats(x) for x in (Q, K, V))
    for name, x in (("Q", query), ("K", key), ("V", value)):
        if x.ndim < 2:
            raise ValueError(f"{name} has shape {x.shape}; expected (..., seq_len, d)")
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(f"Q {query.shape} and K {key.shape} must end in the same d_k")
    if key.shape[-2] != value.shape[-2]:
        raise ValueError(f"K {key.shape} and V {value.shape} must have the same seq_len: each key has one value")
    weights = apply(weights_operation, query, key, mask=_mask(query, key, mask, causal))
    output = weights @ value
    if any(isinstance(x, Tensor) for x in (Q, K, V)):
        return output, weights
    return output.array, weights.array


def multi_head_attention(
    X: Array,
    num_heads: int,
    d_model: int,
    *,
    weights: Any = None,
    rng: np.random.Generator | int | None = None,
    mask: Array | None = None,
    causal: bool = False,
    return_weights: bool = False,
) -> Any:
    """Multi-head self-attention: Concat(head_1 ... head_H) Wo, head_h = Attention(X Wq_h, X Wk_h, X Wv_h) (3.2.2).

    Args:
        X: (..., S, d_model).
        num_heads: H, which must divide d_model; each head works with d_k = d_model / H.
        d_model: the size of X's last axis.
        weights: (Wq, Wk, Wv, Wo), each (d_model, d_model), applied as X @ W; head h has columns h d_k to (h+1) d_k.
            If not given, they are drawn uniformly from +-sqrt(3 / d_model) (Glorot & Bengio 2010).
        rng: a generator, or a seed, to draw them with; the package's own generator by default.
        mask: broadcasts to (..., S, S), the same for all heads; as for `self_attention`.
        causal: no position sees a later one.
        return_weights: return (output, attention_weights), the latter (..., H, S, S).

    Returns:
        The output, (..., S, d_model), a tensor if X or a weight is one, else an array.
    """
    if num_heads < 1 or d_model % num_heads:
        raise ValueError(f"num_heads is {num_heads}, which does not divide d_model = {d_model}")
    x = _floats(X)
    if x.ndim < 2 or x.shape[-1] != d_model:
        raise ValueError(f"X has shape {x.shape}; expected (..., seq_len, d_model) with d_model = {d_model}")
    if weights is None:
        weights = _drawn(rng, d_model, x.array.dtype)
    Wq, Wk, Wv, Wo = _checked_weights(weights, d_model)

    *batch, S = x.shape[:-1]
    split = lambda y: y.reshape(*batch, S, num_heads, -1).transpose(-3, -2)  # ... S d_model -> ... H S d_k
    if mask is not None and np.ndim(mask) > 2:
        mask = tensor_of(mask).unsqueeze(-3)  # one mask for all heads
    heads, attention = self_attention(split(x @ Wq), split(x @ Wk), split(x @ Wv), mask=mask, causal=causal)
    output = heads.transpose(-3, -2).reshape(*batch, S, d_model) @ Wo  # ... H S d_k -> ... S d_model

    if not any(isinstance(given, Tensor) for given in (X, *weights)):
        output, attention = output.array, attention.array
    return (output, attention) if return_weights else output


def _floats(x: Any) -> Tensor:
    x = tensor_of(x)
    return x if x.is_floating_point() else x.float()


def _mask(query: Tensor, key: Tensor, mask: Any, causal: bool) -> np.ndarray | None:
    """The mask and causality merged: boolean, or numbers to add to the scores."""
    mask = None if mask is None else tensor_of(mask).array
    if not causal:
        return mask
    S_q, S_k = query.shape[-2], key.shape[-2]
    visible = causal_mask(S_q, S_k, S_k - S_q)
    if mask is None:
        return visible
    return mask & visible if mask.dtype == bool else np.where(visible, mask, np.asarray(-math.inf, mask.dtype))


def _drawn(rng: np.random.Generator | int | None, d_model: int, dtype: np.dtype) -> list[np.ndarray]:
    generator = random.generator() if rng is None else np.random.default_rng(rng)
    bound = math.sqrt(3 / d_model)
    return [generator.uniform(-bound, bound, (d_model, d_model)).astype(dtype) for _ in range(4)]


def _checked_weights(weights: Any, d_model: int) -> list[Tensor]:
    if len(weights) != 4:
        raise ValueError(f"weights: {len(weights)} matrices; expected four, (Wq, Wk, Wv, Wo)")
    matrices = [_floats(W) for W in weights]
    for name, W in zip(("Wq", "Wk", "Wv", "Wo"), matrices, strict=True):
        if W.shape != (d_model, d_model):
            raise ValueError(f"weights: {name} has shape {W.shape}; expected (d_model, d_model) = {(d_model, d_model)}")
    return matrices
