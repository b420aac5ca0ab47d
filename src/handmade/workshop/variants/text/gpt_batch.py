# %% slices, stacked
import numpy as np


def get_batch(data, starts, block_size):
    x = np.stack([data[i : i + block_size] for i in starts])
    y = np.stack([data[i + 1 : i + 1 + block_size] for i in starts])
    return x, y


# %% one window more
import numpy as np


def get_batch(data, starts, block_size):
    windows = np.lib.stride_tricks.sliding_window_view(data, block_size + 1)[starts]
    return windows[:, :-1], windows[:, 1:]


# %% plain lists
def get_batch(data, starts, block_size):
    xs, ys = [], []
    for s in starts:
        piece = list(data[s : s + block_size + 1])
        xs.append(piece[:-1])
        ys.append(piece[1:])
    return xs, ys


# %% torch
import torch


def get_batch(data, starts, block_size):
    ix = starts.unsqueeze(1) + torch.arange(block_size)
    return data[ix], data[ix + 1]
