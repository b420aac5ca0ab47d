# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops
import numpy as np


def dropout(x, p, training, mask):
    out = np.array(x)
    if training:
        for index, value in np.ndenumerate(x):
            out[index] = value / (1 - p) if mask[index] >= p else 0
    return out


# %% boolean index
import numpy as np


def dropout(x, p, training, mask):
    if not training or p == 0:
        return x.copy()
    out = x / (1.0 - p)
    out[mask < p] = 0.0
    return out


# %% where
import numpy as np


def dropout(x, p, training, mask):
    scale = np.where(mask < p, 0.0, 1.0 / (1.0 - p)) if training else 1.0
    return x * scale


# %% torch
import torch


def dropout(x, p, training, mask):
    if not training:
        return x
    return x.masked_fill(mask < p, 0) / (1 - p)
