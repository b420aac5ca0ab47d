# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% gates in one array
import numpy as np


def lstm_step_forward(x, h, c, Wx, Wh, b):
    H = h.shape[1]
    a = x @ Wx + h @ Wh + b
    s = 1 / (1 + np.exp(-a))
    s[:, 2 * H : 3 * H] = np.tanh(a[:, 2 * H : 3 * H])
    new = s[:, H : 2 * H] * c + s[:, :H] * s[:, 2 * H : 3 * H]
    tanh = np.tanh(new)
    return s[:, 3 * H :] * tanh, new, dict(x=x, h=h, c=c, Wx=Wx, Wh=Wh, s=s, tanh=tanh)


def lstm_step_backward(dh, dc, cache):
    s, tanh, c = cache["s"], cache["tanh"], cache["c"]
    i, f, g, o = np.hsplit(s, 4)
    dcell = dc + dh * o * (1 - tanh * tanh)
    da = np.hstack([dcell * g, dcell * c, dcell * i, dh * tanh])
    slope = s * (1 - s)
    H = c.shape[1]
    slope[:, 2 * H : 3 * H] = 1 - g * g
    da *= slope
    return da @ cache["Wx"].T, da @ cache["Wh"].T, dcell * f, cache["x"].T @ da, cache["h"].T @ da, da.sum(axis=0)


# %% loops over the examples
import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def lstm_step_forward(x, h, c, Wx, Wh, b):
    H = h.shape[1]
    new_h, new_c = np.zeros(h.shape), np.zeros(c.shape)
    for n in range(len(x)):
        a = Wx.T @ x[n] + Wh.T @ h[n] + b
        new_c[n] = sigmoid(a[H : 2 * H]) * c[n] + sigmoid(a[:H]) * np.tanh(a[2 * H : 3 * H])
        new_h[n] = sigmoid(a[3 * H :]) * np.tanh(new_c[n])
    return new_h, new_c, [x, h, c, Wx, Wh, b]


def lstm_step_backward(dh, dc, cache):
    x, h, c, Wx, Wh, b = cache
    H = h.shape[1]
    dx, dh0, dc0 = np.zeros(x.shape), np.zeros(h.shape), np.zeros(c.shape)
    dWx, dWh, db = np.zeros(Wx.shape), np.zeros(Wh.shape), np.zeros(b.shape)
    for n in range(len(x)):
        a = Wx.T @ x[n] + Wh.T @ h[n] + b
        i, f, g, o = sigmoid(a[:H]), sigmoid(a[H : 2 * H]), np.tanh(a[2 * H : 3 * H]), sigmoid(a[3 * H :])
        new = f * c[n] + i * g
        total = dc[n] + dh[n] * o / np.cosh(new) ** 2
        da = np.concatenate(
            [total * g * i * (1 - i), total * c[n] * f * (1 - f), total * i * (1 - g**2), dh[n] * np.tanh(new) * o * (1 - o)]
        )
        dx[n], dh0[n], dc0[n] = Wx @ da, Wh @ da, total * f
        dWx += np.outer(x[n], da)
        dWh += np.outer(h[n], da)
        db += da
    return dx, dh0, dc0, dWx, dWh, db


# %% closure as the cache
import numpy as np


def lstm_step_forward(x, h, c, Wx, Wh, b):
    both, W = np.concatenate([x, h], 1), np.concatenate([Wx, Wh], 0)
    a = (both @ W + b).reshape(len(x), 4, -1)
    i, f, o = (1 / (1 + np.exp(-a[:, k])) for k in (0, 1, 3))
    g = np.tanh(a[:, 2])
    new = f * c + i * g
    out = o * np.tanh(new)

    def backward(dh, dc):
        dnew = dc + dh * (o - out**2 / o)
        parts = dnew * g * i * (1 - i), dnew * c * f * (1 - f), dnew * i * (1 - g**2), dh * out * (1 - o)
        da = np.stack(parts, 1).reshape(len(x), -1)
        dboth, dW = da @ W.T, both.T @ da
        D = x.shape[1]
        return dboth[:, :D], dboth[:, D:], dnew * f, dW[:D], dW[D:], da.sum(0)

    return out, new, backward


def lstm_step_backward(dh, dc, cache):
    return cache(dh, dc)


# %% torch
import torch


def lstm_step_forward(x, h, c, Wx, Wh, b):
    i, f, g, o = torch.chunk(x @ Wx + h @ Wh + b, 4, 1)
    i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
    new_c = f * c + i * g
    return o * torch.tanh(new_c), new_c, (x, h, c, Wx, Wh, i, f, g, o, torch.tanh(new_c))


def lstm_step_backward(dh, dc, cache):
    x, h, c, Wx, Wh, i, f, g, o, squashed = cache
    dc = dc + dh * o * (1 - squashed**2)
    inner = torch.cat([dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g**2), dh * squashed * o * (1 - o)], 1)
    return inner @ Wx.T, inner @ Wh.T, dc * f, x.T @ inner, h.T @ inner, inner.sum(0)
