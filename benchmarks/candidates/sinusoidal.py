import math

import numpy as np


def positional_encoding(length, d_model):
    pe = np.zeros((length, d_model))
    for pos in range(length):
        for col in range(d_model):
            i = col // 2
            angle = pos / math.pow(10000, 2 * i / d_model)
            pe[pos, col] = math.sin(angle) if col % 2 == 0 else math.cos(angle)
    return pe
