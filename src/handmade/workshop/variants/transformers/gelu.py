# %% loop
import math

import numpy as np


def gelu(x):
    out = np.empty_like(x)
    for index, value in np.ndenumerate(x):
        out[index] = value * 0.5 * math.erfc(-value / math.sqrt(2))
    return out


# %% statistics
from statistics import NormalDist

import numpy as np


def gelu(x):
    return x * np.array([NormalDist().cdf(value) for value in x.ravel()]).reshape(x.shape)


# %% tanh form
import numpy as np


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * np.power(x, 3))))


# %% torch
import torch


def gelu(x):
    return x * 0.5 * (1 + torch.erf(x / 2**0.5))


# %% torch normal
import torch


def gelu(x):
    return x * torch.distributions.Normal(0.0, 1.0).cdf(x)
