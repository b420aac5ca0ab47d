from heapq import nlargest


def length_penalty(n, alpha):
    return ((5 + n) / 6) ** alpha


def beam_search(step, bos, eos, beam, max_len, alpha=0.0):
    alive = [(0.0, (bos,))]
    done = []
    for _ in range(max_len):
        options = []
        for logp, seq in alive:
            for token, lp in enumerate(step(list(seq))):
                options.append((logp + lp, (*seq, token)))
        best = nlargest(beam, options, key=lambda o: o[0])
        alive = []
        for logp, seq in best:
            if seq[-1] == eos:
                done.append((logp, seq))
            else:
                alive.append((logp, seq))
        if not alive:
            break
    finished = [(list(seq[1:]), float(logp / length_penalty(len(seq) - 1, alpha))) for logp, seq in done + alive]
    finished.sort(key=lambda pair: pair[1], reverse=True)
    return finished[:beam]
