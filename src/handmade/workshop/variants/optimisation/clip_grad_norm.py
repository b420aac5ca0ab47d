# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops
import math


def clip_grad_norm(grads, max_norm):
    total = 0.0
    for grad in grads:
        for value in grad.flat:
            total += value * value
    norm = math.sqrt(total)
    if norm > max_norm:
        grads = [grad * (max_norm / norm) for grad in grads]
    return grads, norm


# %% one long vector
import numpy as np


def clip_grad_norm(grads, max_norm):
    norm = np.linalg.norm(np.concatenate([grad.ravel() for grad in grads]))
    return tuple(grad * np.minimum(1, max_norm / (norm + 1e-6)) for grad in grads), norm


# %% in place
import numpy as np


def clip_grad_norm(grads, max_norm):
    norm = float(np.sqrt(np.sum([np.vdot(grad, grad) for grad in grads])))
    for grad in grads:
        grad *= max_norm / max(norm, max_norm)
    return grads, norm


# %% torch
import torch


def clip_grad_norm(grads, max_norm):
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(grad) for grad in grads]))
    scale = (max_norm / (norm + 1e-6)).clamp(max=1.0)
    return [grad * scale for grad in grads], norm
