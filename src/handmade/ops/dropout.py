"""Dropout: noise in training that keeps units from relying on each other."""

from handmade.kernels.dropout import Noise, dropped
from handmade.ops.op import op


@op
def dropout(x, *, p, rng):
    """Each element zero with probability p, else times 1 / (1 - p): the mean is kept (Srivastava et al. 2014)."""
    noise = Noise.drawn(p, rng)
    return dropped(x, noise), lambda g: (dropped(g, noise),)
