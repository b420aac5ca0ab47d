# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops over windows
import numpy as np


def conv(x, w, stride, padding):
    x = np.pad(x, [(0, 0), (0, 0), (padding,) * 2, (padding,) * 2])
    N, _, H, W = x.shape
    K, _, R, S = w.shape
    out = np.zeros((N, K, (H - R) // stride + 1, (W - S) // stride + 1))
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            window = x[:, :, stride * i : stride * i + R, stride * j : stride * j + S]
            out[:, :, i, j] = window.reshape(N, -1) @ w.reshape(K, -1).T
    return out


def bn(x, params, prefix):
    get = lambda part: params[prefix + part].reshape(1, -1, 1, 1)
    return (x - get(".running_mean")) / np.sqrt(get(".running_var") + 1e-5) * get(".weight") + get(".bias")


def residual_block(x, params, stride=1):
    y = conv(x, params["conv1.weight"], stride, 1)
    y = bn(y, params, "bn1")
    y = np.where(y > 0, y, 0)
    y = conv(y, params["conv2.weight"], 1, 1)
    y = bn(y, params, "bn2")
    identity = x
    if params.get("downsample.0.weight") is not None:
        identity = bn(conv(x, params["downsample.0.weight"], stride, 0), params, "downsample.1")
    y += identity
    return np.where(y > 0, y, 0)


# %% norms folded into the kernels
import numpy as np


def folded(params, conv, bn):
    scale = params[bn + ".weight"] / np.sqrt(params[bn + ".running_var"] + 1e-5)
    return params[conv] * scale[:, None, None, None], params[bn + ".bias"] - params[bn + ".running_mean"] * scale


def apply(x, kernel_and_bias, stride):
    w, b = kernel_and_bias
    half = w.shape[2] // 2
    H, W = x.shape[2:]
    x = np.pad(x, ((0, 0), (0, 0), (half, half), (half, half)))
    out = 0
    for r in range(w.shape[2]):
        for s in range(w.shape[3]):
            out = out + np.einsum("nchw,kc->nkhw", x[:, :, r : r + H : stride, s : s + W : stride], w[:, :, r, s])
    return out + b[:, None, None]


def residual_block(x, params, stride=1):
    has = any(name.startswith("downsample") for name in params)
    shortcut = apply(x, folded(params, "downsample.0.weight", "downsample.1"), stride) if has else x
    hidden = np.maximum(0, apply(x, folded(params, "conv1.weight", "bn1"), stride))
    return np.maximum(0, apply(hidden, folded(params, "conv2.weight", "bn2"), 1) + shortcut)


# %% torch functions
import torch
import torch.nn.functional as F


def residual_block(x, params, stride=1):
    def norm(x, name):
        p = [params[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
        return F.batch_norm(x, *p, training=False, eps=1e-5)

    out = F.relu(norm(F.conv2d(x, params["conv1.weight"], stride=stride, padding=1), "bn1"))
    out = norm(F.conv2d(out, params["conv2.weight"], padding=1), "bn2")
    if "downsample.0.weight" in params:
        x = norm(F.conv2d(x, params["downsample.0.weight"], stride=stride), "downsample.1")
    return torch.relu(out + x)


# %% torch module
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride, projects):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if projects:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += identity
        return self.relu(out)


def residual_block(x, params, stride=1):
    outputs, inputs = params["conv1.weight"].shape[:2]
    block = Block(inputs, outputs, stride, "downsample.0.weight" in params).double().eval()
    block.load_state_dict(params)
    return block(x)
