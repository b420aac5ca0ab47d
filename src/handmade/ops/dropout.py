"""Dropout: noise in training that keeps units from relying on each other."""

from handmade.kernels.dropout import Noise, dropped
from handmade.ops.op import op


@op
def dropout(x, *, p, rng):
    """0 with probability p, else x / (1 - p), which keeps the mean (Srivastava et al. 2014)."""
    noise = Noise.drawn(p, rng)
    return dropped(x, noise), lambda g: (dropped(g, noise),)
