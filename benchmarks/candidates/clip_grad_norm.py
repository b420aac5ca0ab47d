import numpy as np


def clip_grad_norm(grads, max_norm):
    squares = [float(np.vdot(g, g)) for g in grads]
    norm = np.sqrt(sum(squares))
    ratio = min(1.0, max_norm / (norm + 1e-6))
    clipped = []
    for g in grads:
        clipped.append(g * ratio)
    return clipped, norm
