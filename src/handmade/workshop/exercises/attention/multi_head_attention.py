"""Several small attentions side by side, so that a position can look at several things at once:

    Q, K, V = X Wq, X Wk, X Wv
    head_h  = softmax(Q_h K_h^T / sqrt(d_k)) V_h        with d_k = d_model / num_heads
    output  = concat(head_1, ..., head_H) Wo

X is (S, d_model); weights = (Wq, Wk, Wv, Wo), each (d_model, d_model) and applied as X @ W, without biases. Head h has
the columns from h * d_k to (h + 1) * d_k of each projection. Return the output, (S, d_model). Scores may be so large
that exp would overflow.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.faults import (
    DIVIDES_BY_D_K,
    KEYS_AS_VALUES,
    MERGED_WITHOUT_SWAP,
    NO_OUTPUT_PROJECTION,
    NO_SCALE,
    NO_SOFTMAX,
    NOT_NORMALISED,
    ONE_HEAD,
    ONE_MAXIMUM,
    OVERFLOWS,
    RESHAPED_NOT_SPLIT,
    ROOT_OF_D_MODEL,
    SOFTMAX_OVER_QUERIES,
    WEIGHTS_TRANSPOSED,
)
from handmade.workshop.switches import wrong


def multi_head_attention(X, num_heads, d_model, weights):
    """X (S, d_model), weights (Wq, Wk, Wv, Wo), each (d_model, d_model) -> output (S, d_model)."""
    Wq, Wk, Wv, Wo = weights
    if wrong("weights transposed"):
        Wq, Wk, Wv, Wo = Wq.T, Wk.T, Wv.T, Wo.T
    if wrong("queries and keys exchanged"):
        Wq, Wk = Wk, Wq
    if wrong("keys and values exchanged"):
        Wk, Wv = Wv, Wk
    if wrong("one projection for all"):
        Wk = Wv = Wq
    if wrong("one head"):
        num_heads = 1
    Q = split(X @ Wq, num_heads)  # H S d_k
    K = split(X @ Wk, num_heads)
    V = split(X if wrong("values not projected") else X @ Wv, num_heads)
    d_k = d_model if wrong("divides by the root of d_model") else d_model // num_heads
    scale = np.sqrt(num_heads if wrong("divides by the root of num_heads") else d_k)
    if wrong("divides by d_k"):
        scale = scale**2
    if wrong("no scale"):
        scale = 1.0
    scores = Q @ K.swapaxes(-1, -2)  # H S S
    if not wrong("scales after the softmax"):
        scores = scores / scale
    if wrong("causal mask"):
        scores = np.where(np.tri(len(X), dtype=bool), scores, -np.inf)
    attention = softmax(scores)
    if wrong("scales after the softmax"):
        attention = attention / scale
    heads = attention @ (K if wrong("keys as values") else V)  # H S d_k
    if not wrong("merged without swapping") and not wrong("attends across the heads"):
        heads = heads.swapaxes(0, 1)  # S H d_k
    if wrong("merged column by column"):
        heads = heads.swapaxes(1, 2)
    output = heads.reshape(X.shape)
    if not wrong("no output projection"):
        output = output @ (Wo.T if wrong("output projection transposed") else Wo)
    return output + X if wrong("adds the input") else output


def split(projected, num_heads):
    """(S, d_model) -> the heads' columns, (num_heads, S, d_k)."""
    S, d_model = projected.shape
    d_k = d_model // num_heads
    if wrong("reshaped instead of split"):
        return projected.reshape(num_heads, S, d_k)
    if wrong("attends across the heads"):
        return projected.reshape(S, num_heads, d_k)
    if wrong("every num_heads-th column"):
        return projected.reshape(S, d_k, num_heads).transpose(2, 0, 1)
    if wrong("heads overlap"):
        return np.stack([projected[:, h : h + d_k] for h in range(num_heads)])
    return projected.reshape(S, num_heads, d_k).swapaxes(0, 1)


