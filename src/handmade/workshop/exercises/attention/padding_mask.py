"""Sequences of different lengths share one array, and the padding that fills up the shorter ones must not be seen.

Attention as softmax(Q K^T / sqrt(d_k)) V on a batch: Q (N, S_q, d_k), K (N, S_k, d_k), V (N, S_k, d_v), lengths (N,).
In sequence n only the first lengths[n] keys are seen; the queries are not masked. Weights of the others are 0, and
each row of weights sums to 1, except where lengths[n] is 0: there is nothing to see, and output and weights are zeros
(not nan). Scores may be so large, or so negative, that exp would overflow or give 0. Return the output and the
weights.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.faults import (
    DIVIDES_BY_D_K,
    FINITE_MASK,
    LARGE_NUMBER_SUBTRACTED,
    MASK_AFTER_SOFTMAX,
    MASKED_WITH_ZERO,
    MAXIMUM_OF_THE_HIDDEN,
    NO_SCALE,
    ONE_MAXIMUM,
    OVERFLOWS,
    SOFTMAX_OVER_QUERIES,
)
from handmade.workshop.switches import wrong


def padded_attention(Q, K, V, lengths):
    """(N, S_q, d_k), (N, S_k, d_k), (N, S_k, d_v), (N,) -> output (N, S_q, d_v), weights (N, S_q, S_k)."""
    scale = 1.0 if wrong("no scale") else np.sqrt(K.shape[-1])
    if wrong("divides by d_k"):
        scale = scale**2
    scores = Q @ K.swapaxes(-1, -2) / scale  # N S_q S_k
    if wrong("the longest length for all"):
        lengths = np.full_like(lengths, lengths.max())
    if wrong("one key too many"):
        lengths = lengths + 1
    visible = np.arange(K.shape[1]) < lengths[:, None, None]  # N 1 S_k
    if wrong("hides the keys, shows the padding"):
        visible = ~visible
    if wrong("masks the queries"):
        visible = np.arange(Q.shape[1])[:, None] < lengths[:, None, None]  # N S_q 1
    if wrong("masks the queries too"):
        visible = visible & (np.arange(Q.shape[1])[:, None] < lengths[:, None, None])
    if wrong("no mask"):
        visible = np.ones_like(visible)
    if wrong("no key shows the padding"):
        visible = visible | (lengths[:, None, None] == 0)
    hidden = -1e4 if wrong("finite mask value") else 0.0 if wrong("masked with zero") else -np.inf
    if wrong("large number subtracted"):
        hidden = np.where(lengths[:, None, None] > 0, scores - 1e9, -np.inf)
    unmasked = scores
    if not wrong("mask after the softmax"):
        scores = np.where(visible, scores, hidden)
    axis = -2 if wrong("softmax over the queries") else -1
    largest = (unmasked if wrong("maximum taken before the mask") else scores).max(axis, keepdims=True)
    if wrong("one maximum for all scores"):
        largest = scores.max()
    if not wrong("overflows"):
        scores = scores - np.where(np.isfinite(largest), largest, 0.0)
    exponentials = np.exp(scores)
    total = exponentials.sum(axis, keepdims=True)
    weights = exponentials / np.where(total > 0, total, 1.0)
    if wrong("mask after the softmax"):
        weights = weights * visible
    if wrong("no key gives nan"):
        weights = np.where(lengths[:, None, None] > 0, weights, np.nan)
    if wrong("no key gives the mean"):
        weights = np.where(lengths[:, None, None] > 0, weights, 1 / K.shape[1])
    output = weights @ V
    if wrong("nan weights where there is no key"):
        weights = np.where(lengths[:, None, None] > 0, weights, np.nan)
    return output, weights


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """S_q != S_k and equal; full, partial and empty sequences; scores below any finite mask value, and
    hidden ones far above the visible; rows far apart."""
    for label, s_q, s_k, d_k, d_v, lengths, common in [
        ("S_q < S_k", 3, 5, 4, 2, [5, 2, 4], 0),
        ("S_q > S_k", 5, 3, 2, 3, [1, 2], 0),
        ("S_q = S_k", 4, 4, 3, 3, [3, 1, 2], 0),
        ("a sequence without keys", 2, 4, 3, 5, [3, 0, 2], 0),
        ("large scores", 3, 3, 4, 2, [2, 1], 1e4),
        ("very negative scores", 3, 4, 4, 2, [2, 3, 1], -1e7),
    ]:
        N = len(lengths)
        Q, K = rng.standard_normal((N, s_q, d_k)), rng.standard_normal((N, s_k, d_k))
        if common:
            Q[..., 0], K[..., 0] = 100, common / 100
        yield Case(label, (Q, K, rng.standard_normal((N, s_k, d_v)), np.array(lengths)))
    Q, K, V = (rng.standard_normal((2, 3, 4)) for _ in range(3))
    Q[..., 0], K[..., 0] = [[300, -900, 50], [20, 800, -400]], 10
    yield Case("rows far apart", (Q, K, V, np.array([2, 3])))
    Q, K, V = (rng.standard_normal((2, 3, 4)) for _ in range(3))
    Q[..., 0], K[:, -1, 0] = 1e5, 1e5
    yield Case("a hidden key far above the others", (Q, K, V, np.array([2, 1])))


EXERCISE = Exercise(
    title="Padding mask",
    paper="Vaswani et al. 2017, Attention Is All You Need, section 3.2",
    minutes=12,
    functions=(padded_attention,),
    outputs=("output", "attention_weights"),
    cases=cases,
    faults={
        "large number subtracted": LARGE_NUMBER_SUBTRACTED,
        "maximum taken before the mask": MAXIMUM_OF_THE_HIDDEN,
        "one maximum for all scores": ONE_MAXIMUM,
        "no mask": Fault(
            "The lengths are not used: padding is seen like words.",
            "What a sequence means depends on how long the longest one of its batch happens to be.",
            "Set scores of keys at or past the length to -inf before the softmax.",
        ),
        "mask after the softmax": MASK_AFTER_SOFTMAX,
        "masked with zero": MASKED_WITH_ZERO,
        "finite mask value": FINITE_MASK,
        "hides the keys, shows the padding": Fault(
            "The mask is the wrong way round.",
            "Attention sees nothing but padding, and full sequences see nothing at all.",
            "Keep key j where j < lengths[n]; torch's masked_fill wants what is to be hidden.",
        ),
        "one key too many": Fault(
            "The key at position lengths[n] is seen too: <= where it should be <.",
            "One vector of padding is mixed into every sequence but the longest.",
            "Positions count from 0: keep j < lengths[n].",
        ),
        "the longest length for all": Fault(
            "One length, the longest, is used for all sequences.",
            "The shorter ones see their padding.",
            "Compare positions with lengths[:, None, None], so that each sequence has its own.",
        ),
        "masks the queries": Fault(
            "The mask lies along the queries' axis, not the keys'.",
            "Padding is seen by every query that is left.",
            "Scores are (N, S_q, S_k): the mask is (N, 1, S_k).",
        ),
        "masks the queries too": Fault(
            "Queries past the length are masked as well as keys.",
            "Lengths count the keys; queries may come from another sequence, and their rows would be lost.",
            "Mask the last axis only, (N, 1, S_k); losses leave padded queries out later.",
        ),
        "no key gives nan": Fault(
            "Where a sequence has no key, the softmax divides 0 by 0, or takes -inf from -inf: output and "
            "weights are nan.",
            "One empty sequence in a batch turns the loss, and then all weights, into nan.",
            "Give such rows zeros, without ever dividing by a sum of 0.",
        ),
        "no key gives the mean": Fault(
            "Where a sequence has no key, all weights are equal: a finite mask value makes all scores the same.",
            "Padding is seen exactly where there is nothing else to see.",
            "Multiply the weights by the mask, or set rows without keys to 0.",
        ),
        "no key shows the padding": Fault(
            "Where a sequence has no key, its padding is seen: a finite value added to all scores changes nothing.",
            "An empty sequence gets an output that is made of padding.",
            "Multiply the weights by the mask, or set rows without keys to 0.",
        ),
        "nan weights where there is no key": Fault(
            "The output is zeros where there is no key, but the weights there are nan.",
            "Whatever uses the weights, a picture or an alignment loss, gets nan.",
            "Clean the weights, then multiply by V.",
        ),
        "no scale": NO_SCALE,
        "divides by d_k": DIVIDES_BY_D_K,
        "softmax over the queries": SOFTMAX_OVER_QUERIES,
        "overflows": OVERFLOWS,
    },
    hints=(
        "A boolean (N, 1, S_k) says which keys each sequence has; it broadcasts against the scores (N, S_q, S_k).",
        "np.arange(S_k) < lengths[:, None, None]. With -inf for the rest, what does a row without a key give, "
        "step by step?",
        "Set hidden scores to -inf, subtract the row's maximum (or 0 where that is -inf), exp, and divide by the sum "
        "(or by 1 where that is 0).",
    ),
    forbidden=("torch.nn.functional.scaled_dot_product_attention", "torch.nn.MultiheadAttention"),
)
