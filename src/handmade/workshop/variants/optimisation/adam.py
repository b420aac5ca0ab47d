# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops
import math

import numpy as np


def adam(w, dw, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    w, m, v = w.copy(), m.copy(), v.copy()
    for i in np.ndindex(*w.shape):
        m[i] += (1 - beta1) * (dw[i] - m[i])
        v[i] += (1 - beta2) * (dw[i] * dw[i] - v[i])
        w[i] -= lr * (m[i] / (1 - beta1**t)) / (math.sqrt(v[i] / (1 - beta2**t)) + eps)
    return w, m, v


# %% in place
import numpy as np


def adam(w, dw, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m *= beta1
    m += (1 - beta1) * dw
    v *= beta2
    v += (1 - beta2) * np.square(dw)
    w -= lr / (1 - beta1**t) * m / (np.sqrt(v) / np.sqrt(1 - beta2**t) + eps)
    return w, m, v


# %% the order of section 2
import numpy as np


def adam(w, dw, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * dw
    v = beta2 * v + (1 - beta2) * dw * dw
    rate = lr * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    return w - rate * m / (np.sqrt(v) + eps), m, v


# %% torch
import torch


def adam(w, dw, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = torch.lerp(m, dw, 1 - beta1)
    v = torch.addcmul(beta2 * v, dw, dw, value=1 - beta2)
    denominator = (v / (1 - beta2**t)).sqrt().add_(eps)
    return torch.addcdiv(w, m, denominator, value=-lr / (1 - beta1**t)), m, v
