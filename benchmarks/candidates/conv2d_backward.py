import numpy as np


def conv2d_backward(dout, x, w, stride=1, padding=0):
    p = padding
    x_padded = np.pad(x, ((0,), (0,), (p,), (p,)))
    dx_padded = np.zeros_like(x_padded)
    dw = np.zeros_like(w)
    R, S = w.shape[2], w.shape[3]
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            rows = slice(i * stride, i * stride + R)
            cols = slice(j * stride, j * stride + S)
            g = dout[:, :, i, j]
            dw += np.tensordot(g, x_padded[:, :, rows, cols], axes=([0], [0]))
            dx_padded[:, :, rows, cols] += np.tensordot(g, w, axes=([1], [0]))
    db = dout.sum(axis=3).sum(axis=2).sum(axis=0)
    height, width = x.shape[-2:]
    return dx_padded[..., p : p + height, p : p + width], dw, db
