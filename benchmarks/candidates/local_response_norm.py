import numpy as np


def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    y = np.zeros_like(x)
    C = x.shape[1]
    reach = size // 2
    for c in range(C):
        neighbours = x[:, max(0, c - reach) : min(C, c + reach + 1)]
        energy = np.square(neighbours).sum(axis=1)
        y[:, c] = x[:, c] / np.power(k + alpha * energy, beta)
    return y
