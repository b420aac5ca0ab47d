# %% loops
import math

import numpy as np


def positional_encoding(length, d_model):
    table = np.zeros((length, d_model))
    for pos in range(length):
        for i in range(0, d_model, 2):
            table[pos, i] = math.sin(pos / 10000 ** (i / d_model))
            if i + 1 < d_model:
                table[pos, i + 1] = math.cos(pos / 10000 ** (i / d_model))
    return table


# %% slices
import numpy as np


def positional_encoding(length, d_model):
    frequencies = np.exp(np.arange(0, d_model, 2) * -(np.log(10000.0) / d_model))
    angles = np.outer(np.arange(length), frequencies)
    table = np.empty((length, d_model))
    table[:, 0::2], table[:, 1::2] = np.sin(angles), np.cos(angles)[:, : d_model // 2]
    return table


# %% one sine, shifted
import numpy as np


def positional_encoding(length, d_model):
    columns = np.arange(d_model)
    return np.sin(np.arange(length)[:, None] * 10000.0 ** (-2 * (columns // 2) / d_model) + np.pi / 2 * (columns % 2))


# %% torch
import torch


def positional_encoding(length, d_model):
    position = torch.arange(length, dtype=torch.float64).unsqueeze(1)
    div = torch.pow(10000.0, -torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)
    pe = torch.stack([torch.sin(position * div), torch.cos(position * div)], dim=-1).flatten(1)
    return pe[:, :d_model]
