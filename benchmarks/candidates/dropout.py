import numpy as np


def dropout(x, p, training, mask):
    if not training:
        return x
    survivors = (mask >= p).astype(float)
    keep_prob = 1.0 - p
    return np.divide(np.multiply(x, survivors), keep_prob)
