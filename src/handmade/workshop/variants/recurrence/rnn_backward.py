# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% arrays and a list of gradients
import numpy as np


def rnn_forward(x, h0, Wx, Wh, b):
    N, T, _ = x.shape
    h = np.empty((N, T + 1, len(b)))
    h[:, 0] = h0
    for t in range(T):
        h[:, t + 1] = np.tanh(x[:, t] @ Wx + h[:, t] @ Wh + b)
    return h[:, 1:], {"x": x, "h": h, "Wx": Wx, "Wh": Wh}


def rnn_backward(dh, cache):
    x, h, Wx, Wh = (cache[name] for name in ("x", "h", "Wx", "Wh"))
    T = x.shape[1]
    da = np.zeros_like(dh)
    after = np.zeros(dh[:, 0].shape)
    for t in range(T - 1, -1, -1):
        da[:, t] = (dh[:, t] + after) * (1 - h[:, t + 1] ** 2)
        after = da[:, t] @ Wh.T
    dWx = np.einsum("ntd,nth->dh", x, da)
    dWh = np.einsum("ntk,nth->kh", h[:, :-1], da)
    return da @ Wx.T, after, dWx, dWh, da.sum((0, 1))


# %% cells with closures
import numpy as np


def cell(x, h, Wx, Wh, b):
    new = np.tanh(x @ Wx + h @ Wh + b)

    def backward(d):
        da = d * (1 + new) * (1 - new)
        return da @ Wx.T, da @ Wh.T, x.T @ da, h.T @ da, da.sum(axis=0)

    return new, backward


def rnn_forward(x, h0, Wx, Wh, b):
    h, outputs, tape = h0, [], []
    for step in np.swapaxes(x, 0, 1):
        h, backward = cell(step, h, Wx, Wh, b)
        outputs.append(h)
        tape.append(backward)
    return np.array(outputs).swapaxes(0, 1), tape


def rnn_backward(dh, cache):
    dx, sums, carried = [], [0, 0, 0], 0
    for t in range(len(cache) - 1, -1, -1):
        step, carried, *more = cache[t](dh[:, t] + carried)
        dx.insert(0, step)
        sums = [total + part for total, part in zip(sums, more)]
    return np.stack(dx, 1), carried, *sums


# %% loops over the examples
import numpy as np


def rnn_forward(x, h0, Wx, Wh, b):
    out = np.zeros((x.shape[0], x.shape[1], h0.shape[1]))
    for n in range(len(x)):
        h = h0[n]
        for t in range(x.shape[1]):
            h = np.tanh(Wx.T @ x[n, t] + Wh.T @ h + b)
            out[n, t] = h
    return out, (x, h0, Wx, Wh, out)


def rnn_backward(dh, cache):
    x, h0, Wx, Wh, out = cache
    dx, dh0, dWx, dWh, db = np.zeros_like(x), np.zeros_like(h0), 0 * Wx, 0 * Wh, np.zeros(len(Wh))
    for n in range(len(x)):
        flow = np.zeros(len(Wh))
        for t in range(x.shape[1] - 1, -1, -1):
            before = out[n, t - 1] if t else h0[n]
            da = (dh[n, t] + flow) / np.cosh(np.arctanh(out[n, t])) ** 2
            dx[n, t] = Wx @ da
            dWx += np.outer(x[n, t], da)
            dWh += np.outer(before, da)
            db += da
            flow = Wh @ da
        dh0[n] = flow
    return dx, dh0, dWx, dWh, db


# %% torch
import torch


def rnn_forward(x, h0, Wx, Wh, b):
    states = [h0]
    for step in x.unbind(1):
        states.append(torch.tanh(step @ Wx + states[-1] @ Wh + b))
    return torch.stack(states[1:], 1), (x, torch.stack(states, 1), Wx, Wh)


def rnn_backward(dh, cache):
    x, states, Wx, Wh = cache
    carried, inner = torch.zeros_like(states[:, 0]), torch.zeros_like(dh)
    for t in reversed(range(dh.shape[1])):
        inner[:, t] = (dh[:, t] + carried) * (1 - states[:, t + 1] ** 2)
        carried = inner[:, t] @ Wh.T
    dWx = torch.einsum("ntd,nth->dh", x, inner)
    dWh = torch.einsum("ntk,nth->kh", states[:, :-1], inner)
    return inner @ Wx.T, carried, dWx, dWh, inner.sum((0, 1))
