import numpy as np


def log_softmax(z):
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def label_smoothing_loss(logits, targets, smoothing, ignore_index=-100):
    total, count = 0.0, 0
    K = logits.shape[1]
    for row, target in zip(log_softmax(logits), targets):
        if target == ignore_index:
            continue
        soft = np.full(K, smoothing / K)
        soft[target] += 1 - smoothing
        total -= soft @ row
        count += 1
    return total / count
