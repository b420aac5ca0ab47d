import numpy as np


def sigma(z):
    return np.where(z >= 0, 1 / (1 + np.exp(-np.abs(z))), np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))))


def lstm_step(x, h, c, Wx, Wh, b):
    n = h.shape[1]
    pre = np.concatenate([x, h], axis=1) @ np.concatenate([Wx, Wh], axis=0)
    pre = pre + b
    i_gate = sigma(pre[:, :n])
    f_gate = sigma(pre[:, n : 2 * n])
    candidate = np.tanh(pre[:, 2 * n : 3 * n])
    o_gate = sigma(pre[:, 3 * n :])
    keep = f_gate * c
    write = i_gate * candidate
    c_next = keep + write
    h_next = o_gate * np.tanh(c_next)
    return h_next, c_next
