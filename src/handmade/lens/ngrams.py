"""BLEU by its n-grams: which of a translation are matched in a reference (Papineni et al. 2002, section 2)."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from handmade.errors import InputError
from handmade.text.bleu import MAX_ORDER, corpus_bleu


class Order(NamedTuple):
    """The n-grams of one length, in the order in which they stand: which are matched, and their precision, 0 to 1.

    An n-gram is matched at most as often as the reference has it; of several the first are.
    """

    matched: list[bool]
    precision: float


class Marked(NamedTuple):
    """The orders 1 to 4, the brevity penalty, and BLEU from 0 to 1, without smoothing."""

    orders: list[Order]
    brevity_penalty: float
    score: float


def marked_ngrams(hypothesis: Sequence[str], reference: Sequence[str]) -> Marked:
    """The n-grams of a hypothesis beside one reference, both as tokens. InputError where one of them is empty."""
    if not hypothesis or not reference:
        raise InputError("BLEU compares two texts, and one of them is empty.")
    if any(" " in token for token in (*hypothesis, *reference)):
        raise InputError("a token holds a blank, and blanks are what tokens are split at.")
    orders = []
    for n in range(1, MAX_ORDER + 1):
        left = Counter(tuple(reference[k : k + n]) for k in range(len(reference) - n + 1))
        matched = []
        for k in range(len(hypothesis) - n + 1):
            ngram = tuple(hypothesis[k : k + n])
            matched.append(left[ngram] > 0)
            left[ngram] -= 1
        orders.append(matched)
    bleu = corpus_bleu([" ".join(hypothesis)], [[" ".join(reference)]], tokenize="none", smoothing="none")
    precisions = [precision / 100 for precision in bleu.precisions]
    marked = [Order(matched, precision) for matched, precision in zip(orders, precisions, strict=True)]
    return Marked(marked, bleu.brevity_penalty, bleu.score / 100)
