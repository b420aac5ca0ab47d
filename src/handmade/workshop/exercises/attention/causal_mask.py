"""Attention that cannot see the future: what makes a language model out of a Transformer.

Attention as softmax(Q K^T / sqrt(d_k)) V, for (S_q, d_k), (S_k, d_k), (S_k, d_v), but no query sees a key that comes
after it. There may be fewer queries than keys: they are then the last ones, as when text is continued, and the last
query sees all keys. What is hidden has weight 0, and each row of weights sums to 1. Scores may be so large, or so
negative, that exp would overflow or give 0. Return the output and the weights.
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
    NO_MASK,
    NO_SCALE,
    ONE_MAXIMUM,
    OVERFLOWS,
    SEES_ONE_AHEAD,
    SOFTMAX_OVER_QUERIES,
)
from handmade.workshop.switches import wrong


def causal_attention(Q, K, V):
    """(S_q, d_k), (S_k, d_k), (S_k, d_v), S_q <= S_k -> output (S_q, d_v), weights (S_q, S_k)."""
    scale = 1.0 if wrong("no scale") else np.sqrt(K.shape[-1])
    if wrong("divides by d_k"):
        scale = scale**2
    scores = Q @ K.swapaxes(-1, -2) / scale
    S_q, S_k = scores.shape[-2:]
    past = 0 if wrong("aligned to the first key") else S_k - S_q  # keys before the first query
    if wrong("sees one ahead"):
        past += 1
    visible = np.tri(S_q, S_k, past, dtype=bool)
    if wrong("hides itself"):
        visible = visible & ~np.eye(S_q, S_k, S_k - S_q, dtype=bool)
    if wrong("sees the future only"):
        visible = ~visible
    if wrong("sees itself and the future"):
        visible = ~np.tri(S_q, S_k, past - 1, dtype=bool)
    if wrong("no mask"):
        visible[:] = True
    if wrong("large number subtracted"):
        scores = scores - 1e9 * ~visible
        visible[:] = True
    hidden = -1e4 if wrong("finite mask value") else -np.inf
    if wrong("masked with zero"):
        hidden = 0.0
    unmasked = scores
    if not wrong("mask after the softmax"):
        scores = np.where(visible, scores, hidden)
    axis = -2 if wrong("softmax over the queries") else -1
    if wrong("one maximum for all scores"):
        scores = scores - scores.max()
    elif wrong("maximum taken before the mask"):
        scores = scores - unmasked.max(axis, keepdims=True)
    elif not wrong("overflows"):
        scores = scores - scores.max(axis, keepdims=True)
    exponentials = np.exp(scores)
    weights = exponentials / exponentials.sum(axis, keepdims=True)
    if wrong("mask after the softmax"):
        weights = weights * visible
    return weights @ V, weights


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """S_q = S_k and S_q < S_k; scores below any finite mask value; hidden scores far above the
    visible ones; rows far apart."""
    for label, s_q, s_k, d_k, d_v, common in [
        ("S_q = S_k", 4, 4, 3, 2, 0),
        ("S_q = S_k, larger", 6, 6, 5, 4, 0),
        ("S_q < S_k", 3, 5, 4, 3, 0),
        ("one query", 1, 4, 3, 5, 0),
        ("one query and one key", 1, 1, 2, 3, 0),
        ("large scores", 3, 3, 4, 2, 1e4),
        ("very negative scores", 3, 4, 4, 2, -1e7),
    ]:
        Q, K = rng.standard_normal((s_q, d_k)), rng.standard_normal((s_k, d_k))
        if common:
            Q[:, 0], K[:, 0] = 100, common / 100
        yield Case(label, (Q, K, rng.standard_normal((s_k, d_v))))
    Q, K, V = (rng.standard_normal((4, 3)) for _ in range(3))
    Q[:, 0], K[-1, 0] = 30, 30
    yield Case("the last key matches best", (Q, K, V))
    Q, K, V = (rng.standard_normal((4, 3)) for _ in range(3))
    Q[:, 0], K[:, 0] = [300, -900, 50, 800], 10
    yield Case("rows far apart", (Q, K, V))
    Q, K, V = (rng.standard_normal((4, 3)) for _ in range(3))
    Q[:, 0], K[-1, 0] = 1e5, 1e5
    yield Case("a hidden key far above the others", (Q, K, V))


EXERCISE = Exercise(
    title="Causal mask",
    paper="Vaswani et al. 2017, Attention Is All You Need, section 3.2.3",
    minutes=10,
    functions=(causal_attention,),
    outputs=("output", "attention_weights"),
    cases=cases,
    faults={
        "large number subtracted": LARGE_NUMBER_SUBTRACTED,
        "maximum taken before the mask": MAXIMUM_OF_THE_HIDDEN,
        "one maximum for all scores": ONE_MAXIMUM,
        "no mask": NO_MASK,
        "mask after the softmax": MASK_AFTER_SOFTMAX,
        "masked with zero": MASKED_WITH_ZERO,
        "finite mask value": FINITE_MASK,
        "sees one ahead": SEES_ONE_AHEAD,
        "hides itself": Fault(
            "A query does not see the key at its own position; the first one sees nothing, which gives nan.",
            "The first row's nan spreads through the whole model at once.",
            "Query i sees keys j <= i, itself included: hide np.triu with k=1.",
        ),
        "sees the future only": Fault(
            "The mask is the wrong way round: it hides what should be seen, and shows what should be hidden.",
            "Each position reads the answer, and the last one, which sees nothing, is nan.",
            "np.where(visible, scores, -np.inf) with visible = np.tri(...); torch's masked_fill wants what is hidden.",
        ),
        "sees itself and the future": Fault(
            "The upper triangle is kept, not the lower one: a query sees itself and what follows.",
            "The model reads the answer in training, and has nothing to read when it generates.",
            "Rows are queries and columns keys: keep the lower triangle, np.tril.",
        ),
        "aligned to the first key": Fault(
            "With fewer queries than keys, the mask lines the first query up with the first key.",
            "When text is continued from a cache, the new token sees only the first key.",
            "The queries are the last ones: shift the triangle by S_k - S_q, as in np.tri(S_q, S_k, S_k - S_q).",
        ),
        "no scale": NO_SCALE,
        "divides by d_k": DIVIDES_BY_D_K,
        "softmax over the queries": SOFTMAX_OVER_QUERIES,
        "overflows": OVERFLOWS,
    },
    hints=(
        "Compute the scores as usual; before the softmax, make sure that a hidden key's exponential will be exactly 0.",
        "exp(-inf) is 0. Which entries (i, j) of the scores are hidden when the last query stands at the last key?",
        "visible = np.tri(S_q, S_k, S_k - S_q, dtype=bool); scores = np.where(visible, scores, -np.inf); then "
        "the softmax.",
    ),
    forbidden=("torch.nn.functional.scaled_dot_product_attention", "torch.nn.MultiheadAttention"),
)
