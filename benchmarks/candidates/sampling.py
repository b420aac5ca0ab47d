import numpy as np


def stable_softmax(z):
    finite = z[np.isfinite(z)]
    e = np.exp(z - finite.max())
    return e / e.sum()


def sample_probs(logits, temperature=1.0, top_k=None, top_p=None):
    z = np.asarray(logits, dtype=float)
    if temperature == 0:
        p = np.zeros(z.shape)
        p[z.argmax()] = 1
        return p
    z = z / temperature
    if top_k is not None and top_k < z.size:
        keep = np.argsort(-z, kind="stable")[:top_k]
        masked = np.full(z.shape, -np.inf)
        masked[keep] = z[keep]
        z = masked
    p = stable_softmax(z)
    if top_p is not None:
        order = np.argsort(-p, kind="stable")
        cumulative = 0.0
        chosen = []
        for index in order:
            chosen.append(index)
            cumulative += p[index]
            if cumulative >= top_p:
                break
        q = np.zeros_like(p)
        q[chosen] = p[chosen]
        p = q / q.sum()
    return p
