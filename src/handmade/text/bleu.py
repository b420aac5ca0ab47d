"""BLEU: how many n-grams of a translation stand in a reference (Papineni et al. 2002, ACL P02-1040).

    BLEU = brevity penalty * exp(mean over n = 1..4 of log precision_n)

The numbers are sacrebleu's (Post 2018, arXiv 1804.08771): its tokenizer "13a" and its default smoothing,
"exp". Scores and precisions are percentages.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from handmade.errors import InputError

MAX_ORDER = 4
TOKENIZERS = ("13a", "none")
SMOOTHINGS = ("exp", "floor", "add-k", "none")

# The language-dependent part of NIST's mteval-v13a.pl.
MTEVAL = [
    (re.compile(r"([{-~\[-` -&(-+:-@/])"), r" \1 "),  # ASCII signs but apostrophe, comma, hyphen, full stop
    (re.compile(r"([^0-9])([.,])"), r"\1 \2 "),  # full stop and comma, unless after a digit
    (re.compile(r"([.,])([^0-9])"), r" \1 \2"),  # ... or before one
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),  # hyphen after a digit
]


class BLEU(NamedTuple):
    """`score` and its parts: `precisions` of 1- to 4-grams, `brevity_penalty`, lengths in tokens."""

    score: float
    precisions: list[float]
    brevity_penalty: float
    hypothesis_length: int
    reference_length: int


def corpus_bleu(
    hypotheses: Sequence[str],
    references: Sequence[Sequence[str]],
    *,
    tokenize: str = "13a",
    lowercase: bool = False,
    smoothing: str = "exp",
) -> BLEU:
    """BLEU of a corpus: counts are summed over all sentences before they are divided.

    `references[i]` are the reference translations of `hypotheses[i]`, at least one. `tokenize` "none" splits
    at spaces. `smoothing` of a precision of 0: "exp" takes 1/2 of a match, 1/4 for the next order, ...;
    "floor" takes 0.1; "add-k" adds 1 to the counts of every order but the first; "none" leaves it, and the
    score is 0 (Chen and Cherry 2014, ACL W14-3346). Raises InputError where hypotheses and references do not
    pair.
    """
    return _bleu(hypotheses, references, tokenize, lowercase, smoothing, effective_order=False)


def sentence_bleu(
    hypothesis: str,
    references: Sequence[str],
    *,
    tokenize: str = "13a",
    lowercase: bool = False,
    smoothing: str = "exp",
) -> BLEU:
    """BLEU of one sentence, over the orders it has n-grams of: two words have no 3-gram to miss."""
    return _bleu([hypothesis], [references], tokenize, lowercase, smoothing, effective_order=True)


def tokenize_13a(text: str) -> list[str]:
    """Words and punctuation marks as NIST's mteval-v13a.pl separates them."""
    text = text.rstrip().replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, character in ("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"):
        text = text.replace(entity, character)
    text = f" {text} "
    for pattern, replacement in MTEVAL:
        text = pattern.sub(replacement, text)
    return text.split()


def _bleu(
    hypotheses: Sequence[str],
    references: Sequence[Sequence[str]],
    tokenize: str,
    lowercase: bool,
    smoothing: str,
    effective_order: bool,
) -> BLEU:
    _check(hypotheses, references, tokenize, smoothing)
    split = tokenize_13a if tokenize == "13a" else str.split
    correct, total = [0] * MAX_ORDER, [0] * MAX_ORDER
    hypothesis_length = reference_length = 0
    for hypothesis, translations in zip(hypotheses, references, strict=True):
        candidate, *targets = [split(text.lower() if lowercase else text) for text in (hypothesis, *translations)]
        hypothesis_length += len(candidate)
        reference_length += min((abs(len(target) - len(candidate)), len(target)) for target in targets)[1]
        for n in range(MAX_ORDER):
            counts, allowed = _ngrams(candidate, n + 1), Counter()
            for target in targets:
                allowed |= _ngrams(target, n + 1)  # a match counts as often as in the reference that has most of it
            correct[n] += (counts & allowed).total()
            total[n] += counts.total()

    penalty = 1.0
    if hypothesis_length < reference_length:
        penalty = math.exp(1 - reference_length / hypothesis_length) if hypothesis_length else 0.0
    precisions, order = _precisions(correct, total, smoothing)
    logs = [math.log(p) if p else -math.inf for p in precisions[: order if effective_order else MAX_ORDER]]
    score = penalty * math.exp(sum(logs) / len(logs)) if any(correct) else 0.0
    return BLEU(score, precisions, penalty, hypothesis_length, reference_length)


def _precisions(correct: list[int], total: list[int], smoothing: str) -> tuple[list[float], int]:
    """Precision in percent by order, and the highest order of which there are n-grams."""
    precisions, zeros, order = [0.0] * MAX_ORDER, 0, 0
    if not any(correct):
        return precisions, order
    for n, (matches, count) in enumerate(zip(correct, total, strict=True)):
        more = 1 if smoothing == "add-k" and n > 0 else 0
        if count + more == 0:
            break
        order = n + 1
        if matches + more:
            precisions[n] = 100 * (matches + more) / (count + more)
        elif smoothing == "exp":
            zeros += 1
            precisions[n] = 100 / (2**zeros * count)
        elif smoothing == "floor":
            precisions[n] = 100 * 0.1 / count
    return precisions, order


def _ngrams(words: list[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(words[start:] for start in range(n)), strict=False))


def _check(hypotheses: Sequence[str], references: Sequence[Sequence[str]], tokenize: str, smoothing: str) -> None:
    if tokenize not in TOKENIZERS:
        raise InputError(f"tokenize: got {tokenize!r}, expected one of {TOKENIZERS}")
    if smoothing not in SMOOTHINGS:
        raise InputError(f"smoothing: got {smoothing!r}, expected one of {SMOOTHINGS}")
    if isinstance(hypotheses, str) or not hypotheses or len(hypotheses) != len(references):
        raise InputError(
            f"hypotheses and references: got {len(hypotheses)} and {len(references)}, expected a list of "
            "strings and as many lists of references"
        )
    for number, translations in enumerate(references):
        if isinstance(translations, str) or not translations:
            raise InputError(f"references[{number}]: got {translations!r}, expected a list of one or more strings")
