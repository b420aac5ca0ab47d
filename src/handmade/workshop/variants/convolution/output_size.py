# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% counting
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    starts = range(-padding, size + padding, stride)
    return sum(1 for start in starts if start + dilation * (kernel - 1) < size + padding)


def receptive_field(layers):
    seen = {0}
    for kernel, stride, dilation in reversed(layers):
        seen = {stride * place + dilation * k for place in seen for k in range(kernel)}
    return max(seen) - min(seen) + 1


# %% from the output back
import math


def output_size(size, kernel, stride=1, padding=0, dilation=1):
    return math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1)


def receptive_field(layers):
    field = 1
    for kernel, stride, dilation in layers[::-1]:
        field = (field - 1) * stride + dilation * (kernel - 1) + 1
    return field


# %% numpy
import numpy as np


def output_size(size, kernel, stride=1, padding=0, dilation=1):
    covered = kernel + (kernel - 1) * (dilation - 1)
    return len(np.arange(0, size + 2 * padding - covered + 1, stride))


def receptive_field(layers):
    kernels, strides, dilations = np.array(layers).T
    steps = np.concatenate([[1], np.cumprod(strides)[:-1]])
    return 1 + np.sum((kernels - 1) * dilations * steps)


# %% torch
import torch


def output_size(size, kernel, stride=1, padding=0, dilation=1):
    line, weights = torch.ones(1, 1, size), torch.ones(1, 1, kernel)
    return torch.nn.functional.conv1d(line, weights, None, stride, padding, dilation).shape[-1]


def receptive_field(layers):
    steps = torch.cumprod(torch.tensor([1] + [stride for _, stride, _ in layers]), 0)
    return 1 + sum((kernel - 1) * dilation * step for (kernel, _, dilation), step in zip(layers, steps))
