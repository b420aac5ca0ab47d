# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops
import math

import numpy as np


def batch_norm(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    out, new_mean, new_var = np.zeros(x.shape), running_mean.copy(), running_var.copy()
    for c in range(x.shape[1]):
        mean, var = running_mean[c], running_var[c]
        if training:
            values = [float(value) for value in x[:, c].flat]
            mean = sum(values) / len(values)
            squares = sum((value - mean) ** 2 for value in values)
            var = squares / len(values)
            new_mean[c] += momentum * (mean - running_mean[c])
            new_var[c] += momentum * (squares / (len(values) - 1) - running_var[c])
        out[:, c] = gamma[c] * (x[:, c] - mean) / math.sqrt(var + eps) + beta[c]
    return out, new_mean, new_var


# %% scale and shift
import numpy as np


def batch_norm(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    if training:
        n = x.size / x.shape[1]
        mean = np.einsum("nchw->c", x) / n
        var = np.einsum("nchw,nchw->c", x, x) / n - mean**2
        running_mean = momentum * mean + (1 - momentum) * running_mean
        running_var = momentum * var * n / (n - 1) + (1 - momentum) * running_var
    else:
        mean, var = running_mean, running_var
    scale = gamma * (var + eps) ** -0.5
    shift = beta - mean * scale
    return x * scale.reshape(1, -1, 1, 1) + shift.reshape(1, -1, 1, 1), running_mean, running_var


# %% in place, channels last
import numpy as np


def batch_norm(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    rows = np.moveaxis(x, 1, -1)
    mean, var = running_mean, running_var
    if training:
        flat = rows.reshape(-1, rows.shape[-1])
        mean, var = flat.mean(axis=0), flat.var(axis=0)
        running_mean *= 1 - momentum
        running_mean += momentum * mean
        running_var *= 1 - momentum
        running_var += momentum * np.cov(flat, rowvar=False, ddof=1).diagonal()
    out = (rows - mean) / np.sqrt(var + eps) * gamma + beta
    return np.moveaxis(out, -1, 1), running_mean, running_var


# %% torch
import torch


def batch_norm(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    shape = (1, -1, 1, 1)
    mean, var = running_mean, running_var
    if training:
        var, mean = torch.var_mean(x, dim=(0, 2, 3), correction=0)
        running_mean = torch.lerp(running_mean, mean, momentum)
        running_var = torch.lerp(running_var, torch.var(x, dim=(0, 2, 3)), momentum)
    out = (x - mean.view(shape)) * torch.rsqrt(var.view(shape) + eps)
    return out * gamma.view(shape) + beta.view(shape), running_mean, running_var
