import numpy as np


def rotary(x, base=10000.0, offset=0):
    seq, dim = x.shape
    out = []
    for s in range(seq):
        row = []
        for i in range(dim // 2):
            theta = (offset + s) / base ** (2 * i / dim)
            z = complex(x[s, 2 * i], x[s, 2 * i + 1])
            turned = z * complex(np.cos(theta), np.sin(theta))
            row += [turned.real, turned.imag]
        out.append(row)
    return np.array(out)
