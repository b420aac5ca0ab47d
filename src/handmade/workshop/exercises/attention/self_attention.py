"""Each query looks at all keys and takes the mean of the values, weighted by how well query and key match:

    output = softmax(Q K^T / sqrt(d_k)) V

The division keeps the scores' variance at one, whatever d_k is; without it the softmax saturates and its gradient
vanishes. Write it for (S_q, d_k), (S_k, d_k), (S_k, d_v), with any leading axes before them, such as a batch and heads,
and for scores so large that exp would overflow.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.faults import (
    DIVIDES_BY_D_K,
    KEYS_AS_VALUES,
    NO_SCALE,
    NO_SOFTMAX,
    NOT_NORMALISED,
    ONE_MAXIMUM,
    OVERFLOWS,
    SOFTMAX_OVER_QUERIES,
)
from handmade.workshop.switches import wrong


def self_attention(Q, K, V):
    """(..., S_q, d_k), (..., S_k, d_k), (..., S_k, d_v) -> output (..., S_q, d_v), weights (..., S_q, S_k)."""
    d_k = K.shape[-2] if wrong("divides by the root of S_k") else K.shape[-1]
    if wrong("divides by the root of d_v"):
        d_k = V.shape[-1]
    scale = 1.0 if wrong("no scale") else d_k if wrong("divides by d_k") else np.sqrt(d_k)
    if wrong("multiplies by the scale"):
        scale = 1 / scale
    scores = Q @ (K.T if wrong("transposes all axes") else K.swapaxes(-1, -2))  # S_q S_k
    if wrong("np.dot with leading axes"):
        scores = np.dot(Q, K.T)
    if wrong("queries and keys swapped"):
        scores = K @ Q.swapaxes(-1, -2)
    if not wrong("scales after the softmax"):
        scores = scores / scale
    axis = -2 if wrong("softmax over the queries") else -1
    if wrong("softmax over axis 0"):
        axis = 0
    if wrong("softmax over axis 1"):
        axis = 1
    if wrong("one maximum for all scores"):
        scores = scores - scores.max()
    largest = scores.max(axis) if wrong("maximum without keepdims") else scores.max(axis, keepdims=True)
    exponentials = np.exp(scores if wrong("overflows") or wrong("one maximum for all scores") else scores - largest)
    total = exponentials.sum(axis) if wrong("sum without keepdims") else exponentials.sum(axis, keepdims=True)
    if wrong("sum over the queries"):
        total = exponentials.sum(-2, keepdims=True)
    weights = exponentials if wrong("not normalised") else exponentials / total
    if wrong("no softmax"):
        weights = scores
    if wrong("the best key only"):
        weights = (scores == scores.max(-1, keepdims=True)).astype(float)
    if wrong("scales after the softmax"):
        weights = weights / scale
    output = weights @ (K if wrong("keys as values") else V)
    if wrong("np.dot with leading axes"):
        output = np.dot(weights, V)
    if wrong("returns the scores"):
        weights = scores
    if wrong("returns the exponentials"):
        weights = exponentials
    return (weights, output) if wrong("weights first") else (output, weights)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """S_q != S_k, d_k != d_v except where keys must be able to stand for values, a cube in which K.T is no error.

    `common` is added to all scores: exp overflows, or gives only zeros, while the weights stay unsaturated.
    """
    for label, batch, s_q, s_k, d_k, d_v, size, common in [
        ("S_q < S_k", (), 3, 5, 4, 4, 1, 0),
        ("S_q > S_k", (), 4, 2, 7, 7, 1, 0),
        ("S_q = S_k, d_k != d_v", (), 4, 4, 5, 3, 1, 0),
        ("S_q = S_k, d_k = d_v", (), 4, 4, 6, 6, 1, 0),
        ("one query", (), 1, 4, 3, 2, 1, 0),
        ("one sequence of each axis's length", (3,), 3, 3, 3, 3, 1, 0),
        ("a batch and heads", (2, 3), 4, 5, 6, 6, 1, 0),
        ("large scores", (), 4, 4, 5, 5, 1, 1e4),
        ("very negative scores", (), 3, 4, 5, 5, 1, -1e4),
        ("one query, scores far apart", (), 1, 4, 5, 5, 100, 0),
    ]:
        Q, K = size * rng.standard_normal((*batch, s_q, d_k)), size * rng.standard_normal((*batch, s_k, d_k))
        if common:
            Q[..., 0], K[..., 0] = 100, common / 100
        yield Case(label, (Q, K, rng.standard_normal((*batch, s_k, d_v))))
    Q, K, V = (rng.standard_normal((2, 2, S, d)) for S, d in [(3, 4), (5, 4), (5, 2)])
    Q[..., 0], K[..., 0] = [[[200, -300, 10], [-900, 0, 50]], [[-20, 800, 300], [-500, -100, 900]]], 10
    yield Case("rows far apart", (Q, K, V))


EXERCISE = Exercise(
    title="Self-attention",
    paper="Vaswani et al. 2017, Attention Is All You Need, section 3.2.1, equation 1",
    minutes=10,
    functions=(self_attention,),
    outputs=("output", "attention_weights"),
    cases=cases,
    faults={
        "one maximum for all scores": ONE_MAXIMUM,
        "no scale": NO_SCALE,
        "divides by d_k": DIVIDES_BY_D_K,
        "divides by the root of S_k": Fault(
            "The scores are divided by sqrt(S_k), the number of keys, not by sqrt(d_k).",
            "How sharp attention is depends on the length of the sequence: long ones get flat attention.",
            "d_k is the last axis of K, K.shape[-1]; axis -2 counts the keys.",
        ),
        "divides by the root of d_v": Fault(
            "The scores are divided by sqrt(d_v), the width of the values.",
            "Where values and keys differ in width attention is too sharp or too flat.",
            "The products of Q and K have d_k terms: K.shape[-1].",
        ),
        "multiplies by the scale": Fault(
            "The scores are multiplied by sqrt(d_k), where they should be divided by it.",
            "The softmax saturates at once: each query sees one key, and gradients vanish.",
            "Divide Q K^T by np.sqrt(d_k).",
        ),
        "scales after the softmax": Fault(
            "The division by sqrt(d_k) comes after the softmax.",
            "The softmax saturates as if there were no scale, and rows of weights sum to 1 / sqrt(d_k).",
            "Divide the scores, then take the softmax.",
        ),
        "transposes all axes": Fault(
            "K.T reverses all axes, the leading ones too.",
            "It works for one sequence, and fails or mixes sequences as soon as there is a batch.",
            "Swap the last two axes only: K.swapaxes(-1, -2).",
        ),
        "np.dot with leading axes": Fault(
            "np.dot pairs each leading axis of Q with each of K, where @ goes through them together; and K.T reverses "
            "all axes, not the last two.",
            "It is right for one sequence, and fails or mixes sequences as soon as there is a batch or heads.",
            "Q @ K.swapaxes(-1, -2), and weights @ V.",
        ),
        "queries and keys swapped": Fault(
            "The scores are K Q^T: a row for each key, where there should be one for each query.",
            "The softmax runs over the queries, and it fails unless there are as many queries as keys.",
            "Q @ K.swapaxes(-1, -2) has a row for each query.",
        ),
        "sum over the queries": Fault(
            "The exponentials are divided by their sum over the queries (axis -2), after the maximum over the keys.",
            "The rows sum to anything: no query's output is a mean of the values any more.",
            "Maximum and sum both run over the keys: axis -1.",
        ),
        "softmax over the queries": SOFTMAX_OVER_QUERIES,
        "softmax over axis 0": Fault(
            "The softmax runs over axis 0: the queries of one sequence, or the sequences of a batch.",
            "Sequences that have nothing to do with each other compete for each key.",
            "The keys are the last axis, -1, whatever stands before it.",
        ),
        "softmax over axis 1": Fault(
            "The softmax runs over axis 1, which holds the keys only where there are no leading axes.",
            "It works for one sequence; in a batch the queries, or the heads, compete with each other.",
            "The keys are the last axis, -1, whatever stands before it.",
        ),
        "sum without keepdims": Fault(
            "The sum loses its axis, so that broadcasting divides column j by the sum of row j.",
            "It fails unless there are as many queries as keys; then the rows do not sum to 1.",
            "sum(-1, keepdims=True), in torch keepdim=True.",
        ),
        "maximum without keepdims": Fault(
            "The maximum loses its axis, so that broadcasting subtracts row j's maximum from column j.",
            "It fails unless there are as many queries as keys; then it is no longer the same softmax.",
            "max(-1, keepdims=True), in torch amax(-1, keepdim=True).",
        ),
        "overflows": OVERFLOWS,
        "not normalised": NOT_NORMALISED,
        "no softmax": NO_SOFTMAX,
        "the best key only": Fault(
            "Each query takes the value of its best key alone: a maximum, where there should be a softmax.",
            "The choice has no gradient, so queries and keys learn nothing.",
            "exp of the scores, divided by their sum: every key keeps a share.",
        ),
        "keys as values": KEYS_AS_VALUES,
        "returns the scores": Fault(
            "The output is right, but the scores are returned in the weights' place.",
            "Nothing in training, but every picture of the attention and every test of its rows is wrong.",
            "Return what was multiplied by V.",
        ),
        "returns the exponentials": Fault(
            "The output is right, but what is returned as weights was taken before the division by the sum.",
            "Nothing in training, but rows of the returned weights do not sum to 1.",
            "Return what was multiplied by V.",
        ),
        "weights first": Fault(
            "The weights are returned first and the output second.",
            "The next layer gets the weights; where the shapes happen to fit, nobody notices.",
            "return output, weights",
        ),
    },
    hints=(
        "Three lines: scores between each query and each key, their softmax, and a weighted mean of the values.",
        "scores has shape (..., S_q, S_k). Which axis must sum to 1, and by what were the scores divided?",
        "scores = Q @ K.swapaxes(-1, -2) / np.sqrt(d_k); subtract the maximum of axis -1, exp, divide by the sum; @ V",
    ),
    forbidden=("torch.nn.functional.scaled_dot_product_attention", "torch.nn.MultiheadAttention"),
)
