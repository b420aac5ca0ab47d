# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops
import numpy as np


def linear_forward(x, W, b):
    N, D = x.shape
    out = np.zeros((N, len(b)))
    for n in range(N):
        for m in range(len(b)):
            out[n, m] = b[m] + sum(x[n, d] * W[d, m] for d in range(D))
    return out, {"x": x, "W": W}


def linear_backward(dout, cache):
    x, W = cache["x"], cache["W"]
    dx, dW, db = np.zeros(x.shape), np.zeros(W.shape), np.zeros(W.shape[1])
    for n in range(x.shape[0]):
        for m in range(W.shape[1]):
            db[m] += dout[n, m]
            for d in range(W.shape[0]):
                dx[n, d] += dout[n, m] * W[d, m]
                dW[d, m] += dout[n, m] * x[n, d]
    return dx, dW, db


# %% einsum
import numpy as np


def linear_forward(x, W, b):
    return np.einsum("nd,dm->nm", x, W) + b, (x, W, b)


def linear_backward(dout, cache):
    x, W, b = cache
    return np.einsum("nm,dm->nd", dout, W), np.einsum("nd,nm->dm", x, dout), np.einsum("nm->m", dout)


# %% the bias as one more weight
import numpy as np


def linear_forward(x, W, b):
    extended, weights = np.c_[x, np.ones(len(x))], np.vstack([W, b])
    return extended @ weights, (extended, weights)


def linear_backward(dout, cache):
    extended, weights = cache
    gradient = extended.T @ dout
    return [(dout @ weights.T)[:, :-1], gradient[:-1], gradient[-1]]


# %% torch
import torch


def linear_forward(x, W, b):
    return torch.addmm(b, x, W), (x, W)


def linear_backward(dout, cache):
    x, W = cache
    return dout @ W.T, x.T @ dout, dout.sum(0)
