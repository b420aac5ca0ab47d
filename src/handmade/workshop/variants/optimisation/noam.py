# %% formula
def noam_lr(step, d_model, warmup):
    return d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)


# %% two cases
import math


def noam_lr(step, d_model, warmup):
    peak = 1 / math.sqrt(d_model * warmup)
    if step < warmup:
        return peak * step / warmup
    return peak * math.sqrt(warmup / step)


# %% numpy
import numpy as np


def noam_lr(step, d_model, warmup):
    return np.minimum(1 / np.sqrt(step), step / np.power(float(warmup), 1.5)) / np.sqrt(d_model)


# %% torch
import torch


def noam_lr(step, d_model, warmup):
    arms = torch.tensor([step**-0.5, step * warmup**-1.5], dtype=torch.float64)
    return arms.min() / d_model**0.5
