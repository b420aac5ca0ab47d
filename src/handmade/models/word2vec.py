"""word2vec: words as vectors, learned by telling a word's neighbours in a text from words drawn at random.

    Mikolov, Sutskever, Chen, Corrado & Dean, "Distributed Representations of Words and Phrases and their
    Compositionality" (2013): skip-gram with negative sampling (section 2.2), subsampling (2.3).
    Mikolov, Chen, Corrado & Dean, "Efficient Estimation of Word Representations in Vector Space" (2013): the window.

    centre word c  --row of `centre`-->  v_c  \\
                                               dot product --sigmoid-->  do they stand together?
    other word o   --row of `context`--> u_o  /

    loss of a pair = -log σ(u_o·v_c) - sum over K words n drawn at random of log σ(-u_n·v_c)       (equation 4)

A batch touches few of the rows, so its gradient is written out here, row by row, and nothing of the size of the tables
is made; `forward` is the same loss on the tape, and a test holds the two equal. What is kept in the end is `centre`.

Differences:
- A step is taken for a batch of pairs at once; the authors' program steps pair by pair. A row that stands several times
  in a batch gets the sum of its gradients, as it would one after another. (A batch should stay well below the number of
  pairs in which frequent words stand once: a few hundred for small vocabularies.)
- Subsampling keeps a word with the paper's probability sqrt(t / f); the program's formula is slightly larger.

B pairs of a batch, K negative words of each, V words, D size of the vectors, N words of the text, P pairs of it
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int, Int64

import handmade.nn.functional as F
from handmade.engine import Tensor, creation, no_grad
from handmade.engine.functions import cat
from handmade.engine.random import generator
from handmade.nn import Module, Parameter, init

POWER = 0.75
"""Negative words are drawn in proportion to their counts to this power (section 2.2)."""


class SkipGram(Module):
    """Two tables of vectors, (V, D): of words as centres and as context.

    As in the authors' program, `centre` starts uniform in ±1 / 2D, and `context` at zero.
    """

    def __init__(self, vocab_size: int, embedding_dim: int) -> None:
        super().__init__()
        bound = 0.5 / embedding_dim
        self.centre = Parameter(init.uniform_(creation.empty(vocab_size, embedding_dim), -bound, bound))
        self.context = Parameter(creation.zeros(vocab_size, embedding_dim))

    def forward(
        self, centres: Int[Tensor, "B"], others: Int[Tensor, "B"], negatives: Int[Tensor, "B K"]
    ) -> Float[Tensor, ""]:
        """The loss of equation 4, summed over the pairs."""
        words = cat([others.unsqueeze(1), negatives], dim=1)  # B 1+K
        v, u = F.embedding(centres, self.centre), F.embedding(words, self.context)
        scores = (u @ v.unsqueeze(2)).squeeze(2)  # B 1+K
        true = creation.zeros(*scores.shape, dtype=scores.dtype)
        true[:, 0] = 1.0
        return F.binary_cross_entropy_with_logits(scores, true, reduction="sum")

    @no_grad()
    def step(
        self,
        centres: Int64[np.ndarray, "B"],
        others: Int64[np.ndarray, "B"],
        negatives: Int64[np.ndarray, "B K"],
        learning_rate: float,
    ) -> float:
        """A step of gradient descent on the pairs' loss, in the rows they touch. Returns their mean loss before it.

        With s = σ(u·v), -log σ(u·v) has the derivative (s - 1) v by u, and -log σ(-u·v) has s v.
        """
        words = np.concatenate([others[:, None], negatives], axis=1)  # B 1+K
        v, u = self.centre.array[centres], self.context.array[words]  # B D, B 1+K D
        scores = np.einsum("bkd,bd->bk", u, v)
        error = (1 + np.tanh(scores / 2)) / 2  # σ
        error[:, 0] -= 1  # the first of each row is the true one
        grad_v = np.einsum("bk,bkd->bd", error, u)
        grad_u = error[:, :, None] * v[:, None]
        add_to_rows(self.centre.writable("step"), centres, -learning_rate * grad_v)
        add_to_rows(self.context.writable("step"), words.reshape(-1), -learning_rate * grad_u.reshape(-1, v.shape[1]))
        scores[:, 0] *= -1
        return float(np.logaddexp(0, scores).sum() / len(centres))


def add_to_rows(
    table: Float[np.ndarray, "V D"], rows: Int64[np.ndarray, "R"], updates: Float[np.ndarray, "R D"]
) -> None:
    """table[rows[i]] += updates[i] for every i, in place, a row being named any number of times."""
    order = np.argsort(rows, kind="stable")
    rows = rows[order]
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    table[rows[first]] += np.add.reduceat(updates[order], first, axis=0)


# --- pairs out of a text ----------------------------------------------------------------------------------------------


def kept_by_subsampling(
    words: Int64[np.ndarray, "N"], frequencies: Float[np.ndarray, "V"], t: float, rng: np.random.Generator
) -> Bool[np.ndarray, "N"]:
    """Which words of a text stay: one of frequency f does with probability sqrt(t / f) (equation 5).

    Frequencies are shares of the text; t is 1e-5 in the paper, for a text of a billion words.
    """
    return rng.random(len(words)) < np.sqrt(t / frequencies[words])


def skip_gram_pairs(
    words: Int64[np.ndarray, "N"], sentences: Int64[np.ndarray, "N"], window: int, rng: np.random.Generator
) -> tuple[Int64[np.ndarray, "P"], Int64[np.ndarray, "P"]]:
    """Centres and their neighbours in the same sentence, whose number stands for each word in `sentences`.

    Each centre draws how far it looks, evenly from 1 to `window` words, so that near words are paired more often than
    far ones: those at distance d with probability (window - d + 1) / window.
    """
    reach = rng.integers(1, window + 1, len(words))
    centres, others = [words[:0]], [words[:0]]
    for distance in range(1, min(window, len(words) - 1) + 1):
        together = sentences[:-distance] == sentences[distance:]
        left, right = words[:-distance], words[distance:]
        looks_right, looks_left = together & (reach[:-distance] >= distance), together & (reach[distance:] >= distance)
        centres += [left[looks_right], right[looks_left]]
        others += [right[looks_right], left[looks_left]]
    return np.concatenate(centres), np.concatenate(others)


class NegativeWords:
    """Draws words with probability in proportion to count^0.75."""

    def __init__(self, counts: Int64[np.ndarray, "V"]) -> None:
        self.cumulative = np.cumsum(counts**POWER)

    def draw(self, size: tuple[int, ...], rng: np.random.Generator) -> Int64[np.ndarray, "..."]:
        return np.searchsorted(self.cumulative, rng.random(size) * self.cumulative[-1], side="right")


def train_skip_gram(
    sentences: Sequence[Sequence[int]],
    vocab_size: int,
    *,
    embedding_dim: int = 100,
    window: int = 5,
    negatives: int = 5,
    epochs: int = 5,
    t: float = 1e-3,
    learning_rate: float = 0.025,
    batch_size: int = 256,
) -> tuple[SkipGram, list[float]]:
    """Learn the vectors of the words 0 .. V - 1 from sentences of word numbers; the model, and each epoch's mean loss.

    The learning rate falls in a straight line to 0 at the end. All is drawn from the global generator.
    Raises ValueError for settings below 1, a t or learning_rate not above 0, words outside the vocabulary, and
    sentences without two words next to each other.
    """
    _check(sentences, vocab_size, (embedding_dim, window, negatives, epochs, batch_size), (t, learning_rate))
    rng = generator()
    words = np.concatenate([np.asarray(sentence, np.int64) for sentence in sentences])
    numbers = np.repeat(np.arange(len(sentences)), [len(sentence) for sentence in sentences])
    counts = np.bincount(words, minlength=vocab_size)
    frequencies, negative_words = counts / len(words), NegativeWords(counts)
    model, losses = SkipGram(vocab_size, embedding_dim), []
    for epoch in range(epochs):
        kept = kept_by_subsampling(words, frequencies, t, rng)
        centres, others = skip_gram_pairs(words[kept], numbers[kept], window, rng)
        order, total = rng.permutation(len(centres)), 0.0
        for start in range(0, len(centres), batch_size):
            batch = order[start : start + batch_size]
            done = (epoch + start / len(centres)) / epochs
            far = negative_words.draw((len(batch), negatives), rng)
            total += len(batch) * model.step(centres[batch], others[batch], far, learning_rate * (1 - done))
        losses.append(total / max(len(centres), 1))
    return model, losses


def _check(
    sentences: Sequence[Sequence[int]], vocab_size: int, sizes: tuple[int, ...], positive: tuple[float, ...]
) -> None:
    if min(sizes) < 1 or min(positive) <= 0:
        raise ValueError(
            "embedding_dim, window, negatives, epochs and batch_size must be at least 1, t and learning_rate above 0; "
            f"got {', '.join(map(str, sizes + positive))}"
        )
    if not any(len(sentence) > 1 for sentence in sentences):
        raise ValueError("sentences: none has two words, so there is nothing to learn from")
    low, high = (extreme(extreme(sentence) for sentence in sentences if len(sentence)) for extreme in (min, max))
    if low < 0 or high >= vocab_size:
        raise ValueError(f"sentences hold words {low} to {high}; the vocabulary has {vocab_size}, numbered from 0")
