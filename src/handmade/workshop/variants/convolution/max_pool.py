# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops
import numpy as np


def max_pool_forward(x, kernel, stride):
    N, C, H, W = x.shape
    out = np.full((N, C, (H - kernel) // stride + 1, (W - kernel) // stride + 1), -np.inf)
    winners = {}
    for n, c, i, j in np.ndindex(*out.shape):
        for row in range(i * stride, i * stride + kernel):
            for column in range(j * stride, j * stride + kernel):
                if x[n, c, row, column] > out[n, c, i, j]:
                    out[n, c, i, j] = x[n, c, row, column]
                    winners[n, c, i, j] = n, c, row, column
    return out, (x.shape, winners)


def max_pool_backward(dout, cache):
    shape, winners = cache
    dx = np.zeros(shape)
    for place, winner in winners.items():
        dx[winner] += dout[place]
    return dx


# %% sliding windows
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def max_pool_forward(x, kernel, stride):
    windows = sliding_window_view(x, (kernel, kernel), axis=(2, 3))[:, :, ::stride, ::stride]
    flat = windows.reshape(*windows.shape[:4], kernel * kernel)
    return flat.max(axis=-1), (x.shape, flat.argmax(axis=-1), kernel, stride)


def max_pool_backward(dout, cache):
    shape, place, kernel, stride = cache
    n, c, i, j = np.indices(place.shape)
    dx = np.zeros(shape)
    np.add.at(dx, (n, c, i * stride + place // kernel, j * stride + place % kernel), dout)
    return (dx,)


# %% loop over the kernel
import numpy as np


def max_pool_forward(x, kernel, stride):
    H, W = (np.array(x.shape[2:]) - kernel) // stride + 1
    views = [
        x[:, :, r : r + stride * H : stride, s : s + stride * W : stride] for r in range(kernel) for s in range(kernel)
    ]
    stacked = np.stack(views)
    return np.maximum.reduce(views), (x, stacked.argmax(axis=0), kernel, stride)


def max_pool_backward(dout, cache):
    x, winner, kernel, stride = cache
    H, W = dout.shape[2:]
    dx = np.zeros_like(x)
    for number in range(kernel * kernel):
        r, s = divmod(number, kernel)
        dx[:, :, r : r + stride * H : stride, s : s + stride * W : stride] += np.where(winner == number, dout, 0)
    return dx


# %% torch
import torch


def max_pool_forward(x, kernel, stride):
    windows = x.unfold(2, kernel, stride).unfold(3, kernel, stride).flatten(-2)
    return windows.amax(-1), (x, windows.argmax(-1), kernel, stride)


def max_pool_backward(dout, cache):
    x, place, kernel, stride = cache
    rows = torch.arange(dout.shape[2])[:, None] * stride + place // kernel
    columns = torch.arange(dout.shape[3]) * stride + place % kernel
    dx = torch.zeros_like(x).flatten(2)
    dx.scatter_add_(2, (rows * x.shape[3] + columns).flatten(2), dout.flatten(2))
    return dx.view_as(x)
