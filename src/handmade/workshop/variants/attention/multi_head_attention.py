# %% loops over heads
import numpy as np


def multi_head_attention(X, num_heads, d_model, weights):
    Wq, Wk, Wv, Wo = weights
    d_k = d_model // num_heads
    heads = []
    for h in range(num_heads):
        columns = slice(h * d_k, (h + 1) * d_k)
        Q, K, V = X @ Wq[:, columns], X @ Wk[:, columns], X @ Wv[:, columns]
        scores = Q @ K.T / np.sqrt(d_k)
        e = np.exp(scores - np.max(scores, axis=1, keepdims=True))
        heads.append((e / np.sum(e, axis=1, keepdims=True)) @ V)
    return np.concatenate(heads, axis=1) @ Wo


# %% einsum
import numpy as np


def multi_head_attention(X, num_heads, d_model, weights):
    Wq, Wk, Wv, Wo = (np.asarray(W) for W in weights)
    d_k = d_model // num_heads
    q, k, v = (np.einsum("sd,dhk->hsk", X, W.reshape(d_model, num_heads, d_k)) for W in (Wq, Wk, Wv))
    scores = np.einsum("hsk,htk->hst", q, k) * d_k**-0.5
    p = np.exp(scores - np.logaddexp.reduce(scores, axis=-1)[..., None])
    return np.einsum("hst,htk,hkd->sd", p, v, Wo.reshape(num_heads, d_k, d_model))


# %% sum of projected heads, plain loops
import math

import numpy as np


def multi_head_attention(X, num_heads, d_model, weights):
    Wq, Wk, Wv, Wo = weights
    S, d_k = X.shape[0], d_model // num_heads
    Q, K, V = X.dot(Wq), X.dot(Wk), X.dot(Wv)
    out = np.zeros((S, d_model))
    for h in range(num_heads):
        a, b = h * d_k, h * d_k + d_k
        for i in range(S):
            scores = [float(np.dot(Q[i, a:b], K[j, a:b])) / math.sqrt(d_k) for j in range(S)]
            top = max(scores)
            e = [math.exp(s - top) for s in scores]
            mixed = sum(e[j] / sum(e) * V[j, a:b] for j in range(S))
            out[i] += mixed @ Wo[a:b]
    return out


# %% torch
import torch


def multi_head_attention(X, num_heads, d_model, weights):
    Wq, Wk, Wv, Wo = weights
    S, d_k = X.shape[0], d_model // num_heads
    q = (X @ Wq).view(S, num_heads, d_k).transpose(0, 1)
    k = (X @ Wk).view(S, num_heads, d_k).transpose(0, 1)
    v = (X @ Wv).view(S, num_heads, d_k).transpose(0, 1)
    attn = torch.softmax(q @ k.transpose(-2, -1) / d_k**0.5, dim=-1)
    return (attn @ v).transpose(0, 1).contiguous().view(S, d_model) @ Wo


# %% a class behind the function
import numpy as np


class MultiHead:
    def __init__(self, num_heads, d_model, weights):
        self.h, self.dk = num_heads, d_model // num_heads
        self.w_qkv, self.w_o = np.hstack(weights[:3]), weights[3]

    def __call__(self, x):
        q, k, v = (np.stack(np.split(part, self.h, axis=-1)) for part in np.split(x @ self.w_qkv, 3, axis=-1))
        s = np.matmul(q, k.transpose(0, 2, 1)) / np.sqrt(self.dk)
        s = np.exp(s - s.max(axis=2)[:, :, None])
        s /= s.sum(axis=2)[:, :, None]
        return np.hstack(list(s @ v)) @ self.w_o


def multi_head_attention(X, num_heads, d_model, weights):
    return MultiHead(num_heads, d_model, weights)(X)
