import math
from collections import Counter


def bleu(hypothesis, references, max_n=4):
    def grams(tokens, n):
        return Counter(zip(*(tokens[i:] for i in range(n))))

    if len(hypothesis) < max_n:
        return 0.0
    log_sum = 0.0
    for n in range(1, max_n + 1):
        mine = grams(hypothesis, n)
        best = Counter()
        for ref in references:
            best |= grams(ref, n)
        hits = sum((mine & best).values())
        if hits == 0:
            return 0.0
        log_sum += math.log(hits) - math.log(sum(mine.values()))
    c = len(hypothesis)
    r = min((abs(len(ref) - c), len(ref)) for ref in references)[1]
    bp = 1.0 if c > r else math.exp(1 - r / c)
    return bp * math.exp(log_sum / max_n)
