# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops
import math

import numpy as np


def softmax(x, axis=-1):
    moved = np.moveaxis(x, axis, -1)
    out = np.empty(moved.shape)
    for index in np.ndindex(*moved.shape[:-1]):
        row = moved[index]
        exponentials = [math.exp(value - max(row)) for value in row]
        out[index] = [value / sum(exponentials) for value in exponentials]
    return np.moveaxis(out, -1, axis)


# %% log-sum-exp
import numpy as np


def softmax(x, axis=-1):
    return np.exp(x - np.logaddexp.reduce(x, axis=axis, keepdims=True))


# %% along an axis
import numpy as np


def softmax(x, axis=-1):
    def one(row):
        e = np.exp(row - np.max(row))
        return e / e.sum()

    return np.apply_along_axis(one, axis, x)


# %% torch
import torch


def softmax(x, axis=-1):
    e = torch.exp(x - x.amax(dim=axis, keepdim=True))
    return e / e.sum(dim=axis, keepdim=True)
