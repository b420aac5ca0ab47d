"""The rectifier in several threads: memory decides its speed, so the gradient is one pass and makes no mask."""

from __future__ import annotations

from typing import Any

import numpy as np

from handmade.kernels.choice import worth
from handmade.kernels.compiled.build import Floats, kernel
from handmade.kernels.compiled.instructions import float32
from handmade.kernels.compiled.memory import flat

LEAST = 1 << 14
"""Numbers that repay the call of a kernel."""
PIECE = 1 << 14
"""Numbers of a piece."""


def relu(x: np.ndarray) -> Any:
    """See `kernels.relu.relu`."""
    if not worth(x.size, LEAST) or (numbers := flat(x)) is None:
        return NotImplemented
    y = np.empty_like(x)
    _relu(-(-x.size // PIECE), numbers, flat(y), x.size)
    return y


def relu_backward(g: np.ndarray, y: np.ndarray) -> Any:
    """See `kernels.relu.relu_backward`."""
    if not worth(g.size, LEAST) or g.strides != y.strides or (numbers := flat(g)) is None:
        return NotImplemented
    gradient = np.empty_like(g)
    _relu_backward(-(-g.size // PIECE), numbers, flat(y), flat(gradient), g.size)
    return gradient


@kernel
def _relu(piece: int, x: Floats, y: Floats, size: int) -> None:
    for i in range(piece * PIECE, min(size, (piece + 1) * PIECE)):
        y[i] = float32(0) if x[i] < 0 else x[i]


@kernel
def _relu_backward(piece: int, g: Floats, y: Floats, gradient: Floats, size: int) -> None:
    for i in range(piece * PIECE, min(size, (piece + 1) * PIECE)):
        gradient[i] = float32(0) if y[i] <= 0 else g[i]
