# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops
import math


def minus_log_sigmoid(a):
    return math.log1p(math.exp(-a)) if a > 0 else -a + math.log1p(math.exp(a))


def sigmoid(a):
    if a >= 0:
        return 1 / (1 + math.exp(-a))
    return math.exp(a) / (1 + math.exp(a))


def skipgram_loss(center, positive, negatives):
    score = sum(c * p for c, p in zip(center, positive))
    loss = minus_log_sigmoid(score)
    pull = 1 - sigmoid(score)
    dcenter, dpositive, dnegatives = -pull * positive, -pull * center, negatives * 0
    for k in range(len(negatives)):
        score = sum(c * n for c, n in zip(center, negatives[k]))
        loss += minus_log_sigmoid(-score)
        push = sigmoid(score)
        dcenter = dcenter + push * negatives[k]
        dnegatives[k] = push * center
    return loss, dcenter, dpositive, dnegatives


# %% one matrix and labels
import numpy as np


def skipgram_loss(center, positive, negatives):
    words = np.vstack([positive, negatives])
    labels = np.zeros(len(words))
    labels[0] = 1
    scores = words @ center
    loss = np.sum(np.maximum(scores, 0) - scores * labels + np.log1p(np.exp(-np.abs(scores))))
    error = 0.5 * (1 + np.tanh(scores / 2)) - labels
    dwords = error[:, None] * center
    return loss, error @ words, dwords[0], dwords[1:]


# %% plain sigmoid for the gradients
import numpy as np


def skipgram_loss(center, positive, negatives):
    sigma = lambda a: 1 / (1 + np.exp(-a))
    s, t = np.dot(center, positive), np.einsum("kd,d->k", negatives, center)
    loss = np.logaddexp(0, -s) + np.logaddexp(0, t).sum()
    return [
        loss,
        (sigma(s) - 1) * positive + (sigma(t)[:, None] * negatives).sum(axis=0),
        (sigma(s) - 1) * center,
        sigma(t)[:, None] * center[None, :],
    ]


# %% torch by hand
import torch
from torch.nn.functional import binary_cross_entropy_with_logits


def skipgram_loss(center, positive, negatives):
    scores = torch.cat([positive[None], negatives]) @ center
    labels = torch.zeros_like(scores)
    labels[0] = 1.0
    loss = binary_cross_entropy_with_logits(scores, labels, reduction="sum")
    error = scores.sigmoid() - labels
    return loss.item(), error[0] * positive + error[1:] @ negatives, error[0] * center, torch.outer(error[1:], center)
