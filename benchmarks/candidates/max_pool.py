import numpy as np


def max_pool_forward(x, kernel, stride):
    batch, channels, height, width = x.shape
    rows = (height - kernel) // stride + 1
    cols = (width - kernel) // stride + 1
    pooled = np.full((batch, channels, rows, cols), -np.inf)
    winners = {}
    for b in range(batch):
        for c in range(channels):
            for r in range(rows):
                for q in range(cols):
                    for i in range(kernel):
                        for j in range(kernel):
                            y, z = r * stride + i, q * stride + j
                            if x[b, c, y, z] > pooled[b, c, r, q]:
                                pooled[b, c, r, q] = x[b, c, y, z]
                                winners[b, c, r, q] = (y, z)
    return pooled, (x.shape, winners)


def max_pool_backward(dout, cache):
    shape, winners = cache
    grad = np.zeros(shape)
    for (b, c, r, q), (y, z) in winners.items():
        grad[b, c, y, z] += dout[b, c, r, q]
    return grad
