"""Each query looks at all keys and takes the mean of the values, weighted by how well query and key match:

    output = softmax(Q K^T / sqrt(d_k)) V

The division keeps the scores' variance at one, whatever d_k is; without it the softmax saturates and its gradient
vanishes. Write it for (S_q, d_k), (S_k, d_k), (S_k, d_v), with any leading axes before them, such as a batch and heads,
and for scores so large that exp would overflow.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import wrong


def self_attention(Q, K, V):
    """(..., S_q, d_k), (..., S_k, d_k), (..., S_k, d_v) -> output (..., S_q, d_v), weights (..., S_q, S_k)."""
    d_k = K.shape[-1]
    scale = 1.0 if wrong("no scale") else d_k if wrong("divides by d_k") else np.sqrt(d_k)
    scores = Q @ (K.T if wrong("transposes all axes") else K.swapaxes(-1, -2)) / scale  # S_q S_k
    axis = -2 if wrong("softmax over the queries") else -1
    if not wrong("overflows"):
        scores = scores - scores.max(axis, keepdims=True)
    weights = np.exp(scores)
    if not wrong("not normalised"):
        weights = weights / weights.sum(axis, keepdims=True)
    return weights @ (K if wrong("keys as values") else V), weights


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """S_q != S_k, d_k != d_v except where keys must be able to stand for values; unsaturated but for the last."""
    for label, batch, s_q, s_k, d_k, d_v, size in [
        ("one query", (), 1, 4, 3, 2, 1),
        ("S_q < S_k", (), 3, 5, 4, 4, 1),
        ("S_q > S_k", (), 4, 2, 7, 7, 1),
        ("S_q = S_k, d_k = d_v", (), 4, 4, 4, 4, 1),
        ("a batch and heads", (2, 3), 4, 5, 6, 6, 1),
        ("large scores", (), 3, 4, 5, 5, 300),
    ]:
        Q, K = size * rng.standard_normal((*batch, s_q, d_k)), size * rng.standard_normal((*batch, s_k, d_k))
        yield Case(label, (Q, K, rng.standard_normal((*batch, s_k, d_v))))


EXERCISE = Exercise(
    title="Self-attention",
    paper="Vaswani et al. 2017, Attention Is All You Need, section 3.2.1, equation 1",
    topic="attention",
    minutes=10,
    functions=(self_attention,),
    outputs=("output", "attention_weights"),
    cases=cases,
    faults={
        "no scale": Fault(
            "The scores are not divided by sqrt(d_k).",
            "Their variance grows with d_k, so the softmax saturates and gradients vanish.",
            "Divide Q K^T by np.sqrt(K.shape[-1]) before the softmax.",
        ),
        "divides by d_k": Fault(
            "The scores are divided by d_k, not by its square root.",
            "Attention is too flat: queries cannot pick out a key.",
            "Divide by np.sqrt(d_k): a sum of d_k products of unit variance has standard deviation sqrt(d_k).",
        ),
        "transposes all axes": Fault(
            "K.T reverses all axes, the leading ones too.",
            "It works for one sequence, and fails or mixes sequences as soon as there is a batch.",
            "Swap the last two axes only: K.swapaxes(-1, -2).",
        ),
        "softmax over the queries": Fault(
            "The softmax runs over the queries (axis -2).",
            "The queries compete for each key, and no query's output is a mean of the values any more.",
            "Sum over the keys, axis -1: each row of attention weights must sum to 1.",
        ),
        "overflows": Fault(
            "exp overflows for large scores, and inf / inf is nan.",
            "One large score turns the loss into nan, and all weights with it.",
            "Subtract each row's maximum before exp: the result is the same.",
        ),
        "not normalised": Fault(
            "The exponentials are not divided by their sum.",
            "The outputs grow with the number of keys instead of being means of the values.",
            "Divide by weights.sum(-1, keepdims=True).",
        ),
        "keys as values": Fault(
            "The weights are applied to K, not to V.",
            "What is found and what is handed on are the same: V, and its projection, learns nothing.",
            "Return weights @ V.",
        ),
    },
    hints=(
        "Three lines: scores between each query and each key, their softmax, and a weighted mean of the values.",
        "scores has shape (..., S_q, S_k). Which axis must sum to 1, and by what were the scores divided?",
        "scores = Q @ K.swapaxes(-1, -2) / np.sqrt(d_k); subtract the maximum of axis -1, exp, divide by the sum; @ V",
    ),
    forbidden=("torch.nn.functional.scaled_dot_product_attention", "torch.nn.MultiheadAttention"),
)
