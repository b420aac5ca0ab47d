# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops
import math

import numpy as np


def cross_entropy(logits, targets):
    loss, dlogits = 0.0, np.zeros(logits.shape)
    for n, (row, target) in enumerate(zip(logits, targets)):
        largest = max(row)
        log_sum = largest + math.log(sum(math.exp(value - largest) for value in row))
        loss += (log_sum - row[target]) / len(logits)
        for k, value in enumerate(row):
            dlogits[n, k] = (math.exp(value - log_sum) - (k == target)) / len(logits)
    return loss, dlogits


# %% one-hot
import numpy as np


def cross_entropy(logits, targets):
    one_hot = np.eye(logits.shape[1])[targets]
    log_sum = np.logaddexp.reduce(logits, axis=1)
    loss = np.mean(log_sum - np.einsum("nk,nk->n", one_hot, logits))
    return loss, (np.exp(logits - log_sum[:, None]) - one_hot) / len(logits)


# %% softmax and shifted logits
import numpy as np


def cross_entropy(logits, targets):
    n = len(targets)
    logits = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(logits)
    total = e.sum(axis=1)
    loss = (np.log(total) - logits[np.arange(n), targets]).mean()
    gradient = e / total[:, np.newaxis]
    np.subtract.at(gradient, (np.arange(n), targets), 1)
    return float(loss), gradient / n


# %% torch
import torch


def cross_entropy(logits, targets):
    log_probs = torch.log_softmax(logits, dim=1)
    loss = -log_probs.gather(1, targets[:, None]).mean()
    one_hot = torch.nn.functional.one_hot(targets, logits.shape[1])
    return loss, (log_probs.exp() - one_hot) / len(logits)
