# %% counter
from collections import Counter


def replace(tokens, pair):
    out, waiting = [], iter(zip(tokens, tokens[1:] + [None]))
    for here, following in waiting:
        if (here, following) == pair:
            here += following
            next(waiting)
        out.append(here)
    return out


def bpe_train(text, num_merges):
    tokens, merges = list(text), []
    while len(merges) < num_merges and len(tokens) > 1:
        (pair, _), *_ = Counter(zip(tokens, tokens[1:])).most_common(1)
        tokens = replace(tokens, pair)
        merges.append(pair)
    return merges


def bpe_encode(text, merges):
    tokens = list(text)
    for pair in merges:
        tokens = replace(tokens, tuple(pair))
    return tokens


# %% lowest rank
def bpe_train(text, num_merges):
    seq = [c for c in text]
    merges = []
    for _ in range(num_merges):
        best, best_count = None, 0
        seen = {}
        for i in range(len(seq) - 1):
            seen[(seq[i], seq[i + 1])] = seen.get((seq[i], seq[i + 1]), 0) + 1
        for pair, count in seen.items():
            if count > best_count:
                best, best_count = pair, count
        if best is None:
            return merges
        merges.append(list(best))
        seq = apply(seq, best)
    return merges


def apply(seq, pair):
    i = 0
    seq = list(seq)
    while i < len(seq) - 1:
        if seq[i] == pair[0] and seq[i + 1] == pair[1]:
            seq[i : i + 2] = [pair[0] + pair[1]]
        i += 1
    return seq


def bpe_encode(text, merges):
    rank = {tuple(pair): r for r, pair in enumerate(merges)}
    seq = list(text)
    while len(seq) > 1:
        pair = min(zip(seq, seq[1:]), key=lambda p: rank.get(p, float("inf")))
        if pair not in rank:
            break
        seq = apply(seq, pair)
    return seq


# %% one merge at a time, recursion
def first_max(tokens):
    pairs = list(zip(tokens, tokens[1:]))
    return max(pairs, key=pairs.count) if pairs else None


def merged(tokens, pair):
    if len(tokens) < 2:
        return tokens
    if tokens[0] == pair[0] and tokens[1] == pair[1]:
        return [tokens[0] + tokens[1]] + merged(tokens[2:], pair)
    return tokens[:1] + merged(tokens[1:], pair)


def bpe_train(text, num_merges):
    tokens, merges = list(text), []
    for _ in range(num_merges):
        pair = first_max(tokens)
        if pair is None:
            break
        merges += [pair]
        tokens = merged(tokens, pair)
    return merges


def bpe_encode(text, merges):
    tokens = list(text)
    for pair in merges:
        tokens = merged(tokens, pair)
    return tokens
