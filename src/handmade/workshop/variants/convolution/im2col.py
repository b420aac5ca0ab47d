# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops over windows
import numpy as np


def im2col(x, kernel, stride, padding):
    N, C, H, W = x.shape
    padded = np.zeros((N, C, H + 2 * padding[0], W + 2 * padding[1]))
    padded[:, :, padding[0] : padding[0] + H, padding[1] : padding[1] + W] = x
    windows = []
    for top in range(0, padded.shape[2] - kernel[0] + 1, stride[0]):
        for left in range(0, padded.shape[3] - kernel[1] + 1, stride[1]):
            windows.append(padded[:, :, top : top + kernel[0], left : left + kernel[1]].reshape(N, -1))
    return np.stack(windows, axis=2)


# %% sliding windows
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def im2col(x, kernel, stride, padding):
    x = np.pad(x, [(0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2])
    windows = sliding_window_view(x, kernel, axis=(2, 3))[:, :, :: stride[0], :: stride[1]]
    N, C, OH, OW, R, S = windows.shape
    return windows.transpose(0, 1, 4, 5, 2, 3).reshape(N, C * R * S, OH * OW)


# %% indices
import numpy as np


def im2col(x, kernel, stride, padding):
    (R, S), (a, b), (p, q) = kernel, stride, padding
    x = np.pad(x, ((0, 0), (0, 0), (p, p), (q, q)))
    N, C, H, W = x.shape
    OH, OW = 1 + (H - R) // a, 1 + (W - S) // b
    c = np.repeat(np.arange(C), R * S)[:, None]
    i = np.tile(np.repeat(np.arange(R), S), C)[:, None] + a * np.repeat(np.arange(OH), OW)
    j = np.tile(np.arange(S), R * C)[:, None] + b * np.tile(np.arange(OW), OH)
    return x[:, c, i, j]


# %% torch
import torch


def im2col(x, kernel, stride, padding):
    x = torch.nn.functional.pad(x, (padding[1], padding[1], padding[0], padding[0]))
    windows = x.unfold(2, kernel[0], stride[0]).unfold(3, kernel[1], stride[1])
    return windows.permute(0, 1, 4, 5, 2, 3).flatten(4).flatten(1, 3)
