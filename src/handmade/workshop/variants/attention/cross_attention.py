# %% loops over heads
import numpy as np


def cross_attention(x, memory, num_heads, weights):
    Wq, Wk, Wv, Wo = weights
    d_k = x.shape[1] // num_heads
    outputs = []
    for Wq_h, Wk_h, Wv_h in zip(*(np.split(W, num_heads, axis=1) for W in (Wq, Wk, Wv))):
        scores = (x @ Wq_h) @ (memory @ Wk_h).T / np.sqrt(d_k)
        scores = scores - scores.max(axis=1, keepdims=True)
        weights_h = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        outputs.append(weights_h @ (memory @ Wv_h))
    return np.concatenate(outputs, axis=-1) @ Wo


# %% einsum
import numpy as np


def cross_attention(x, memory, num_heads, weights):
    d = x.shape[-1]
    Wq, Wk, Wv = (W.reshape(d, num_heads, -1) for W in weights[:3])
    q, k, v = np.einsum("sd,dhc->shc", x, Wq), np.einsum("td,dhc->thc", memory, Wk), np.einsum("td,dhc->thc", memory, Wv)
    s = np.einsum("shc,thc->sht", q, k) / np.sqrt(d / num_heads)
    s = np.exp(s - s.max(-1, keepdims=True))
    return np.einsum("sht,thc->shc", s / s.sum(-1, keepdims=True), v).reshape(len(x), d) @ weights[3]


# %% torch
import torch


def cross_attention(x, memory, num_heads, weights):
    Wq, Wk, Wv, Wo = weights

    def heads(t):
        return t.unflatten(-1, (num_heads, -1)).transpose(0, 1)

    q, k, v = heads(x @ Wq), heads(memory @ Wk), heads(memory @ Wv)
    attention = (q @ k.mT / k.shape[-1] ** 0.5).softmax(-1)
    return (attention @ v).transpose(0, 1).flatten(-2) @ Wo
