import math

import numpy as np


def softmax(z, dim):
    z = np.exp(z - np.max(z, axis=dim, keepdims=True))
    return z / z.sum(axis=dim, keepdims=True)


def masked_fill(scores, mask, value):
    return np.where(mask, value, scores)


def causal_attention(Q, K, V):
    d_k = Q.shape[-1]
    scores = Q @ K.swapaxes(-2, -1) / math.sqrt(d_k)
    S_q, S_k = scores.shape[-2:]
    positions = np.arange(S_k - S_q, S_k)[:, None]
    future = np.arange(S_k)[None, :] > positions
    scores = masked_fill(scores, future, float("-inf"))
    p_attn = softmax(scores, dim=-1)
    return p_attn @ V, p_attn
