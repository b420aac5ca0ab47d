"""The first attention: a decoder's state asks every word of the sentence how well it fits, through a small network with
one hidden layer, and reads the mean of the sentence, weighted by the answers.

    score[n, t] = v . tanh(query[n] Wq + keys[n, t] Wk)
    weights = softmax of the scores over t,   context[n] = sum over t of weights[n, t] values[n, t]

query is (N, H), keys (N, T, H), values (N, T, V), Wq and Wk (H, A), v (A,). mask (N, T) is True where a word is valid:
all others get weight 0, and each row has at least one that is. Return context (N, V) and weights (N, T). Scores of ten
thousand must not overflow.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.faults import FINITE_MASK, MASK_AFTER_SOFTMAX, MASKED_WITH_ZERO, NOT_NORMALISED, OVERFLOWS
from handmade.workshop.switches import wrong


def bahdanau(query, keys, values, Wq, Wk, v, mask):
    """query (N, H), keys (N, T, H), values (N, T, V), mask (N, T) -> context (N, V), weights (N, T)."""
    if wrong("projections exchanged"):
        Wq, Wk = Wk, Wq
    asked, offered = query @ Wq, keys @ Wk  # N A, N T A
    if not wrong("query added along the words"):
        asked = asked[:, None]  # N 1 A
    if wrong("query left out"):
        asked = 0 * asked
    hidden = asked * offered if wrong("multiplied, not added") else asked + offered  # N T A
    if not wrong("no tanh"):
        hidden = np.tanh(hidden)
    scores = hidden.sum(-1) if wrong("v left out") else hidden @ v  # N T
    if wrong("divides by the root of A"):
        scores = scores / np.sqrt(len(v))
    if wrong("mask the wrong way round"):
        mask = ~mask
    hides = -1e4 if wrong("finite mask") else -np.inf
    if not (wrong("no mask") or wrong("mask after the softmax")):
        scores = scores * mask if wrong("masked with zero") else np.where(mask, scores, hides)
    axis = 0 if wrong("softmax over the batch") else 1
    exponentials = np.exp(scores if wrong("overflows") else scores - scores.max(axis, keepdims=True))
    weights = exponentials if wrong("not normalised") else exponentials / exponentials.sum(axis, keepdims=True)
    if wrong("mask after the softmax"):
        weights = weights * mask
    read = keys if wrong("keys as values") else values
    context = (weights[:, :, None] * read).sum(1)  # N V
    if wrong("mean over the words"):
        context = context / mask.sum(1, keepdims=True)
    return context, weights


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """All sizes differ, then batch and words are as many, and keys and values as wide; masks not only at the end; large
    scores, all negative, of which -1e4 is far from the smallest."""
    for label, N, T, H, V, A, size in [
        ("all sizes differ", 2, 4, 3, 5, 6, 1.0),
        ("as many words as sentences", 3, 3, 2, 4, 5, 1.0),
        ("keys as wide as values", 3, 5, 4, 4, 2, 1.0),
        ("nothing hidden", 2, 3, 4, 2, 3, 1.0),
        ("large scores", 2, 4, 3, 3, 2, 3e4),
    ]:
        query, keys, values = (
            rng.standard_normal((N, H)),
            rng.standard_normal((N, T, H)),
            rng.standard_normal((N, T, V)),
        )
        Wq, Wk, v = rng.standard_normal((H, A)), rng.standard_normal((H, A)), rng.standard_normal(A)
        if size > 1:
            query, keys, Wq, Wk = (np.abs(array) for array in (query, keys, Wq, Wk))
            v = -size * rng.uniform(1, 2, A)
        mask = np.ones((N, T), bool)
        if label != "nothing hidden":
            mask = rng.random((N, T)) < 0.6
            mask[range(N), np.arange(N) % T], mask[range(N), np.arange(1, N + 1) % T] = True, False
        yield Case(label, (query, keys, values, Wq, Wk, v, mask))


EXERCISE = Exercise(
    title="Additive attention",
    paper="Bahdanau et al. 2015, Neural Machine Translation by Jointly Learning to Align and Translate, section 3.1",
    minutes=20,
    functions=(bahdanau,),
    outputs=("context", "weights"),
    cases=cases,
    faults={
        "projections exchanged": Fault(
            "Wq is applied to the keys and Wk to the query.",
            "It trains, since both are learned, but pretrained weights do not fit.",
            "query @ Wq, keys @ Wk.",
        ),
        "query added along the words": Fault(
            "query Wq (N, A) is added to keys Wk (N, T, A) as it is, so its axis N meets the axis T.",
            "It fails unless there are as many sentences as words; then word t asks with sentence t's query.",
            "Give it an axis for the words: (query @ Wq)[:, None].",
        ),
        "query left out": Fault(
            "The query has no influence: it is left out, or added outside of the tanh, and what is the same for "
            "all words the softmax cancels.",
            "The decoder reads the same mean of the sentence at every step.",
            "tanh(query Wq + keys Wk): one tanh of the sum.",
        ),
        "multiplied, not added": Fault(
            "The projections are multiplied, not added.",
            "It is a kind of dot product: pretrained weights do not fit.",
            "tanh(query Wq + keys Wk).",
        ),
        "no tanh": Fault(
            "There is no tanh.",
            "The query then adds the same number to all scores of a sentence, which the softmax cancels: "
            "it has no influence.",
            "v . tanh(query Wq + keys Wk).",
        ),
        "v left out": Fault(
            "The hidden layer is summed, not multiplied by v.",
            "All its units count the same and with the same sign.",
            "np.tanh(...) @ v.",
        ),
        "divides by the root of A": Fault(
            "The scores are divided by sqrt(A), as in dot-product attention.",
            "Attention is too flat; v sets the scale here.",
            "Take v . tanh(...) as it is.",
        ),
        "mask the wrong way round": Fault(
            "What is valid is hidden, and the padding is seen.",
            "The context is made of padding; a sentence without any gives nan.",
            "mask is True where a word is valid: np.where(mask, scores, -np.inf).",
        ),
        "no mask": Fault(
            "The mask is not used.",
            "Padding gets weight, the more the shorter the sentence is.",
            "np.where(mask, scores, -np.inf) before the softmax.",
        ),
        "mask after the softmax": MASK_AFTER_SOFTMAX,
        "masked with zero": MASKED_WITH_ZERO,
        "finite mask": FINITE_MASK,
        "softmax over the batch": Fault(
            "The softmax runs over the batch, not over the words.",
            "The sentences compete with each other, and a sentence's weights do not sum to 1.",
            "Sum over t, axis 1 of (N, T).",
        ),
        "overflows": OVERFLOWS,
        "not normalised": NOT_NORMALISED,
        "keys as values": Fault(
            "The context is a mean of the keys, not of the values.",
            "What is matched and what is read are the same; pretrained weights do not fit.",
            "Multiply the weights by values.",
        ),
        "mean over the words": Fault(
            "The weighted values are averaged over the words, or divided by the sentence's length.",
            "The context of a long sentence is nearly 0: the weights already sum to 1.",
            "Sum over t.",
        ),
    },
    hints=(
        "The hidden layer is (N, T, A): which axis does query @ Wq lack?",
        "scores = np.tanh((query @ Wq)[:, None] + keys @ Wk) @ v is (N, T). Mask it, then softmax over axis 1.",
        "np.where(mask, scores, -np.inf); subtract each row's maximum, exp, divide by the sum; "
        "(weights[:, :, None] * values).sum(1)",
    ),
)
