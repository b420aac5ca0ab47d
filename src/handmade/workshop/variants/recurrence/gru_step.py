# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops
import math

import numpy as np


def gru_step(x, h, Wx, Wh, bx, bh):
    N, H = h.shape
    new = np.zeros((N, H))
    for n in range(N):
        a = [float(x[n] @ Wx[:, j] + bx[j]) for j in range(3 * H)]
        s = [float(h[n] @ Wh[:, j] + bh[j]) for j in range(3 * H)]
        for k in range(H):
            r = 1 / (1 + math.exp(-a[k] - s[k]))
            z = 1 / (1 + math.exp(-a[H + k] - s[H + k]))
            candidate = math.tanh(a[2 * H + k] + r * s[2 * H + k])
            new[n, k] = candidate + z * (h[n, k] - candidate)
    return new


# %% split
import numpy as np


def gru_step(x, h, Wx, Wh, bx, bh):
    xr, xz, xn = np.split(x @ Wx + bx, 3, axis=1)
    hr, hz, hn = np.split(h @ Wh + bh, 3, axis=1)
    sigmoid = lambda a: (np.tanh(a / 2) + 1) / 2
    n = np.tanh(xn + sigmoid(xr + hr) * hn)
    z = sigmoid(xz + hz)
    return n - z * n + z * h


# %% reset before, as in the paper
import numpy as np


def gru_step(x, h, Wx, Wh, bx, bh):
    H = h.shape[1]
    gate = lambda k: 1 / (1 + np.exp(-(x @ Wx[:, k] + bx[k] + h @ Wh[:, k] + bh[k])))
    r, z, last = gate(slice(0, H)), gate(slice(H, 2 * H)), slice(2 * H, 3 * H)
    n = np.tanh(x @ Wx[:, last] + bx[last] + (r * h) @ Wh[:, last] + bh[last])
    return (1 - z) * n + z * h


# %% torch
import torch


def gru_step(x, h, Wx, Wh, bx, bh):
    a, s = torch.chunk(x @ Wx + bx, 3, -1), torch.chunk(h @ Wh + bh, 3, -1)
    r, z = torch.sigmoid(a[0] + s[0]), torch.sigmoid(a[1] + s[1])
    return torch.lerp(torch.tanh(a[2] + r * s[2]), h, z)


# %% torch, another mean
import torch


def gru_step(x, h, Wx, Wh, bx, bh):
    a, s = torch.chunk(x @ Wx + bx, 3, -1), torch.chunk(h @ Wh + bh, 3, -1)
    r, z = torch.sigmoid(a[0] + s[0]), torch.sigmoid(a[1] + s[1])
    return z * torch.tanh(a[2] + r * s[2]) + (1 - z) * h
