# %% loops
import math


def label_smoothing_loss(logits, targets, smoothing, ignore_index=-100):
    losses = []
    for row, target in zip(logits, targets):
        if target == ignore_index:
            continue
        top = max(row)
        log_sum = top + math.log(sum(math.exp(z - top) for z in row))
        nll = log_sum - row[target]
        even = sum(log_sum - z for z in row) / len(row)
        losses.append((1 - smoothing) * nll + smoothing * even)
    return sum(losses) / len(losses)


# %% smoothed targets
import numpy as np


def label_smoothing_loss(logits, targets, smoothing, ignore_index=-100):
    N, K = logits.shape
    kept = (targets != ignore_index).astype(float)
    wanted = np.full((N, K), smoothing / K)
    wanted[np.arange(N), np.where(kept == 1, targets, 0)] += 1 - smoothing
    log_p = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    return -np.einsum("n,nk,nk->", kept, wanted, log_p) / np.sum(kept)


# %% torch
import torch


def label_smoothing_loss(logits, targets, smoothing, ignore_index=-100):
    log_p = torch.log_softmax(logits, dim=-1)
    mask = targets == ignore_index
    nll = -log_p.gather(1, targets.masked_fill(mask, 0).unsqueeze(1)).squeeze(1)
    loss = (1 - smoothing) * nll + smoothing * -log_p.mean(dim=-1)
    return loss.masked_fill(mask, 0.0).sum() / (~mask).sum()


# %% torch losses
import torch
import torch.nn.functional as F


def label_smoothing_loss(logits, targets, smoothing, ignore_index=-100):
    log_p = F.log_softmax(logits, -1)
    nll = F.nll_loss(log_p, targets, ignore_index=ignore_index)
    return torch.lerp(nll, -log_p[targets != ignore_index].mean(), smoothing)
