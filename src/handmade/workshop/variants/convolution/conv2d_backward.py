# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops over windows
import numpy as np


def conv2d_backward(dout, x, w, stride=1, padding=0):
    p, (R, S) = padding, w.shape[2:]
    x = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros(len(w))
    for n, k, i, j in np.ndindex(*dout.shape):
        window = (n, slice(None), slice(i * stride, i * stride + R), slice(j * stride, j * stride + S))
        dx[window] += dout[n, k, i, j] * w[k]
        dw[k] += dout[n, k, i, j] * x[window]
        db[k] += dout[n, k, i, j]
    return dx[:, :, p : dx.shape[2] - p, p : dx.shape[3] - p], dw, db


# %% full correlation
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def conv2d_backward(dout, x, w, stride=1, padding=0):
    (N, C, H, W), (K, _, R, S) = x.shape, w.shape
    p = padding
    spread = np.zeros((N, K, H + 2 * p - R + 1, W + 2 * p - S + 1))
    spread[:, :, ::stride, ::stride] = dout
    windows = sliding_window_view(np.pad(x, ((0, 0), (0, 0), (p, p), (p, p))), spread.shape[2:], axis=(2, 3))
    dw = np.einsum("ncrshw,nkhw->kcrs", windows, spread)
    padded = np.pad(spread, ((0, 0), (0, 0), (R - 1, R - 1), (S - 1, S - 1)))
    dx = np.einsum("nkhwrs,kcrs->nchw", sliding_window_view(padded, (R, S), axis=(2, 3)), w[:, :, ::-1, ::-1])
    return dx[:, :, p : p + H, p : p + W], dw, np.einsum("nkhw->k", dout)


# %% as a matrix
import numpy as np


def conv2d_backward(dout, x, w, stride=1, padding=0):
    N, C, H, W = x.shape
    K, _, R, S = w.shape
    OH, OW = dout.shape[2:]
    numbers = np.arange(C * H * W).reshape(C, H, W) + 1
    numbers = np.pad(numbers, ((0, 0), (padding, padding), (padding, padding)))
    places = np.stack([
        numbers[:, i * stride : i * stride + R, j * stride : j * stride + S].ravel() for i in range(OH) for j in range(OW)
    ])
    flat = np.concatenate([np.zeros((N, 1)), x.reshape(N, -1)], axis=1)
    gradient = dout.reshape(N, K, OH * OW)
    dw = np.einsum("nkp,npq->kq", gradient, flat[:, places]).reshape(w.shape)
    dflat = np.zeros_like(flat)
    np.add.at(dflat, (slice(None), places), np.einsum("nkp,kq->npq", gradient, w.reshape(K, -1)))
    return dflat[:, 1:].reshape(x.shape), dw, dout.sum(axis=(0, 2, 3))


# %% torch
import torch
import torch.nn.functional as F


def conv2d_backward(dout, x, w, stride=1, padding=0):
    columns = F.unfold(x, w.shape[2:], stride=stride, padding=padding)
    rows = dout.flatten(2)
    dw = torch.einsum("nko,nco->kc", rows, columns).reshape(w.shape)
    dx = F.fold(w.flatten(1).T @ rows, x.shape[2:], w.shape[2:], stride=stride, padding=padding)
    return dx, dw, dout.sum((0, 2, 3))
