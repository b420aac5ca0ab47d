"""Byte-pair encoding: the pieces that a language model reads are learned by merging what often occurs side by side.

bpe_train(text, num_merges) begins with the text's characters, spaces included, as one sequence. num_merges times it
counts all pairs of neighbours (overlapping ones too: "aaa" has two of "a", "a"), takes the most frequent pair, the one
met first if several are, and replaces it by one token wherever it occurs, from left to right. It stops early when no
pair is left. Return the list of pairs of strings, in order.

bpe_encode(text, merges) begins with the text's characters and applies such a list's merges in their order, each
wherever its pair occurs, from left to right. Return the list of strings.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import wrong


def bpe_train(text, num_merges):
    """-> the merges, a list of pairs of strings, at most num_merges."""
    tokens, merges = list(text), []
    for _ in range(num_merges):
        counts = pair_counts(tokens)
        if wrong("counts only once"):
            counts = Counter({pair: n for pair, n in pair_counts(list(text)).items() if pair not in merges})
        if not counts and not wrong("fails when no pair is left"):
            break
        candidates = list(counts)  # in the order in which they were met
        if wrong("ties to the last met"):
            candidates.reverse()
        if wrong("ties to the smallest pair"):
            candidates.sort()
        if wrong("ties to the greatest pair"):
            candidates.sort(reverse=True)
        best = max(candidates, key=lambda pair: counts[pair])
        if wrong("stops when every pair is the only one") and counts[best] < 2:
            break
        merges.append("".join(best) if wrong("joined strings in place of pairs") else best)
        tokens = merge(tokens, best)
    return merges


def pair_counts(tokens):
    """How often each pair of neighbours stands in tokens, in the order in which they are met."""
    pairs = list(pairwise(tokens))
    if wrong("overlapping pairs counted once"):
        marked: list = pairs
        for i in range(1, len(pairs)):
            if marked[i] == marked[i - 1] and len(set(marked[i])) == 1:
                marked[i] = None
        pairs = [pair for pair in marked if pair]
    if wrong("words apart"):
        pairs = [pair for pair in pairs if " " not in pair]
    return Counter(pairs)


def merge(tokens, pair):
    """Each occurrence of the pair in tokens made one token, from left to right."""
    if wrong("merges from right to left"):
        tokens = list(tokens)
        for i in range(len(tokens) - 2, -1, -1):
            if tokens[i : i + 2] == list(pair):
                tokens[i : i + 2] = ["".join(pair)]
        return tokens
    merged, i = [], 0
    while i < len(tokens):
        found = tokens[i : i + 2] == list(pair)
        if wrong("merges the first occurrence only"):
            found = found and len(merged) == i
        if found:
            merged.append(tokens[i] + tokens[i + 1])
            i += 2
        else:
            merged.append(tokens[i])
            i += 1
    return merged


def bpe_encode(text, merges):
    """-> the text's tokens, a list of strings."""
    tokens = list(text)
    if wrong("words apart"):
        tokens = [character for character in tokens if character != " "]
    if wrong("encodes in reverse order"):
        merges = merges[::-1]
    if wrong("encodes the leftmost pair first"):
        i = 0
        while i < len(tokens) - 1:
            if (tokens[i], tokens[i + 1]) in merges:
                tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
                i = 0
            else:
                i += 1
    if wrong("encodes by the longest piece"):
        pieces, tokens = {"".join(pair) for pair in merges}, []
        while text:
            length = max((len(piece) for piece in pieces if text.startswith(piece)), default=1)
            tokens.append(text[:length])
            text = text[length:]
        return tokens
    for pair in merges:
        tokens = merge(tokens, pair)
    return tokens


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Ties, repeated letters, spaces, early ends; the merges that are encoded with come from a training."""
    for label, text, num_merges in [
        ("train", "aaabdaaabac", 3),
        ("train: pairs across spaces", "the cat the hat the cat", 6),
        ("train: ties", "zyzyxwxwab", 4),
        ("train: ties, the smallest first", "abcabc bd", 3),
        ("train: overlapping pairs", "bcaaaxbcy", 3),
        ("train: repeated letters", "aaa aaaaa", 4),
        ("train: every pair once", "abcd", 2),
        ("train: stops early", "abab", 9),
        ("train: one character", "a", 3),
        ("train: no merges", "abab", 0),
    ]:
        yield Case(label, (text, num_merges), function="bpe_train")
    crossed = [("b", "c"), ("a", "b")]
    nested = [("c", "d"), ("b", "cd"), ("b", "c")]
    spaced = [("t", "h"), ("th", "e"), ("the", " "), ("a", "t")]
    for label, text, merges in [
        ("encode: merges that compete", "abcab", crossed),
        ("encode: a later merge begins earlier", "abcbcaab", crossed),
        ("encode: merges of merges", "bcdbcbcdd", nested),
        ("encode: a piece that is not reached", "xbcd", [("b", "c"), ("c", "d"), ("b", "cd")]),
        ("encode: spaces", "that the cat the ", spaced),
        ("encode: repeated letters", "aaaaaaa", [("a", "a"), ("aa", "aa")]),
        ("encode: unknown characters", "a?b ab", [("a", "b")]),
        ("encode: no merges", "ab c", []),
    ]:
        yield Case(label, (text, merges), function="bpe_encode")


EXERCISE = Exercise(
    title="Byte-pair encoding",
    paper="Sennrich et al. 2016, Neural Machine Translation of Rare Words with Subword Units, section 3.2",
    minutes=20,
    functions=(bpe_train, bpe_encode),
    outputs=("result",),
    cases=cases,
    faults={
        "counts only once": Fault(
            "Pairs are counted before the first merge and never again.",
            "No token becomes longer than two characters.",
            "Count the pairs of the merged sequence before each merge.",
        ),
        "ties to the last met": Fault(
            "Of equally frequent pairs the one met last is taken.",
            "The merges differ from those that others learn from the same text.",
            "Take the first: a dict keeps the order of insertion, and max gives the first of equals.",
        ),
        "ties to the smallest pair": Fault(
            "Of equally frequent pairs the alphabetically first is taken.",
            "The merges differ from those that others learn from the same text.",
            "Take the one that is met first in the sequence.",
        ),
        "ties to the greatest pair": Fault(
            "Of equally frequent pairs the alphabetically last is taken, as max over (count, pair) does.",
            "The merges differ from those that others learn from the same text.",
            "Take the one that is met first in the sequence: max(counts, key=counts.get).",
        ),
        "overlapping pairs counted once": Fault(
            'Overlapping pairs are counted once: "aaa" gives one pair of "a", "a".',
            "Repeated characters are merged later than they should be.",
            "Count all neighbours, zip(tokens, tokens[1:]).",
        ),
        "words apart": Fault(
            "The text is cut at spaces, and they are lost or never merged.",
            "Decoding cannot give the text back, and no token begins with its word's space.",
            "Here a space is a character like any other.",
        ),
        "stops when every pair is the only one": Fault(
            "Training stops when no pair occurs twice.",
            "Fewer merges than were asked for.",
            "Stop only when there is no pair left, that is one token.",
        ),
        "fails when no pair is left": Fault(
            "When the text has become one token, the maximum of no pairs is asked for.",
            "Short texts, or too many merges, end with an error.",
            "Stop as soon as there is no pair.",
        ),
        "joined strings in place of pairs": Fault(
            "The merges are joined strings, not pairs.",
            "Encoding cannot know where to cut: abc may be ab + c or a + bc.",
            "Append the pair (left, right).",
        ),
        "merges from right to left": Fault(
            'The sequence is merged from right to left: "aaa" becomes "a", "aa".',
            "Repeated characters are cut differently from everybody else's.",
            "Go from left to right and step over what was merged.",
        ),
        "merges the first occurrence only": Fault(
            "A merge replaces only the first occurrence of its pair.",
            "The same pair is learned again and again, and most of the text stays characters.",
            "Replace the pair wherever it occurs.",
        ),
        "encodes by the longest piece": Fault(
            "Encoding takes the longest known piece at each place, and does not merge (as WordPiece does).",
            "Text is cut differently than in training.",
            "Apply the merges one after another, in the order in which they were learned.",
        ),
        "encodes the leftmost pair first": Fault(
            "Encoding merges the leftmost pair that it knows, whatever its rank.",
            "A later merge takes away what an earlier one needs.",
            "The merge that was learned first goes first, wherever its pair occurs.",
        ),
        "encodes in reverse order": Fault(
            "Encoding applies the last merge first.",
            "Merges of merges find nothing to merge.",
            "Apply the merges in the order in which they were learned.",
        ),
    },
    hints=(
        "Two helpers: one counts the pairs of a list of tokens, one replaces a pair in it.",
        "Replacing: walk with an index; where the pair occurs append the joined token and move by two, else by one.",
        "train: counts = Counter(zip(tokens, tokens[1:])); best = max(counts, key=counts.get); tokens = "
        "merge(tokens, best). "
        "encode: for pair in merges: tokens = merge(tokens, pair)",
    ),
)
