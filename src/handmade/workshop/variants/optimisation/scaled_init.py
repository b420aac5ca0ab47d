# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% normal
import math


def kaiming_normal(shape, rng):
    out, *rest = shape
    return rng.normal(0.0, math.sqrt(2 / math.prod(rest)), size=shape)


# %% standard normal, in float32
import numpy as np


def kaiming_normal(shape, rng):
    fan_in = shape[1]
    for size in shape[2:]:
        fan_in *= size
    return rng.standard_normal(shape, dtype=np.float32) * np.float32((2.0 / fan_in) ** 0.5)


# %% row by row
import numpy as np


def kaiming_normal(shape, rng):
    weight = np.empty(shape)
    for row in weight:
        row[...] = rng.normal(size=row.shape) * np.sqrt(2) / np.sqrt(row.size)
    return weight


# %% Box-Muller
import numpy as np


def kaiming_normal(shape, rng):
    u, v = 1 - rng.random(shape), rng.random(shape)
    normal = np.sqrt(-2 * np.log(u)) * np.cos(2 * np.pi * v)
    return normal * np.sqrt(2 / (np.prod(shape) / shape[0]))


# %% torch from NumPy's numbers
import torch


def kaiming_normal(shape, rng):
    weight = torch.from_numpy(rng.standard_normal(shape))
    return weight * (2 / weight[0].numel()) ** 0.5


# %% torch, seeded by the generator
import math

import torch


def kaiming_normal(shape, rng):
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    fan_in = torch.Size(shape[1:]).numel()
    return torch.nn.Parameter(torch.randn(*shape, generator=generator).mul(math.sqrt(2.0) / math.sqrt(fan_in)))
