import numpy as np


def attend_one(q, k, v, length):
    weights = np.zeros((q.shape[0], k.shape[0]))
    if length > 0:
        visible = k[:length]
        scores = (q @ visible.T) / np.sqrt(q.shape[1])
        for row in range(len(scores)):
            s = scores[row]
            e = np.exp(s - s.max())
            weights[row, :length] = e / e.sum()
    return weights @ v, weights


def padded_attention(Q, K, V, lengths):
    pairs = [attend_one(q, k, v, n) for q, k, v, n in zip(Q, K, V, lengths)]
    outputs, weights = zip(*pairs)
    return np.array(outputs), np.array(weights)