def softmax(scores):
    """Over the keys, the last axis."""
    if wrong("no softmax"):
        return scores
    axis = -2 if wrong("softmax over the queries") else 0 if wrong("softmax over the heads") else -1
    if wrong("one maximum for all scores"):
        scores = scores - scores.max()
    elif not wrong("overflows"):
        scores = scores - scores.max(axis, keepdims=True)
    exponentials = np.exp(scores)
    return exponentials if wrong("not normalised") else exponentials / exponentials.sum(axis, keepdims=True)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Several heads, S != d_k, S = num_heads in one; scores that make exp overflow, then rows that lie thousands
    apart."""
    for label, S, num_heads, d_k, size in [
        ("one head", 4, 1, 3, 0),
        ("two heads", 5, 2, 3, 0),
        ("three heads, S < d_k", 2, 3, 5, 0),
        ("as many heads as positions", 3, 3, 2, 0),
        ("heads of width 1", 4, 3, 1, 0),
        ("large scores", 3, 2, 4, 50),
    ]:
        d_model = num_heads * d_k
        X = rng.standard_normal((S, d_model))
        weights = [rng.standard_normal((d_model, d_model)) / np.sqrt(d_model) for _ in range(4)]
        if size:
            X[:, 0] = 1
            for W in weights[:2]:
                W[0], W[1:] = size, 0.1 * W[1:]
        yield Case(label, (X, num_heads, d_model, tuple(weights)))
    X, weights = rng.standard_normal((3, 8)), [rng.standard_normal((8, 8)) / np.sqrt(8) for _ in range(4)]
    X[:, 0], X[:, 1] = [-2, 0.5, 1.5], 1
    weights[1] *= 0.03
    weights[0][0], weights[1][1] = 30, 30
    yield Case("rows far apart", (X, 2, 8, tuple(weights)))
    weights = [rng.standard_normal((8, 8)) / np.sqrt(8) for _ in range(4)]
    X = np.column_stack([[1.0, -1.0, 0.5], np.ones(3), rng.standard_normal((3, 6))])
    weights[0][1], weights[1][0] = 50, 50
    yield Case("keys far apart", (X, 2, 8, tuple(weights)))


def with_drawn(case: Case, drawn: list[np.ndarray]) -> Case | None:
    """The case with the weights that a solution drew: four whole ones, or each head's Q, K and V and then the output's.

    A head's weights are its columns of the whole.
    """
    _, num_heads, d_model = case.args[:3]
    if any(array.ndim == 2 and not (array.any() and np.isfinite(array).all()) for array in drawn):
        return None  # of weights of zero, or of nan, everything would be right
    shapes = [array.shape for array in drawn]
    whole, part = (d_model, d_model), (d_model, d_model // num_heads)
    if shapes == [whole] * 4:
        weights = drawn
    elif shapes == [part] * 3 * num_heads + [whole]:
        weights = [np.concatenate(drawn[k : 3 * num_heads : 3], axis=1) for k in range(3)] + [drawn[-1]]
    else:
        return None
    return replace(case, args=(*case.args[:3], tuple(weights)))


EXERCISE = Exercise(
    title="Multi-head attention",
    paper="Vaswani et al. 2017, Attention Is All You Need, section 3.2.2",
    minutes=15,
    functions=(multi_head_attention,),
    outputs=("output",),
    cases=cases,
    with_drawn=with_drawn,
    drawing="It is right for the weights that it draws. But every call draws new ones, so nothing can be "
    "trained, repeated or tested; and with variance 1, not 1 / d_model, each product makes numbers sqrt(d_model) times "
    "as large. Next: take the weights as an argument, "
    "def multi_head_attention(X, num_heads, d_model, weights).",
    faults={
        "one maximum for all scores": ONE_MAXIMUM,
        "no scale": NO_SCALE,
        "divides by the root of d_model": ROOT_OF_D_MODEL,
        "divides by d_k": DIVIDES_BY_D_K,
        "divides by the root of num_heads": Fault(
            "The scores are divided by sqrt(num_heads), not by sqrt(d_k).",
            "How sharp attention is depends on how many heads there are, and not on how wide they are.",
            "A head's products have d_k = d_model / num_heads terms: divide by np.sqrt(d_k).",
        ),
        "scales after the softmax": Fault(
            "The division by sqrt(d_k) comes after the softmax.",
            "The softmax saturates as if there were no scale, and rows of weights sum to 1 / sqrt(d_k).",
            "Divide the scores, then take the softmax.",
        ),
        "reshaped instead of split": RESHAPED_NOT_SPLIT,
        "merged without swapping": MERGED_WITHOUT_SWAP,
        "attends across the heads": Fault(
            "The axes are not swapped after the split: from (S, num_heads, d_k), scores are num_heads x num_heads.",
            "At each position the heads look at each other, and no position ever looks at another.",
            "Swap the first two axes after reshape(S, num_heads, d_k), and back before the heads are concatenated.",
        ),
        "every num_heads-th column": Fault(
            "Head h takes the columns h, h + num_heads, ...: reshape(S, d_k, num_heads) cuts the other way.",
            "A model trained from scratch does not mind; pretrained weights give wrong results.",
            "Head h has d_k consecutive columns: reshape(S, num_heads, d_k).",
        ),
        "merged column by column": Fault(
            "The heads' columns are interleaved when they are put together again.",
            "Wo gets its columns in another order than it was trained for.",
            "Concatenate head after head: (S, num_heads, d_k) reshaped to (S, d_model).",
        ),
        "heads overlap": Fault(
            "Head h takes the columns h to h + d_k, not h * d_k to (h + 1) * d_k.",
            "The heads see nearly the same columns, and the last columns are seen by none.",
            "Begin head h at column h * d_k.",
        ),
        "one head": ONE_HEAD,
        "no output projection": NO_OUTPUT_PROJECTION,
        "weights transposed": WEIGHTS_TRANSPOSED,
        "output projection transposed": Fault(
            "Wo is applied transposed, as torch.nn.Linear stores its weight.",
            "Training from scratch may hide it, but pretrained weights will not work.",
            "Here weights are (in, out): heads @ Wo.",
        ),
        "queries and keys exchanged": Fault(
            "Queries are projected with Wk and keys with Wq.",
            "The scores are transposed: a position looks at those that should look at it.",
            "weights is (Wq, Wk, Wv, Wo).",
        ),
        "keys and values exchanged": Fault(
            "Keys are projected with Wv and values with Wk.",
            "Pretrained weights do not fit.",
            "weights is (Wq, Wk, Wv, Wo).",
        ),
        "one projection for all": Fault(
            "Queries, keys and values are all projected with Wq.",
            "Each position finds itself most alike, and Wk and Wv learn nothing.",
            "Use Wk for the keys and Wv for the values.",
        ),
        "values not projected": Fault(
            "The values are the columns of X itself: Wv is missing.",
            "A head hands on fixed columns of the input, and cannot learn which part of it matters.",
            "V = X @ Wv.",
        ),
        "keys as values": KEYS_AS_VALUES,
        "softmax over the queries": SOFTMAX_OVER_QUERIES,
        "softmax over the heads": Fault(
            "The softmax runs over the heads (axis 0).",
            "The heads compete for each pair of positions, and no head's output is a mean of the values.",
            "Scores are (num_heads, S, S): sum over the keys, axis -1.",
        ),
        "no softmax": NO_SOFTMAX,
        "overflows": OVERFLOWS,
        "not normalised": NOT_NORMALISED,
        "causal mask": Fault(
            "Positions do not see those after them, though no mask was asked for.",
            "An encoder reads only half of what it could know.",
            "Leave the scores as they are.",
        ),
        "adds the input": Fault(
            "The input is added to the output.",
            "The residual belongs to the layer around attention: in there it would be added twice.",
            "Return the projected heads alone.",
        ),
    },
    hints=(
        "Project X three times, cut the columns into heads, attend in each alone, put the heads side by side, project.",
        "From (S, d_model) to (num_heads, S, d_k) takes a reshape, then a swap of axes; and back the other way.",
        "split = lambda A: A.reshape(S, num_heads, d_k).swapaxes(0, 1); softmax(Q @ K.swapaxes(1, 2) / sqrt(d_k)) @ V; "
        "swap back, reshape to (S, d_model), @ Wo",
    ),
    forbidden=("torch.nn.MultiheadAttention", "torch.nn.functional.multi_head_attention_forward"),
)
