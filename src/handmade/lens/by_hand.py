"""Attention step by step: every number between queries, keys, values and the output.

    Vaswani et al., "Attention Is All You Need" (2017), sections 3.2.1 and 3.2.2.

H heads, S_q queries, S_k keys, d_k and d_v the sizes of a head's keys and values
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.nn import RotaryEmbedding
from handmade.nn.positions import sinusoidal_positions
from handmade.ops.attention import causal_mask


class Steps(NamedTuple):
    """What attention computes on its way, for each head.

    products: Q K^T. scores: products / sqrt(d_k). masked: scores, -inf where a key is hidden.
    exponentials: exp(masked - the row's largest). weights: exponentials / the row's sum; a row that sees no key
        is zero. output: weights V.
    """

    products: Float[np.ndarray, "H S_q S_k"]
    scores: Float[np.ndarray, "H S_q S_k"]
    masked: Float[np.ndarray, "H S_q S_k"]
    exponentials: Float[np.ndarray, "H S_q S_k"]
    weights: Float[np.ndarray, "H S_q S_k"]
    output: Float[np.ndarray, "H S_q d_v"]


def attention_steps(
    Q: Float[np.ndarray, "H S_q d_k"],
    K: Float[np.ndarray, "H S_k d_k"],
    V: Float[np.ndarray, "H S_k d_v"],
    visible: Bool[np.ndarray, "S_q S_k"],
) -> Steps:
    """softmax(Q K^T / sqrt(d_k) + mask) V, with everything on the way. visible: which key each query may see."""
    products = Q @ K.swapaxes(-1, -2)
    scores = products / np.sqrt(K.shape[-1])
    masked = np.where(visible, scores, -np.inf)
    largest = np.where(visible.any(-1, keepdims=True), masked.max(-1, keepdims=True), 0.0)
    exponentials = np.exp(masked - largest)
    total = exponentials.sum(-1, keepdims=True)
    weights = exponentials / np.where(total > 0, total, 1.0)
    return Steps(products, scores, masked, exponentials, weights, weights @ V)


class Placed(NamedTuple):
    """X with the positions of its rows. values: as they go on. angles: position x frequency, of each column."""

    values: Float[np.ndarray, "H S d_k"]
    angles: Float[np.ndarray, "H S d_k"]


def placed(X: Float[np.ndarray, "H S d_k"], positions: str) -> Placed:
    """positions: "sinusoidal": the sines and cosines of their angles are added, over the columns of all heads together
    (Vaswani et al. 2017, section 3.5); "rotary": each pair of a head's columns is rotated by its angle (Su et al. 2021,
    section 3.2.2); "none": X as it is.

    InputError for rotary positions in a head with an odd number of columns.
    """
    H, S, d_k = X.shape
    if positions == "none":
        return Placed(X, np.zeros(X.shape))
    if positions == "rotary" and d_k % 2:
        raise InputError(
            f"a head has {d_k} columns, and rotary positions turn pairs of them: it must be an even number."
        )
    columns = d_k if positions == "rotary" else H * d_k
    even = np.arange(columns) // 2 * 2  # 2i, of both columns of a pair
    angles = np.arange(S)[:, None] / 10000 ** (even / columns)
    if positions == "rotary":
        return Placed(RotaryEmbedding(d_k, interleaved=True)(Tensor(X)).array, np.broadcast_to(angles, X.shape))
    return Placed(X + split_heads(sinusoidal_positions(S, columns), H), split_heads(angles, H))


def split_heads(X: Float[np.ndarray, "S d_model"], num_heads: int) -> Float[np.ndarray, "H S d_k"]:
    """Head h has the columns from h d_k to (h + 1) d_k. InputError where the heads cannot share them."""
    S, d_model = X.shape
    if d_model % num_heads:
        raise InputError(f"{num_heads} heads cannot share {d_model} columns: it must be a multiple.")
    return X.reshape(S, num_heads, d_model // num_heads).transpose(1, 0, 2)


def visible_keys(S_q: int, S_k: int, mask: str, length: int = 0) -> Bool[np.ndarray, "S_q S_k"]:
    """Which key each query sees. mask: "none"; "causal": the last query sees all; "padding": the first `length`."""
    if mask == "causal":
        return causal_mask(S_q, S_k, offset=S_k - S_q)
    if mask == "padding":
        return np.tile(np.arange(S_k) < length, (S_q, 1))
    return np.ones((S_q, S_k), bool)
