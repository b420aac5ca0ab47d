"""The decoder looks at what was encoded: the queries come from one sequence, keys and values from another.

    Q, K, V = x Wq, memory Wk, memory Wv
    head_h  = softmax(Q_h K_h^T / sqrt(d_k)) V_h        with d_k = d_model / num_heads
    output  = concat(head_1, ..., head_H) Wo

x is (S, d_model), memory (T, d_model), and S need not be T; weights = (Wq, Wk, Wv, Wo), each (d_model, d_model) and
applied as x @ W. Head h has the columns from h * d_k to (h + 1) * d_k. Return the output, (S, d_model). Scores may be
so large that exp would overflow.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.faults import (
    DIVIDES_BY_D_K,
    MERGED_WITHOUT_SWAP,
    NO_OUTPUT_PROJECTION,
    NO_SCALE,
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


def cross_attention(x, memory, num_heads, weights):
    """x (S, d_model), memory (T, d_model), weights (Wq, Wk, Wv, Wo) -> output (S, d_model)."""
    Wq, Wk, Wv, Wo = weights
    if wrong("weights transposed"):
        Wq, Wk, Wv, Wo = Wq.T, Wk.T, Wv.T, Wo.T
    if wrong("x and memory exchanged"):
        x, memory = memory, x
    if wrong("ignores the memory"):
        memory = x
    if wrong("one head"):
        num_heads = 1
    d_model = x.shape[-1]
    Q = split(x @ Wq, num_heads)  # H S d_k
    K = split((x if wrong("keys from x") else memory) @ Wk, num_heads)  # H T d_k
    V = split((x if wrong("values from x") else memory) @ Wv, num_heads)
    scale = np.sqrt(d_model if wrong("divides by the root of d_model") else d_model // num_heads)
    if wrong("divides by d_k"):
        scale = scale**2
    if wrong("no scale"):
        scale = 1.0
    scores = Q @ K.swapaxes(-1, -2) / scale  # H S T
    axis = -2 if wrong("softmax over the queries") else -1
    if wrong("one maximum for all scores"):
        scores = scores - scores.max()
    elif not wrong("overflows"):
        scores = scores - scores.max(axis, keepdims=True)
    attention = np.exp(scores)
    if not wrong("not normalised"):
        attention = attention / attention.sum(axis, keepdims=True)
    heads = attention @ V  # H S d_k
    if not wrong("merged without swapping"):
        heads = heads.swapaxes(0, 1)
    output = heads.reshape(x.shape)
    return output if wrong("no output projection") else output @ Wo


def split(projected, num_heads):
    """(S, d_model) -> the heads' columns, (num_heads, S, d_k)."""
    S, d_model = projected.shape
    if wrong("reshaped instead of split"):
        return projected.reshape(num_heads, S, d_model // num_heads)
    return projected.reshape(S, num_heads, d_model // num_heads).swapaxes(0, 1)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """S below, above and equal to T; a common part in all scores that makes exp overflow in one, rows
    that lie thousands apart in the last."""
    for label, S, T, num_heads, d_k, size in [
        ("one head", 4, 3, 1, 3, 0),
        ("x shorter than memory", 3, 5, 2, 3, 0),
        ("x longer than memory", 5, 2, 3, 2, 0),
        ("x as long as memory", 4, 4, 2, 4, 0),
        ("large scores", 3, 3, 2, 4, 50),
    ]:
        d_model = num_heads * d_k
        x, memory = rng.standard_normal((S, d_model)), rng.standard_normal((T, d_model))
        weights = [rng.standard_normal((d_model, d_model)) / np.sqrt(d_model) for _ in range(4)]
        if size:
            x[:, 0] = memory[:, 0] = 1
            for W in weights[:2]:
                W[0], W[1:] = size, 0.1 * W[1:]
        yield Case(label, (x, memory, num_heads, tuple(weights)))
    x, memory = rng.standard_normal((3, 8)), rng.standard_normal((4, 8))
    weights = [rng.standard_normal((8, 8)) / np.sqrt(8) for _ in range(4)]
    x[:, 0], memory[:, 0] = [-2, 0.5, 1.5], 1
    weights[1] *= 0.03
    weights[0][0], weights[1][0] = 30, 30
    yield Case("rows far apart", (x, memory, 2, tuple(weights)))
    weights = [rng.standard_normal((8, 8)) / np.sqrt(8) for _ in range(4)]
    x = np.column_stack([np.ones(3), rng.standard_normal((3, 7))])
    memory = np.column_stack([[1.0, -1.0, 0.5, -0.5], rng.standard_normal((4, 7))])
    weights[0][0], weights[1][0] = 50, 50
    yield Case("keys far apart", (x, memory, 2, tuple(weights)))


EXERCISE = Exercise(
    title="Cross-attention",
    paper="Vaswani et al. 2017, Attention Is All You Need, section 3.2.3",
    minutes=15,
    functions=(cross_attention,),
    outputs=("output",),
    cases=cases,
    faults={
        "one maximum for all scores": ONE_MAXIMUM,
        "keys from x": Fault(
            "The keys are projected from x, not from memory.",
            "Queries choose among their own positions and then fetch values of the memory that have nothing to do with "
            "them; it fails where the lengths differ.",
            "K = memory @ Wk.",
        ),
        "values from x": Fault(
            "The values are projected from x, not from memory.",
            "Nothing of the encoder's output reaches the decoder; it fails where the lengths differ.",
            "V = memory @ Wv.",
        ),
        "ignores the memory": Fault(
            "Keys and values both come from x: this is self-attention.",
            "The decoder never sees the input and learns to write fluent text about nothing.",
            "Project keys and values from memory.",
        ),
        "x and memory exchanged": Fault(
            "The queries come from memory, keys and values from x.",
            "The result has memory's length: a row for each encoded position instead of one for each decoded one.",
            "Q = x @ Wq; keys and values from memory.",
        ),
        "no scale": NO_SCALE,
        "divides by the root of d_model": ROOT_OF_D_MODEL,
        "divides by d_k": DIVIDES_BY_D_K,
        "reshaped instead of split": RESHAPED_NOT_SPLIT,
        "merged without swapping": MERGED_WITHOUT_SWAP,
        "one head": ONE_HEAD,
        "no output projection": NO_OUTPUT_PROJECTION,
        "weights transposed": WEIGHTS_TRANSPOSED,
        "softmax over the queries": SOFTMAX_OVER_QUERIES,
        "overflows": OVERFLOWS,
        "not normalised": NOT_NORMALISED,
    },
    hints=(
        "It is multi-head attention; only what the three projections are applied to changes.",
        "The scores are (num_heads, S, T): a row for each position of x, a column for each of memory. "
        "reshape needs each sequence's own length.",
        "Q = split(x @ Wq), K = split(memory @ Wk), V = split(memory @ Wv), with "
        "split = lambda A: A.reshape(len(A), num_heads, -1).swapaxes(0, 1)",
    ),
    forbidden=("torch.nn.MultiheadAttention", "torch.nn.functional.multi_head_attention_forward"),
)
