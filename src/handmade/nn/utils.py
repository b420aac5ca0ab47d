"""What training does to gradients before the optimizer sees them."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from handmade.engine import Tensor


def clip_grad_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float) -> Tensor:
    """Scale all gradients down together, in place, so that their common norm is at most `max_norm` (Pascanu 2013).

    The norm is sqrt(sum of all squares) over every gradient as if they were one vector; it is returned as it was
    before. Parameters without a gradient do not count.
    """
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = math.sqrt(sum(_square_sum(gradient.array) for gradient in gradients))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for gradient in gradients:
            gradient.mul_(scale)
    return Tensor(norm)


def _square_sum(array: np.ndarray) -> float:
    flat = array.ravel("K")
    return float(flat @ flat)
