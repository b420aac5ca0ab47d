# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops over the kernel
import numpy as np


def shifted(x, size, fill):
    """Each place of the kernel with the image as it lies under it."""
    half = size // 2
    H, W = x.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (half, half), (half, half)), constant_values=fill)
    for r in range(size):
        for s in range(size):
            yield r, s, padded[:, :, r : r + H, s : s + W]


def conv_relu(x, params, name):
    w, b = params[name + ".weight"], params[name + ".bias"]
    out = b[None, :, None, None] * np.ones((len(x), 1, *x.shape[2:]))
    for r, s, image in shifted(x, w.shape[2], 0.0):
        out = out + np.einsum("nchw,kc->nkhw", image, w[:, :, r, s])
    return out * (out > 0)


def inception_module(x, params):
    pooled = np.maximum.reduce([image for _, _, image in shifted(x, 3, -np.inf)])
    return np.concatenate(
        [
            conv_relu(x, params, "b1"),
            conv_relu(conv_relu(x, params, "b2a"), params, "b2b"),
            conv_relu(conv_relu(x, params, "b3a"), params, "b3b"),
            conv_relu(pooled, params, "b4"),
        ],
        axis=1,
    )


# %% ReLU once more at the end, pooling by slices
import numpy as np


def conv(x, w, b):
    N, C, H, W = x.shape
    K, _, R, S = w.shape
    padded = np.zeros((N, C, H + R - 1, W + S - 1))
    padded[:, :, R // 2 : R // 2 + H, S // 2 : S // 2 + W] = x
    out = np.empty((N, K, H, W))
    for i in range(H):
        for j in range(W):
            out[:, :, i, j] = np.tensordot(padded[:, :, i : i + R, j : j + S], w, axes=([1, 2, 3], [1, 2, 3])) + b
    return out


def inception_module(x, params):
    relu = lambda a: np.maximum(a, 0.0)
    layer = lambda name, a: conv(a, params[f"{name}.weight"], params[f"{name}.bias"])
    pooled = np.empty_like(x)
    for i in range(x.shape[2]):
        for j in range(x.shape[3]):
            pooled[:, :, i, j] = x[:, :, max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2].max(axis=(2, 3))
    branches = layer("b1", x), layer("b2b", relu(layer("b2a", x))), layer("b3b", relu(layer("b3a", x)))
    return relu(np.hstack([*branches, layer("b4", pooled)]))


# %% torch
import torch
import torch.nn.functional as F


def inception_module(x, params):
    def layer(name, x):
        w = params[f"{name}.weight"]
        return F.relu(F.conv2d(x, w, params[f"{name}.bias"], padding=w.shape[-1] // 2))

    pooled = F.max_pool2d(x, 3, stride=1, padding=1)
    return torch.cat(
        (layer("b1", x), layer("b2b", layer("b2a", x)), layer("b3b", layer("b3a", x)), layer("b4", pooled)), dim=1
    )


# %% torch, padding by name
import torch


def inception_module(x, params):
    chains = {"b1": x, "b2a b2b": x, "b3a b3b": x, "b4": torch.max_pool2d(x, (3, 3), (1, 1), (1, 1))}
    results = []
    for names, h in chains.items():
        for name in names.split():
            h = torch.conv2d(h, params[name + ".weight"], params[name + ".bias"], padding="same").clamp(min=0)
        results.append(h)
    return torch.hstack(results)
