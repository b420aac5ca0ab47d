# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops
import numpy as np


def sgd_momentum(w, dw, v, lr, momentum):
    new_w, new_v = np.empty_like(w), np.empty_like(v)
    for index in np.ndindex(*w.shape):
        new_v[index] = momentum * v[index] + dw[index]
        new_w[index] = w[index] - lr * new_v[index]
    return new_w, new_v


# %% in place
def sgd_momentum(w, dw, v, lr, momentum):
    v *= momentum
    v += dw
    w -= lr * v
    return w, v


# %% a class
class Momentum:
    def __init__(self, lr, momentum, velocity):
        self.lr, self.momentum, self.velocity = lr, momentum, velocity

    def step(self, w, dw):
        self.velocity = dw + self.velocity * self.momentum
        return w + -self.lr * self.velocity


def sgd_momentum(w, dw, v, lr, momentum):
    optimizer = Momentum(lr, momentum, v)
    return optimizer.step(w, dw), optimizer.velocity


# %% torch
import torch


@torch.no_grad()
def sgd_momentum(w, dw, v, lr, momentum):
    v = v.mul(momentum).add(dw)
    return w.sub(v, alpha=lr), v
