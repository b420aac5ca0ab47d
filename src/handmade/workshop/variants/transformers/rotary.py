# %% loops
import math

import numpy as np


def rotary(x, base=10000.0, offset=0):
    out = np.zeros(x.shape)
    for s in range(x.shape[0]):
        for i in range(x.shape[1] // 2):
            a = (offset + s) * base ** (-2 * i / x.shape[1])
            u, v = x[s, 2 * i], x[s, 2 * i + 1]
            out[s, 2 * i] = u * math.cos(a) - v * math.sin(a)
            out[s, 2 * i + 1] = u * math.sin(a) + v * math.cos(a)
    return out


# %% complex numbers
import numpy as np


def rotary(x, base=10000.0, offset=0):
    S, d = x.shape
    turn = np.exp(1j * np.outer(np.arange(offset, offset + S), 1 / base ** (np.arange(0, d, 2) / d)))
    z = (x[:, 0::2] + 1j * x[:, 1::2]) * turn
    return np.stack([z.real, z.imag], axis=-1).reshape(S, d)


# %% matrices
import numpy as np


def rotary(x, base=10000.0, offset=0):
    S, d = x.shape
    a = (offset + np.arange(S))[:, None] * base ** (-2.0 * np.arange(d // 2) / d)
    R = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    return np.einsum("uvsi,siv->siu", R, x.reshape(S, d // 2, 2)).reshape(S, d)


# %% halves, as LLaMA's code
import numpy as np


def rotate_half(x):
    half = x.shape[-1] // 2
    return np.concatenate([-x[..., half:], x[..., :half]], axis=-1)


def rotary(x, base=10000.0, offset=0):
    S, d = x.shape
    freqs = np.outer(np.arange(S) + offset, 1.0 / base ** (np.arange(0, d, 2) / d))
    emb = np.concatenate([freqs, freqs], axis=-1)
    return x * np.cos(emb) + rotate_half(x) * np.sin(emb)


# %% torch
import torch


def rotary(x, base=10000.0, offset=0):
    S, d = x.shape
    freqs = base ** (-torch.arange(0, d, 2, dtype=x.dtype) / d)
    angle = torch.outer(torch.arange(S, dtype=x.dtype) + offset, freqs)
    x0, x1 = x.unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack((x0 * angle.cos() - x1 * angle.sin(), x0 * angle.sin() + x1 * angle.cos()), -1).flatten(-2)
