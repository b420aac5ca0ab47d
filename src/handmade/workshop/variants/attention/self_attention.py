# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops
import math

import numpy as np


def self_attention(Q, K, V):
    if Q.ndim > 2:
        pairs = [self_attention(q, k, v) for q, k, v in zip(Q, K, V)]
        return np.stack([output for output, _ in pairs]), np.stack([weights for _, weights in pairs])
    output, weights = np.zeros((len(Q), V.shape[1])), np.zeros((len(Q), len(K)))
    for i, query in enumerate(Q):
        scores = [sum(a * b for a, b in zip(query, key)) / math.sqrt(len(query)) for key in K]
        exponentials = [math.exp(score - max(scores)) for score in scores]
        for j, exponential in enumerate(exponentials):
            weights[i, j] = exponential / sum(exponentials)
            output[i] += weights[i, j] * V[j]
    return output, weights


# %% einsum
import numpy as np


def self_attention(Q, K, V):
    scores = np.einsum("...qd,...kd->...qk", Q / np.sqrt(Q.shape[-1]), K)
    log_weights = scores - np.logaddexp.reduce(scores, axis=-1, keepdims=True)
    weights = np.exp(log_weights)
    return np.einsum("...qk,...kd->...qd", weights, V), weights


# %% torch
import torch


def self_attention(Q, K, V):
    weights = torch.softmax(Q @ K.transpose(-2, -1) / K.size(-1) ** 0.5, dim=-1)
    return weights @ V, weights


# %% logarithms, scaled on both sides
import numpy as np


def self_attention(Q, K, V):
    root = K.shape[-1] ** 0.25
    scores = np.matmul(Q / root, np.moveaxis(K / root, -1, -2))
    exponentials = np.exp(scores - np.amax(scores, axis=-1)[..., np.newaxis])
    weights = np.einsum("...qk,...q->...qk", exponentials, 1 / exponentials.sum(-1))
    return np.matmul(weights, V), weights


# %% torch, matrix by matrix
import torch


def self_attention(Q, K, V):
    scores = torch.einsum("...qd,...kd->...qk", Q, K) / torch.tensor(Q.shape[-1], dtype=Q.dtype).sqrt()
    exponentials = (scores - scores.amax(-1, keepdim=True)).exp()
    weights = exponentials / exponentials.sum(-1, keepdim=True)
    return torch.einsum("...qk,...kv->...qv", weights, V), weights
