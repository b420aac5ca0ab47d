# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops
import math

import numpy as np


def lstm_step(x, h, c, Wx, Wh, b):
    N, H = h.shape
    new_h, new_c = np.empty((N, H)), np.empty((N, H))
    for n in range(N):
        gates = [sum(x[n] * Wx[:, j]) + sum(h[n] * Wh[:, j]) + b[j] for j in range(4 * H)]
        for k in range(H):
            i, f, o = (1 / (1 + math.exp(-gates[k + H * part])) for part in (0, 1, 3))
            new_c[n, k] = f * c[n, k] + i * math.tanh(gates[k + 2 * H])
            new_h[n, k] = o * math.tanh(new_c[n, k])
    return new_h, new_c


# %% slices
import numpy as np


def lstm_step(x, h, c, Wx, Wh, b):
    H = h.shape[1]
    a = np.hstack([x, h]) @ np.vstack([Wx, Wh]) + b
    gates = 0.5 * (1 + np.tanh(a / 2))  # the sigmoid, for all columns
    c = gates[:, H : 2 * H] * c + gates[:, :H] * np.tanh(a[:, 2 * H : 3 * H])
    return gates[:, 3 * H :] * np.tanh(c), c


# %% einsum with a gate axis
import numpy as np


def lstm_step(x, h, c, Wx, Wh, b):
    D, H = x.shape[1], h.shape[1]
    a = np.einsum("nd,dgh->gnh", x, Wx.reshape(D, 4, H)) + np.einsum("nk,kgh->gnh", h, Wh.reshape(H, 4, H))
    a += b.reshape(4, 1, H)
    sigmoid = lambda v: np.exp(-np.logaddexp(0, -v))
    new = sigmoid(a[1]) * c + sigmoid(a[0]) * np.tanh(a[2])
    return [sigmoid(a[3]) * np.tanh(new), new]


# %% torch
import torch


def lstm_step(x, h, c, Wx, Wh, b):
    i, f, g, o = (x @ Wx + h @ Wh + b).chunk(4, dim=-1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c
