# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops
import math

import numpy as np


def rnn_step(x, h, Wx, Wh, b):
    new = np.empty_like(h)
    for n in range(x.shape[0]):
        for k in range(h.shape[1]):
            total = b[k]
            for d in range(x.shape[1]):
                total += x[n, d] * Wx[d, k]
            for j in range(h.shape[1]):
                total += h[n, j] * Wh[j, k]
            new[n, k] = math.tanh(total)
    return new


# %% one product
import numpy as np


def rnn_step(x, h, Wx, Wh, b):
    joined = np.concatenate([x, h], axis=1)
    return np.tanh(joined @ np.vstack([Wx, Wh]) + b)


# %% einsum and exponentials
import numpy as np


def rnn_step(x, h, Wx, Wh, b):
    total = np.einsum("nd,dk->nk", x, Wx) + np.einsum("nj,jk->nk", h, Wh) + b
    return 2 / (1 + np.exp(-2 * total)) - 1


# %% torch
import torch


def rnn_step(x, h, Wx, Wh, b):
    return torch.tanh(torch.addmm(b, x, Wx) + torch.mm(h, Wh))
