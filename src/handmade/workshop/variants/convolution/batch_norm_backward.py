# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops
import math

import numpy as np


def batch_norm_backward(dout, x, gamma, eps=1e-5):
    N, D = x.shape
    dx, dgamma, dbeta = np.zeros((N, D)), np.zeros(D), np.zeros(D)
    for d in range(D):
        mean = sum(x[:, d]) / N
        var = sum((value - mean) ** 2 for value in x[:, d]) / N
        inverse = 1 / math.sqrt(var + eps)
        dvar, dmean = 0.0, 0.0
        for n in range(N):
            dgamma[d] += dout[n, d] * (x[n, d] - mean) * inverse
            dbeta[d] += dout[n, d]
            dvar += dout[n, d] * gamma[d] * (x[n, d] - mean) * -0.5 * inverse**3
            dmean -= dout[n, d] * gamma[d] * inverse
        for n in range(N):
            dx[n, d] = dout[n, d] * gamma[d] * inverse + dvar * 2 * (x[n, d] - mean) / N + dmean / N
    return dx, dgamma, dbeta


# %% step by step
import numpy as np


def batch_norm_backward(dout, x, gamma, eps=1e-5):
    N = x.shape[0]
    centred = x - x.mean(axis=0)
    root = np.sqrt((centred**2).mean(axis=0) + eps)
    normal = centred / root
    dnormal = gamma * dout
    droot = -(dnormal * centred).sum(axis=0) / root**2
    dcentred = dnormal / root + 2 * centred / N * (droot / (2 * root))
    dx = dcentred - dcentred.sum(axis=0) / N
    return dx, np.sum(dout * normal, axis=0), np.sum(dout, axis=0)


# %% Jacobian
import numpy as np


def batch_norm_backward(dout, x, gamma, eps=1e-5):
    N = len(x)
    inverse = (x.var(axis=0) + eps) ** -0.5
    normal = (x - x.mean(axis=0)) * inverse
    jacobian = np.eye(N)[..., None] - (1 + normal[:, None] * normal[None]) / N
    dx = np.einsum("nmd,nd,d->md", jacobian, dout, gamma * inverse)
    return dx, np.einsum("nd,nd->d", dout, normal), np.einsum("nd->d", dout)


# %% torch
import torch


def batch_norm_backward(dout, x, gamma, eps=1e-5):
    var, mean = torch.var_mean(x, dim=0, unbiased=False)
    xhat = (x - mean) / torch.sqrt(var + eps)
    dgamma, dbeta = (dout * xhat).sum(0), dout.sum(0)
    return gamma / torch.sqrt(var + eps) * (dout - (dbeta + xhat * dgamma) / len(x)), dgamma, dbeta
