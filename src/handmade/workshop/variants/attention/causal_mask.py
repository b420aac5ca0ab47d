# %% loops over what is visible
import numpy as np


def causal_attention(Q, K, V):
    S_q, S_k = len(Q), len(K)
    output, weights = np.zeros((S_q, V.shape[1])), np.zeros((S_q, S_k))
    for i in range(S_q):
        n = S_k - S_q + i + 1
        scores = K[:n] @ Q[i] / np.sqrt(len(Q[i]))
        e = np.exp(scores - scores.max())
        weights[i, :n] = e / e.sum()
        output[i] = weights[i, :n] @ V[:n]
    return output, weights


# %% added mask
import numpy as np


def causal_attention(Q, K, V):
    S_q, S_k = Q.shape[0], K.shape[0]
    mask = np.triu(np.full((S_q, S_k), -np.inf), k=1 + S_k - S_q)
    scores = np.einsum("id,jd->ij", Q, K) / np.sqrt(Q.shape[1]) + mask
    w = np.exp(scores - scores.max(axis=1)[:, None])
    w /= w.sum(axis=1)[:, None]
    return w @ V, w


# %% -1e9
import numpy as np


def causal_attention(Q, K, V):
    S_q, S_k = Q.shape[0], K.shape[0]
    allowed = np.arange(S_k)[None, :] <= np.arange(S_k - S_q, S_k)[:, None]
    scores = np.where(allowed, Q @ K.T / K.shape[1] ** 0.5, -1e9)
    w = np.exp(scores - scores.max(axis=1, keepdims=True))
    w = w / w.sum(axis=1, keepdims=True)
    return w @ V, w


# %% the maximum and exp of what is seen only
import numpy as np


def causal_attention(Q, K, V):
    scores = Q @ K.T / np.sqrt(K.shape[1])
    seen = np.tril(np.ones(scores.shape, dtype=bool), k=len(K) - len(Q))
    largest = scores.max(axis=1, keepdims=True, where=seen, initial=-np.inf)
    e = np.exp(scores - largest, where=seen, out=np.zeros(scores.shape))
    weights = e / e.sum(axis=1, keepdims=True)
    return weights @ V, weights


# %% torch
import torch


def causal_attention(Q, K, V):
    S_q, S_k = Q.size(0), K.size(0)
    scores = Q @ K.T / K.size(1) ** 0.5
    hidden = torch.ones(S_q, S_k, dtype=torch.bool).triu(S_k - S_q + 1)
    weights = scores.masked_fill(hidden, float("-inf")).softmax(-1)
    return weights @ V, weights
