# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops
import numpy as np


def global_avg_pool(x):
    N, C, H, W = x.shape
    out = np.zeros((N, C))
    for n in range(N):
        for c in range(C):
            for i in range(H):
                for j in range(W):
                    out[n, c] += x[n, c, i, j] / (H * W)
    return out


# %% reshape
def global_avg_pool(x):
    return x.reshape(*x.shape[:2], -1).mean(axis=-1)


# %% einsum
import numpy as np


def global_avg_pool(x):
    return np.einsum("nchw->nc", x) / np.prod(x.shape[2:])


# %% torch
import torch


def global_avg_pool(x):
    return torch.mean(x, dim=(-2, -1))
