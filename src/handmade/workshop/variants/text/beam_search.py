# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% tuples and a heap
import heapq
import math


def beam_search(step, bos, eos, beam, max_len, alpha=0.0):
    open_ones, done = [(0.0, (bos,))], []
    while open_ones and len(open_ones[0][1]) <= max_len:
        following = []
        for log_p, prefix in open_ones:
            for token, value in enumerate(step(list(prefix))):
                following.append((log_p + float(value), prefix + (token,)))
        open_ones = []
        for candidate in heapq.nlargest(beam, following):
            (done if candidate[1][-1] == eos else open_ones).append(candidate)
    result = []
    for log_p, prefix in done + open_ones:
        result.append((list(prefix[1:]), log_p / math.pow((4 + len(prefix)) / 6, alpha)))
    return heapq.nlargest(beam, result, key=lambda pair: pair[1])


# %% arrays
import numpy as np


def beam_search(step, bos, eos, beam, max_len, alpha=0.0):
    prefixes, totals, found = np.array([[bos]]), np.zeros(1), []
    score = lambda total, length: total / ((5 + length) / 6) ** alpha
    for length in range(1, max_len + 1):
        table = totals[:, None] + np.stack([step(prefix.tolist()) for prefix in prefixes])
        best = np.argsort(-table, axis=None)[:beam]
        rows, tokens = np.unravel_index(best, table.shape)
        prefixes = np.column_stack([prefixes[rows], tokens])
        totals = table.ravel()[best]
        over = tokens == eos
        if length == max_len:
            over[:] = True
        found += [(score(total, length), prefix[1:]) for prefix, total in zip(prefixes[over], totals[over])]
        prefixes, totals = prefixes[~over], totals[~over]
        if not len(totals):
            break
    order = np.argsort([-value for value, _ in found])[:beam]
    return [(found[i][1].tolist(), found[i][0]) for i in order]


# %% finished ones keep their places
def beam_search(step, bos, eos, beam, max_len, alpha=0.0):
    beams, finished = [([bos], 0.0)], []
    for _ in range(max_len):
        width = beam - len(finished)
        if width == 0:
            break
        pool = [(p + [t], s + lp) for p, s in beams for t, lp in enumerate(step(p))]
        pool = sorted(pool, key=lambda c: -c[1])[:width]
        finished += [c for c in pool if c[0][-1] == eos]
        beams = [c for c in pool if c[0][-1] != eos]
    ranked = [(p[1:], s / ((5 + len(p) - 1) / 6) ** alpha) for p, s in finished + beams]
    return sorted(ranked, key=lambda r: r[1], reverse=True)


# %% finished ones stay in one list
class Hypothesis:
    def __init__(self, tokens, log_p, done):
        self.tokens, self.log_p, self.done = tokens, log_p, done

    def score(self, alpha):
        return self.log_p / ((5 + len(self.tokens)) / 6) ** alpha


def beam_search(step, bos, eos, beam, max_len, alpha=0.0):
    beams = [Hypothesis([], 0.0, False)]
    for _ in range(max_len):
        candidates = [h for h in beams if h.done]
        for h in beams:
            if not h.done:
                for token, log_p in enumerate(step([bos] + h.tokens)):
                    candidates.append(Hypothesis(h.tokens + [token], h.log_p + log_p, token == eos))
        beams = sorted(candidates, key=lambda h: h.log_p, reverse=True)[:beam]
        if all(h.done for h in beams):
            break
    beams.sort(key=lambda h: h.score(alpha), reverse=True)
    return [(h.tokens, h.score(alpha)) for h in beams]


# %% refilled, twice as many looked at
import numpy as np


def beam_search(step, bos, eos, beam, max_len, alpha=0.0):
    live, finished = [([], 0.0)], []
    for _ in range(max_len):
        table = np.array([log_p + step([bos, *tokens]) for tokens, log_p in live])
        order = np.argsort(table.ravel())[::-1][: 2 * beam]
        following = []
        for rank, flat in enumerate(order):
            row, token = divmod(int(flat), table.shape[1])
            candidate = (live[row][0] + [token], table[row, token])
            if token != eos:
                following.append(candidate)
            elif rank < beam:
                finished.append(candidate)
            if len(following) == beam:
                break
        live = following
    scored = [(tokens, log_p / ((5 + len(tokens)) / 6) ** alpha) for tokens, log_p in finished + live]
    return sorted(scored, key=lambda pair: pair[1])[::-1][:beam]


# %% refilled, ends kept apart
def beam_search(step, bos, eos, beam, max_len, alpha=0.0):
    live, finished = {(): 0.0}, {}
    for _ in range(max_len):
        grown = {}
        for tokens, total in live.items():
            for token, log_p in enumerate(step([bos, *tokens])):
                target = finished if token == eos else grown
                target[(*tokens, token)] = total + log_p
        live = dict(sorted(grown.items(), key=lambda item: item[1])[-beam:])
    every = {**finished, **live}
    score = {tokens: total / ((5 + len(tokens)) / 6) ** alpha for tokens, total in every.items()}
    best = sorted(score, key=score.get, reverse=True)[:beam]
    return [(list(tokens), score[tokens]) for tokens in best]


# %% torch
import torch


def beam_search(step, bos, eos, beam, max_len, alpha=0.0):
    sequences, totals, finished = [[bos]], torch.zeros(1, dtype=torch.float64), []
    for _ in range(max_len):
        if not sequences:
            break
        table = totals[:, None] + torch.stack([step(sequence) for sequence in sequences])
        values, places = table.flatten().topk(min(beam, table.numel()))
        grown, kept = [], []
        for value, place in zip(values, places.tolist()):
            sequence = sequences[place // table.shape[1]] + [place % table.shape[1]]
            if sequence[-1] == eos:
                finished.append((sequence, value))
            else:
                grown.append(sequence)
                kept.append(value)
        sequences, totals = grown, torch.stack(kept) if kept else torch.empty(0)
    finished += zip(sequences, totals)
    scored = [(sequence[1:], (value / ((4 + len(sequence)) / 6) ** alpha).item()) for sequence, value in finished]
    return sorted(scored, key=lambda pair: pair[1], reverse=True)[:beam]
