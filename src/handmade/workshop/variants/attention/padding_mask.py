# %% loops over sequences
import numpy as np


def padded_attention(Q, K, V, lengths):
    outputs = np.zeros((Q.shape[0], Q.shape[1], V.shape[2]))
    weights = np.zeros((Q.shape[0], Q.shape[1], K.shape[1]))
    for n, length in enumerate(lengths):
        if length == 0:
            continue
        scores = Q[n] @ K[n, :length].T / np.sqrt(Q.shape[-1])
        e = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights[n, :, :length] = e / e.sum(axis=-1, keepdims=True)
        outputs[n] = weights[n, :, :length] @ V[n, :length]
    return outputs, weights


# %% -1e9 and the mask again
import numpy as np


def padded_attention(Q, K, V, lengths):
    mask = (np.arange(K.shape[1])[None, :] < lengths[:, None]).astype(float)[:, None, :]
    scores = np.einsum("nqd,nkd->nqk", Q, K) / np.sqrt(K.shape[2])
    scores = scores * mask + (1 - mask) * -1e9
    w = np.exp(scores - scores.max(-1, keepdims=True))
    w = w / w.sum(-1, keepdims=True) * mask
    return np.einsum("nqk,nkd->nqd", w, V), w


# %% nan to zeros
import numpy as np


def padded_attention(Q, K, V, lengths):
    with np.errstate(all="ignore"):
        scores = Q @ K.transpose(0, 2, 1) * K.shape[-1] ** -0.5
        hidden = np.arange(K.shape[1]) >= np.reshape(lengths, (-1, 1, 1))
        scores = np.where(hidden, -np.inf, scores)
        w = np.exp(scores - scores.max(-1, keepdims=True))
        w = np.nan_to_num(w / w.sum(-1, keepdims=True))
    return w @ V, w


# %% torch
import torch


def padded_attention(Q, K, V, lengths):
    hidden = torch.arange(K.shape[1])[None, None, :] >= lengths[:, None, None]
    scores = (Q @ K.transpose(1, 2) / K.shape[2] ** 0.5).masked_fill(hidden, -torch.inf)
    weights = torch.softmax(scores, dim=-1).nan_to_num(0.0)
    return weights @ V, weights
