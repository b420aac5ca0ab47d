def merge(tokens, pair):
    out = []
    while tokens:
        if len(tokens) > 1 and (tokens[0], tokens[1]) == pair:
            out.append(tokens[0] + tokens[1])
            tokens = tokens[2:]
        else:
            out.append(tokens[0])
            tokens = tokens[1:]
    return out


def bpe_train(text, num_merges):
    tokens = list(text)
    merges = []
    for _ in range(num_merges):
        counts = {}
        for left, right in zip(tokens, tokens[1:]):
            counts[left, right] = counts.get((left, right), 0) + 1
        if not counts:
            break
        winner = max(counts, key=counts.get)
        merges.append(winner)
        tokens = merge(tokens, winner)
    return merges


def bpe_encode(text, merges):
    tokens = list(text)
    for pair in merges:
        tokens = merge(tokens, tuple(pair))
    return tokens
