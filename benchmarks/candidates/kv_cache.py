import numpy as np


class CachedAttention:
    def __init__(self, Wq, Wk, Wv, Wo, num_heads):
        self.Wq, self.Wk, self.Wv, self.Wo = Wq, Wk, Wv, Wo
        self.h = num_heads
        self.past = None

    def heads(self, y):
        return y.reshape(len(y), self.h, -1).transpose(1, 0, 2)

    def __call__(self, x):
        q = self.heads(x @ self.Wq)
        k = self.heads(x @ self.Wk)
        v = self.heads(x @ self.Wv)
        if self.past is not None:
            old_k, old_v = self.past
            k = np.concatenate([old_k, k], axis=1)
            v = np.concatenate([old_v, v], axis=1)
        self.past = (k, v)
        seen, now = k.shape[1], q.shape[1]
        scores = np.matmul(q, k.transpose(0, 2, 1)) / np.sqrt(q.shape[-1])
        for row in range(now):
            last = seen - now + row
            scores[:, row, last + 1 :] = -np.inf
        scores = np.exp(scores - scores.max(axis=2)[:, :, None])
        weights = scores / scores.sum(axis=2)[:, :, None]
        y = np.matmul(weights, v).transpose(1, 0, 2)
        return y.reshape(now, -1) @ self.Wo
