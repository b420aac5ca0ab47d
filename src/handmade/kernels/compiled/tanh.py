"""The hyperbolic tangent over whole vectors, and its gradient in one pass; see `kernels/tanh.py`."""

from __future__ import annotations

from typing import Any

import numpy as np

from handmade.kernels.choice import worth
from handmade.kernels.compiled import exponentials
from handmade.kernels.compiled.build import Floats, kernel
from handmade.kernels.compiled.instructions import float32
from handmade.kernels.compiled.memory import flat

LEAST = 1 << 12
"""Numbers that repay the call of a kernel."""
PIECE = 1 << 13
"""Numbers of a piece."""
_of = exponentials.tanh


def tanh(x: np.ndarray) -> Any:
    """See `kernels.tanh.tanh`."""
    if not worth(x.size, LEAST) or not x.size or (numbers := flat(x)) is None:
        return NotImplemented
    y = np.empty_like(x)
    _tanh(-(-x.size // PIECE), numbers, flat(y), x.size)
    return y


def tanh_backward(g: np.ndarray, y: np.ndarray) -> Any:
    """See `kernels.tanh.tanh_backward`."""
    alike = g.dtype == y.dtype and g.strides == y.strides
    if not alike or not worth(g.size, LEAST) or not g.size or (numbers := flat(g)) is None:
        return NotImplemented
    gradient = np.empty_like(g)
    _tanh_backward(-(-g.size // PIECE), numbers, flat(y), flat(gradient), g.size)
    return gradient


@kernel
def _tanh(piece: int, x: Floats, y: Floats, size: int) -> None:
    for i in range(piece * PIECE, min(size, (piece + 1) * PIECE)):
        y[i] = _of(x[i])


@kernel
def _tanh_backward(piece: int, g: Floats, y: Floats, gradient: Floats, size: int) -> None:
    for i in range(piece * PIECE, min(size, (piece + 1) * PIECE)):
        gradient[i] = g[i] * (float32(1) - y[i] * y[i])
