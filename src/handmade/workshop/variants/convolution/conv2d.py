# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops
import numpy as np


def conv2d(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    N, C, H, W = x.shape
    K, _, R, S = w.shape
    out = np.zeros((N, K, (H - R) // stride + 1, (W - S) // stride + 1))
    for n, k, i, j in np.ndindex(*out.shape):
        window = x[n, :, i * stride : i * stride + R, j * stride : j * stride + S]
        out[n, k, i, j] = (window * w[k]).sum() + b[k]
    return out


# %% sliding windows
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def conv2d(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0,), (0,), (padding,), (padding,)))
    windows = sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwrs,kcrs->nkhw", windows, w) + b.reshape(1, -1, 1, 1)


# %% Fourier transform
import numpy as np


def conv2d(x, w, b, stride=1, padding=0):
    N, C, H, W = x.shape
    K, _, R, S = w.shape
    size = (H + 2 * padding, W + 2 * padding)
    padded = np.zeros((N, C, *size))
    padded[:, :, padding : padding + H, padding : padding + W] = x
    product = np.einsum("nchw,kchw->nkhw", np.fft.rfft2(padded), np.fft.rfft2(w, s=size).conj())
    out = np.fft.irfft2(product, s=size)[:, :, : size[0] - R + 1, : size[1] - S + 1]
    return out[:, :, ::stride, ::stride] + b[None, :, None, None]


# %% torch
import torch
import torch.nn.functional as F


def conv2d(x, w, b, stride=1, padding=0):
    K, C, R, S = w.shape
    columns = F.unfold(x, (R, S), stride=stride, padding=padding)
    out = w.flatten(1) @ columns + b[:, None]
    height = (x.shape[2] + 2 * padding - R) // stride + 1
    return out.unflatten(2, (height, -1))
