import numpy as np


def avg_pool(x, kernel, stride, padding=0, count_include_pad=True):
    N, C, H, W = x.shape
    oh = (H + 2 * padding - kernel) // stride + 1
    ow = (W + 2 * padding - kernel) // stride + 1
    out = np.zeros((N, C, oh, ow))
    for i in range(oh):
        y0, y1 = i * stride - padding, i * stride - padding + kernel
        for j in range(ow):
            x0, x1 = j * stride - padding, j * stride - padding + kernel
            window = x[:, :, max(y0, 0) : min(y1, H), max(x0, 0) : min(x1, W)]
            area = kernel**2 if count_include_pad else window.shape[2] * window.shape[3]
            out[:, :, i, j] = window.sum(axis=(2, 3)) / area
    return out
