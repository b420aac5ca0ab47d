"""Text is generated token by token, and the keys and values of what was written do not change: keep them.

CachedAttention(Wq, Wk, Wv, Wo, num_heads) is causal multi-head attention that is called with one chunk (t, C) after
another, t >= 1 rows each time, and returns what causal attention over all rows so far would give for this chunk (t, C):

    Q, K, V = X Wq, X Wk, X Wv,   head_h = softmax(Q_h K_h^T / sqrt(d_k) + mask) V_h,   concat(heads) Wo

Weights are (C, C) and applied as X @ W, without biases; head h has the columns from h * d_k to (h + 1) * d_k, with
d_k = C / num_heads. The first call has nothing before it. Two instances share nothing.
Each row is projected once, when it comes: that is what the cache is for.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.faults import (
    MAXIMUM_OF_THE_HIDDEN,
    MERGED_WITHOUT_SWAP,
    NO_OUTPUT_PROJECTION,
    NO_SCALE,
    ONE_HEAD,
    ONE_MAXIMUM,
    RESHAPED_NOT_SPLIT,
    ROOT_OF_D_MODEL,
    SEES_ONE_AHEAD,
    SOFTMAX_OVER_QUERIES,
    WEIGHTS_TRANSPOSED,
)
from handmade.workshop.switches import convention, wrong


class CachedAttention:
    """Causal multi-head attention over all chunks (t, C) it was called with; weights (C, C)."""

    def __init__(self, Wq, Wk, Wv, Wo, num_heads):
        if wrong("weights transposed"):
            Wq, Wk, Wv, Wo = Wq.T, Wk.T, Wv.T, Wo.T
        self.Wq, self.Wk, self.Wv, self.Wo = Wq, Wk, Wv, Wo
        self.num_heads = 1 if wrong("one head") else num_heads
        if wrong("gives all rows") or wrong("old rows projected again"):
            self.rows = []
        if convention("weights copied"):
            self.Wk, self.Wv = Wk.copy(), Wv.copy()
        if wrong("cache shared by all instances"):
            owner: Any = type(self)
            owner.keys, owner.values = [], []
        else:
            self.keys, self.values = [], []  # one array (t, C) for each chunk

    def __call__(self, x):
        """x (t, C), the next rows -> their output (t, C)."""
        if wrong("nothing is kept"):
            self.keys, self.values = [], []
        if wrong("only the last chunk is kept"):
            self.keys, self.values = self.keys[-1:], self.values[-1:]
        if wrong("gives all rows") or wrong("old rows projected again"):
            self.rows.append(x)
        if wrong("old rows projected again"):
            self.keys = [row @ self.Wk for row in self.rows[:-1]]
            self.values = [row @ self.Wv for row in self.rows[:-1]]
        if wrong("new keys before the old"):
            self.keys.insert(0, x @ self.Wk)
            self.values.insert(0, x @ self.Wv)
        else:
            self.keys.append(x @ self.Wk)
            self.values.append(x @ self.Wv)
        if wrong("gives all rows"):
            x = np.concatenate(self.rows)
        t, C = x.shape
        Q = self.split(x @ self.Wq)  # H t d_k
        K, V = self.split(np.concatenate(self.keys)), self.split(np.concatenate(self.values))  # H S d_k
        d_k = C if wrong("divides by the root of d_model") else C // self.num_heads
        scores = Q @ K.swapaxes(-1, -2) / (1.0 if wrong("no scale") else np.sqrt(d_k))  # H t S
        unmasked = scores
        past = 0 if wrong("mask begins at the first key") else scores.shape[-1] - t
        if wrong("sees one ahead"):
            past += 1
        if not wrong("no mask within a chunk"):
            scores = np.where(np.tri(t, scores.shape[-1], past, dtype=bool), scores, -np.inf)
        axis = -2 if wrong("softmax over the queries") else -1
        largest = (unmasked if wrong("maximum taken before the mask") else scores).max(axis, keepdims=True)
        if wrong("one maximum for all scores"):
            largest = scores.max()
        exponentials = np.exp(scores - largest)
        heads = exponentials / exponentials.sum(axis, keepdims=True) @ V  # H t d_k
        if not wrong("merged without swapping"):
            heads = heads.swapaxes(0, 1)
        output = heads.reshape(x.shape)
        return output if wrong("no output projection") else output @ self.Wo

    def split(self, projected):
        """(S, C) -> the heads' columns, (num_heads, S, d_k)."""
        if wrong("reshaped instead of split"):
            return projected.reshape(self.num_heads, len(projected), -1)
        return projected.reshape(len(projected), self.num_heads, -1).swapaxes(0, 1)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Chunks of one row and of several, several heads; two instances called in turn; rows of scores far apart; weights
    that change between two calls, so that old rows show whether they are projected again."""
    for label, num_heads, d_k, instances, lengths in [
        ("one chunk", 2, 3, 1, [4]),
        ("row by row", 2, 2, 1, [1, 1, 1, 1]),
        ("chunks of several rows", 3, 2, 1, [3, 1, 2]),
        ("one head", 1, 3, 1, [2, 3]),
        ("two instances in turn", 2, 3, 2, [2, 2, 1, 1, 3, 2]),
    ]:
        C = num_heads * d_k
        arguments = [
            (*(rng.standard_normal((C, C)) / np.sqrt(C) for _ in range(4)), num_heads) for _ in range(instances)
        ]
        calls = [(i % instances, rng.standard_normal((t, C))) for i, t in enumerate(lengths)]
        yield Case(label, extra={"instances": arguments, "calls": calls})
    for label, high, flat, lengths in [
        ("rows far apart", 0, 1, [2, 2]),
        ("a hidden key far above the others", 1, 0, [4]),
    ]:
        # queries (or keys) of about 17 and -17, against keys (or queries) of about 17
        x, weights = rng.standard_normal((4, 8)), [rng.standard_normal((8, 8)) / np.sqrt(8) for _ in range(4)]
        x[:, 0], x[:, 1] = [-1, -1, -1, 1], 1
        weights[0], weights[1] = 0.03 * weights[0], 0.03 * weights[1]
        weights[high][0], weights[flat][1] = 17, 17
        calls = [(0, rows) for rows in np.split(x, np.cumsum(lengths)[:-1])]
        yield Case(label, extra={"instances": [(*weights, 2)], "calls": calls})
    x, weights = rng.standard_normal((5, 4)), [rng.standard_normal((4, 4)) / 2 for _ in range(4)]
    other = [None, *(rng.standard_normal((4, 4)) / 2 for _ in range(2)), None]
    calls = [(0, x[:3]), (0, x[3:4]), (0, x[4:])]
    changed = {"instances": [(*weights, 2)], "calls": calls, "weights": other}
    yield Case("Wk and Wv change after the first chunk", extra=changed)


EXERCISE = Exercise(
    title="Key-value cache",
    paper="Pope et al. 2022, Efficiently Scaling Transformer Inference, section 2.1; attention: Vaswani et al. 2017",
    minutes=20,
    functions=(CachedAttention,),
    outputs=("outputs",),
    cases=cases,
    driver="chunks",
    conventions={
        "weights copied": "The weights are copied when the instance is made, as to have all three side by side: "
        "what changes in them later is not seen.",
    },
    faults={
        "old rows projected again": Fault(
            "The rows are kept, and the keys and values of all of them computed again at each call.",
            "It is no cache: each token costs as much as the whole text before it.",
            "Keep what x @ Wk and x @ Wv gave, on self; project the chunk's rows only.",
        ),
        "maximum taken before the mask": MAXIMUM_OF_THE_HIDDEN,
        "one maximum for all scores": ONE_MAXIMUM,
        "nothing is kept": Fault(
            "Keys and values of earlier chunks are forgotten: each chunk sees itself alone.",
            "The model forgets its prompt after the first token.",
            "Append the new keys and values to those kept on self, and attend to all.",
        ),
        "only the last chunk is kept": Fault(
            "Only the chunk before this one is seen; older ones are overwritten.",
            "The model sees a window of two chunks, and forgets its prompt.",
            "Keep the concatenation of old and new, not the new ones only.",
        ),
        "new keys before the old": Fault(
            "New keys and values are put in front of the old ones.",
            "The mask then hides old keys and shows later ones.",
            "np.concatenate([old, new]).",
        ),
        "gives all rows": Fault(
            "All rows so far are returned, not those of the chunk.",
            "Earlier rows are returned again; the next layer caches them twice.",
            "Only the chunk's rows need queries: the output has x's shape.",
        ),
        "cache shared by all instances": Fault(
            "The cache belongs to the class, not to the instance.",
            "Layers, or two conversations, read each other's keys.",
            "Make the lists in __init__, on self.",
        ),
        "mask begins at the first key": Fault(
            "The mask lines the chunk's first row up with the first key of all.",
            "With a cache, a new token sees only the oldest keys.",
            "The chunk's rows are the last ones: shift the triangle by the number of keys before them.",
        ),
        "no mask within a chunk": Fault(
            "Rows of one chunk see the rows after them.",
            "The prompt is read with knowledge of its own future, unlike in training.",
            "Row i of the chunk sees all earlier chunks, and the chunk's rows up to i.",
        ),
        "sees one ahead": SEES_ONE_AHEAD,
        "no scale": NO_SCALE,
        "divides by the root of d_model": ROOT_OF_D_MODEL,
        "softmax over the queries": SOFTMAX_OVER_QUERIES,
        "reshaped instead of split": RESHAPED_NOT_SPLIT,
        "merged without swapping": MERGED_WITHOUT_SWAP,
        "one head": ONE_HEAD,
        "no output projection": NO_OUTPUT_PROJECTION,
        "weights transposed": WEIGHTS_TRANSPOSED,
    },
    hints=(
        "Only the new rows need queries; keys and values of the old ones are kept on self.",
        "Scores are (num_heads, t, S) with S all rows so far. Which of the S keys does the chunk's row i see?",
        "self.K = np.concatenate([self.K, x @ Wk]), self.V alike; visible = np.tri(t, S, S - t, dtype=bool)",
    ),
    forbidden=("torch.nn.MultiheadAttention", "torch.nn.functional.multi_head_attention_forward"),
)
