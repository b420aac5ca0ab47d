"""Dropout: noise in training that keeps units from relying on each other."""

import numpy as np

from handmade.ops.op import op


@op
def dropout(x, *, p, rng):
    """Each element zero with probability p, else times 1 / (1 - p): the mean is kept (Srivastava et al. 2014)."""
    mask = dropout_mask(x.shape, p=p, rng=rng, dtype=x.dtype)
    return x * mask, lambda g: (g * mask,)


def dropout_mask(shape: tuple[int, ...], *, p: float, rng: np.random.Generator, dtype: np.dtype) -> np.ndarray:
    """What dropout multiplies by: 0 with probability p, else 1 / (1 - p)."""
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p is {p}, expected a probability from 0 to 1")
    kept = rng.random(shape, dtype=np.float32) >= p  # never true for p = 1: the draws are below 1
    return np.multiply(kept, 1 / (1 - p) if p < 1 else 0, dtype=dtype)
