import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def sigmoid_prime(s):
    return s - s**2


def lstm_step_forward(x, h, c, Wx, Wh, b):
    a = x @ Wx + h @ Wh + b
    ai, af, ag, ao = np.hsplit(a, 4)
    gates = dict(i=sigmoid(ai), f=sigmoid(af), g=np.tanh(ag), o=sigmoid(ao))
    c_new = gates["f"] * c + gates["i"] * gates["g"]
    squashed = np.tanh(c_new)
    h_new = gates["o"] * squashed
    return h_new, c_new, (x, h, c, Wx, Wh, gates, squashed)


def lstm_step_backward(dh, dc, cache):
    x, h, c, Wx, Wh, gates, squashed = cache
    i, f, g, o = (gates[k] for k in "ifgo")
    dsquashed = dh * o
    dcell = dc + dsquashed * (1 - squashed**2)
    da = np.concatenate(
        [
            dcell * g * sigmoid_prime(i),
            dcell * c * sigmoid_prime(f),
            dcell * i * (1 - g**2),
            dh * squashed * sigmoid_prime(o),
        ],
        axis=1,
    )
    dx = da @ Wx.T
    dh_prev = da @ Wh.T
    dc_prev = dcell * f
    return dx, dh_prev, dc_prev, x.T @ da, h.T @ da, da.sum(axis=0)
