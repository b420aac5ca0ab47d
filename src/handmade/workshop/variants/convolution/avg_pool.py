# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops
import numpy as np


def avg_pool(x, kernel, stride, padding=0, count_include_pad=True):
    N, C, H, W = x.shape
    OH, OW = (H + 2 * padding - kernel) // stride + 1, (W + 2 * padding - kernel) // stride + 1
    out = np.zeros((N, C, OH, OW))
    for n, c, i, j in np.ndindex(N, C, OH, OW):
        values = []
        for row in range(i * stride - padding, i * stride - padding + kernel):
            for column in range(j * stride - padding, j * stride - padding + kernel):
                if 0 <= row < H and 0 <= column < W:
                    values.append(x[n, c, row, column])
        out[n, c, i, j] = sum(values) / (kernel * kernel if count_include_pad else len(values))
    return out


# %% sliding windows
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def avg_pool(x, kernel, stride, padding=0, count_include_pad=True):
    fill = 0.0 if count_include_pad else np.nan
    p = padding
    x = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)), constant_values=fill)
    windows = sliding_window_view(x, (kernel, kernel), axis=(2, 3))[:, :, ::stride, ::stride]
    return np.nanmean(windows, axis=(4, 5))


# %% running sums
import numpy as np


def avg_pool(x, kernel, stride, padding=0, count_include_pad=True):
    def sums(a):
        a = np.pad(a, [(0, 0)] * (a.ndim - 2) + [(padding + 1, padding)] * 2).cumsum(-1).cumsum(-2)
        end, start = slice(kernel, None, stride), slice(0, -kernel, stride)
        return a[..., end, end] - a[..., start, end] - a[..., end, start] + a[..., start, start]

    return sums(x) / (kernel**2 if count_include_pad else sums(np.ones(x.shape[-2:])))


# %% torch
import torch
import torch.nn.functional as F


def avg_pool(x, kernel, stride, padding=0, count_include_pad=True):
    C = x.shape[1]
    weight = torch.ones(C, 1, kernel, kernel, dtype=x.dtype)
    total = F.conv2d(x, weight, stride=stride, padding=padding, groups=C)
    if count_include_pad:
        return total / kernel**2
    return total / F.conv2d(torch.ones_like(x), weight, stride=stride, padding=padding, groups=C)
