# %% rows in a loop
import numpy as np


def layer_norm(x, gamma, beta, eps=1e-5):
    flat = x.reshape(-1, x.shape[-1])
    out, stats = np.empty_like(flat), []
    for n, row in enumerate(flat):
        mean, var = row.mean(), row.var()
        out[n] = gamma * (row - mean) / np.sqrt(var + eps) + beta
        stats.append((mean, var))
    return out.reshape(x.shape), (flat, gamma, stats, eps)


def layer_norm_backward(dout, cache):
    flat, gamma, stats, eps = cache
    d = dout.reshape(flat.shape)
    dx, dgamma, dbeta = np.zeros_like(flat), np.zeros_like(gamma), np.zeros_like(gamma)
    for n, (mean, var) in enumerate(stats):
        D, centred = len(flat[n]), flat[n] - mean
        dgamma += d[n] * centred / np.sqrt(var + eps)
        dbeta += d[n]
        dxhat = d[n] * gamma
        dvar = np.sum(dxhat * centred) * -0.5 * (var + eps) ** -1.5
        dmean = -np.sum(dxhat) / np.sqrt(var + eps)
        dx[n] = dxhat / np.sqrt(var + eps) + dvar * 2 * centred / D + dmean / D
    return dx.reshape(dout.shape), dgamma, dbeta


# %% vectorised
import numpy as np


def layer_norm(x, gamma, beta, eps=1e-5):
    rstd = 1.0 / np.sqrt(np.var(x, axis=-1, keepdims=True) + eps)
    xhat = (x - np.mean(x, axis=-1, keepdims=True)) * rstd
    return xhat * gamma + beta, {"xhat": xhat, "rstd": rstd, "gamma": gamma}


def layer_norm_backward(dout, cache):
    xhat, rstd = cache["xhat"], cache["rstd"]
    D = dout.shape[-1]
    g = dout * cache["gamma"]
    dx = rstd / D * (D * g - g.sum(-1, keepdims=True) - xhat * (g * xhat).sum(-1, keepdims=True))
    return dx, np.einsum("nd,nd->d", dout.reshape(-1, D), xhat.reshape(-1, D)), dout.reshape(-1, D).sum(axis=0)


# %% torch by hand
import torch


def layer_norm(x, gamma, beta, eps=1e-5):
    mean = x.mean(-1, keepdim=True)
    std = torch.sqrt(x.var(-1, keepdim=True, unbiased=False) + eps)
    return gamma * (x - mean) / std + beta, (x, mean, std, gamma)


def layer_norm_backward(dout, cache):
    x, mean, std, gamma = cache
    xhat, g = (x - mean) / std, dout * gamma
    leading = tuple(range(x.dim() - 1))
    dx = (g - g.mean(-1, keepdim=True) - xhat * (g * xhat).mean(-1, keepdim=True)) / std
    return dx, (dout * xhat).sum(leading), dout.sum(leading)
