# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops over what is valid
import math

import numpy as np


def bahdanau(query, keys, values, Wq, Wk, v, mask):
    N, T = mask.shape
    context, weights = np.zeros((N, values.shape[2])), np.zeros((N, T))
    for n in range(N):
        valid = [t for t in range(T) if mask[n, t]]
        scores = [float(np.dot(v, np.tanh(query[n] @ Wq + keys[n, t] @ Wk))) for t in valid]
        highest = max(scores)
        parts = [math.exp(score - highest) for score in scores]
        for t, part in zip(valid, parts):
            weights[n, t] = part / sum(parts)
            context[n] += weights[n, t] * values[n, t]
    return context, weights


# %% einsum
import numpy as np


def bahdanau(query, keys, values, Wq, Wk, v, mask):
    hidden = np.tanh(np.einsum("nh,ha->na", query, Wq)[:, None, :] + np.einsum("nth,ha->nta", keys, Wk))
    scores = np.einsum("nta,a->nt", hidden, v)
    scores = scores + np.where(mask, 0.0, -1e30)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.einsum("nt,ntv->nv", weights, values), weights


# %% one matrix for both
import numpy as np


def bahdanau(query, keys, values, Wq, Wk, v, mask):
    T = keys.shape[1]
    pairs = np.concatenate([np.repeat(query[:, None], T, axis=1), keys], axis=-1)
    scores = np.tanh(pairs @ np.concatenate([Wq, Wk])) @ v[:, None]
    scores[~mask] = -np.inf
    weights = np.exp(scores - np.max(scores, axis=1, keepdims=True))
    weights = weights / weights.sum(axis=1, keepdims=True)
    return (weights.transpose(0, 2, 1) @ values)[:, 0], weights[..., 0]


# %% masked exponentials
import numpy as np


def bahdanau(query, keys, values, Wq, Wk, v, mask):
    scores = np.tanh((query @ Wq)[:, None] + keys @ Wk) @ v
    highest = np.where(mask, scores, -np.inf).max(1, keepdims=True)
    weights = np.exp(np.where(mask, scores - highest, 0)) * mask
    weights /= weights.sum(1, keepdims=True)
    return (weights[:, None] @ values).squeeze(1), weights


# %% torch
import torch


def bahdanau(query, keys, values, Wq, Wk, v, mask):
    scores = torch.tanh((query @ Wq).unsqueeze(1) + keys @ Wk) @ v
    weights = scores.masked_fill(~mask, float("-inf")).softmax(dim=-1)
    return torch.bmm(weights.unsqueeze(1), values).squeeze(1), weights
