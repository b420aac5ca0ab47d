# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% dictionaries
import math


def bleu(hypothesis, references, max_n=4):
    c = len(hypothesis)
    if c < max_n:
        return 0
    product = 1.0
    for n in range(1, max_n + 1):
        counts = {}
        for i in range(c - n + 1):
            gram = " ".join(hypothesis[i : i + n])
            counts[gram] = counts.get(gram, 0) + 1
        matched = 0
        for gram, count in counts.items():
            best = 0
            for reference in references:
                there = [" ".join(reference[i : i + n]) for i in range(len(reference) - n + 1)]
                best = max(best, there.count(gram))
            matched += min(count, best)
        product *= matched / (c - n + 1)
    r, distance = None, math.inf
    for reference in references:
        d = abs(len(reference) - c)
        if d < distance or (d == distance and len(reference) < r):
            r, distance = len(reference), d
    penalty = 1.0 if c > r else math.exp(1 - r / c)
    return penalty * product ** (1 / max_n)


# %% Counter
from collections import Counter
from functools import reduce
from math import exp, log


def bleu(hypothesis, references, max_n=4):
    count = lambda tokens, n: Counter(zip(*(tokens[k:] for k in range(n))))
    logs = []
    for n in range(1, max_n + 1):
        mine = count(hypothesis, n)
        best = reduce(Counter.__or__, (count(reference, n) for reference in references))
        matched = sum((mine & best).values())
        if not matched:
            return 0.0
        logs.append(log(matched) - log(sum(mine.values())))
    c = len(hypothesis)
    r = min((len(reference) for reference in references), key=lambda r: (abs(r - c), r))
    return exp(min(0, 1 - r / c) + sum(logs) / max_n)


# %% NumPy
import numpy as np


def bleu(hypothesis, references, max_n=4):
    if len(hypothesis) < max_n:
        return np.float64(0)
    precisions = np.zeros(max_n)
    for n in range(1, max_n + 1):
        grams = [[tuple(s[i : i + n]) for i in range(len(s) - n + 1)] for s in (hypothesis, *references)]
        names = {gram: k for k, gram in enumerate(dict.fromkeys(sum(grams, [])))}
        table = np.array([np.bincount([names[g] for g in sentence], minlength=len(names)) for sentence in grams])
        precisions[n - 1] = np.minimum(table[0], table[1:].max(0)).sum() / table[0].sum()
    lengths = np.sort([len(reference) for reference in references])
    r = lengths[np.abs(lengths - len(hypothesis)).argmin()]
    with np.errstate(divide="ignore"):
        geometric = np.exp(np.log(precisions).mean())
    return min(1.0, np.exp(1 - r / len(hypothesis))) * geometric


# %% matching one by one
def bleu(hypothesis, references, max_n=4):
    c = len(hypothesis)
    if c == 0:
        return 0.0
    result = 1.0
    for n in range(1, max_n + 1):
        mine = [hypothesis[i : i + n] for i in range(c - n + 1)]
        theirs = [[reference[i : i + n] for i in range(len(reference) - n + 1)] for reference in references]
        seen, matched = [], 0
        for gram in mine:
            seen.append(gram)
            matched += any(grams.count(gram) >= seen.count(gram) for grams in theirs)
        result *= (matched / len(mine) if mine else 0) ** (1 / max_n)
    r = sorted(map(len, references), key=lambda length: (abs(length - c), length))[0]
    return result * (2.718281828459045 ** (1 - r / c) if c < r else 1)
