from itertools import groupby


def ctc_greedy(log_probs, blank=0):
    path = [max(range(len(frame)), key=lambda k: frame[k]) for frame in log_probs]
    collapsed = [symbol for symbol, _ in groupby(path)]
    return [int(symbol) for symbol in collapsed if symbol != blank]
