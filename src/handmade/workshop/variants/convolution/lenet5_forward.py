# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops over the kernel
import numpy as np


def conv(x, w, b):
    N, C, H, W = x.shape
    K, _, R, S = w.shape
    out = np.zeros((N, K, H - R + 1, W - S + 1)) + b.reshape(1, K, 1, 1)
    for r in range(R):
        for s in range(S):
            out += np.einsum("nchw,kc->nkhw", x[:, :, r : r + H - R + 1, s : s + W - S + 1], w[:, :, r, s])
    return out


def mean_pool(x):
    return (x[:, :, ::2, ::2] + x[:, :, 1::2, ::2] + x[:, :, ::2, 1::2] + x[:, :, 1::2, 1::2]) / 4


def lenet5_forward(x, params):
    p = params
    h = mean_pool(np.tanh(conv(x, p["c1.weight"], p["c1.bias"])))
    h = mean_pool(np.tanh(conv(h, p["c3.weight"], p["c3.bias"])))
    h = np.tanh(conv(h, p["c5.weight"], p["c5.bias"])).reshape(len(x), 120)
    h = np.tanh(h @ p["f6.weight"].T + p["f6.bias"])
    return h @ p["out.weight"].T + p["out.bias"]


# %% one image at a time, c5 as a matrix
import numpy as np


def lenet5_forward(x, params):
    return np.stack([one(image, params) for image in x])


def one(maps, params):
    for name in ("c1", "c3"):
        w, b = params[name + ".weight"], params[name + ".bias"]
        C, H, W = maps.shape
        columns = np.empty((C, 5, 5, H - 4, W - 4))
        for r in range(5):
            for s in range(5):
                columns[:, r, s] = maps[:, r : r + H - 4, s : s + W - 4]
        maps = w.reshape(len(w), -1) @ columns.reshape(C * 25, -1) + b[:, None]
        maps = np.tanh(maps).reshape(len(w), (H - 4) // 2, 2, (W - 4) // 2, 2).mean(axis=4).mean(axis=2)
    h = maps.ravel()
    for name in ("c5", "f6"):
        w = params[name + ".weight"]
        h = np.tanh(w.reshape(len(w), -1) @ h + params[name + ".bias"])
    return params["out.weight"] @ h + params["out.bias"]


# %% torch functions
import torch
import torch.nn.functional as F


def lenet5_forward(x, params):
    for name in ("c1", "c3"):
        x = F.avg_pool2d(torch.tanh(F.conv2d(x, params[f"{name}.weight"], params[f"{name}.bias"])), 2)
    x = torch.tanh(F.conv2d(x, params["c5.weight"], params["c5.bias"])).flatten(1)
    x = torch.tanh(F.linear(x, params["f6.weight"], params["f6.bias"]))
    return F.linear(x, params["out.weight"], params["out.bias"])


# %% torch module
import torch
from torch import nn


class LeNet5(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.c3, self.c5 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5), nn.Conv2d(16, 120, 5)
        self.f6, self.out = nn.Linear(120, 84), nn.Linear(84, 10)
        self.pool = nn.AvgPool2d(2)

    def forward(self, x):
        x = self.pool(self.c1(x).tanh())
        x = self.pool(self.c3(x).tanh())
        x = self.c5(x).tanh().squeeze(-1).squeeze(-1)
        return self.out(self.f6(x).tanh())


def lenet5_forward(x, params):
    net = LeNet5().double()
    net.load_state_dict(params)
    return net(x)
