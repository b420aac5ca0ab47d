# %% logits to -inf
import numpy as np


def softmax(z):
    e = np.exp(z - np.max(z))
    return e / np.sum(e)


def sample_probs(logits, temperature=1.0, top_k=None, top_p=None):
    if temperature == 0:
        return np.eye(len(logits))[np.argmax(logits)]
    z = logits / temperature
    if top_k is not None:
        z = np.where(z < np.sort(z)[-top_k], -np.inf, z)
    if top_p is not None:
        order = np.argsort(z)[::-1]
        cumulative = np.cumsum(softmax(z)[order])
        remove = cumulative > top_p
        remove[1:] = remove[:-1].copy()
        remove[0] = False
        z[order[remove]] = -np.inf
    return softmax(z)


# %% plain Python
import math


def sample_probs(logits, temperature=1.0, top_k=None, top_p=None):
    n = len(logits)
    ranked = sorted(range(n), key=lambda i: logits[i], reverse=True)
    if temperature == 0:
        return [1.0 if i == ranked[0] else 0.0 for i in range(n)]
    top = max(logits)
    p = {i: math.exp((logits[i] - top) / temperature) for i in ranked[: top_k or n]}
    total = sum(p.values())
    p = {i: value / total for i, value in p.items()}
    if top_p is not None:
        kept, reached = {}, 0.0
        for i, value in p.items():
            kept[i] = value
            reached += value
            if reached >= top_p:
                break
        p = {i: value / reached for i, value in kept.items()}
    return [p.get(i, 0.0) for i in range(n)]


# %% torch
import torch


def sample_probs(logits, temperature=1.0, top_k=None, top_p=None):
    if temperature == 0:
        return torch.nn.functional.one_hot(logits.argmax(), logits.numel()).to(logits.dtype)
    probs = torch.softmax(logits / temperature, -1)
    if top_k is not None:
        values, indices = probs.topk(top_k)
        probs = torch.zeros_like(probs).scatter(0, indices, values / values.sum())
    if top_p is not None:
        values, indices = probs.sort(descending=True)
        values[values.cumsum(0) - values >= top_p] = 0.0
        probs = torch.zeros_like(probs).scatter(0, indices, values / values.sum())
    return probs
