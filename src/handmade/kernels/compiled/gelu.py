"""GELU in the tanh form, one pass; see `kernels/gelu.py`."""

from __future__ import annotations

from typing import Any

import numpy as np

from handmade.kernels.choice import worth
from handmade.kernels.compiled.build import Floats, kernel
from handmade.kernels.compiled.exponentials import logistic
from handmade.kernels.compiled.instructions import float32
from handmade.kernels.compiled.memory import flat
from handmade.kernels.gelu import A, B

LEAST = 1 << 12
"""Numbers that repay the call of a kernel."""
PIECE = 1 << 13
"""Numbers of a piece."""


def gelu_tanh(x: np.ndarray) -> Any:
    """See `kernels.gelu.gelu_tanh`."""
    if not worth(x.size, LEAST) or (numbers := flat(x)) is None:
        return NotImplemented
    value, s = np.empty_like(x), np.empty_like(x)
    _gelu(-(-x.size // PIECE), numbers, flat(value), flat(s), x.size)
    return value, s


def gelu_tanh_backward(g: np.ndarray, x: np.ndarray, s: np.ndarray) -> Any:
    """See `kernels.gelu.gelu_tanh_backward`."""
    if not worth(x.size, LEAST) or not g.strides == x.strides == s.strides or (numbers := flat(g)) is None:
        return NotImplemented
    gradient = np.empty_like(x)
    _gelu_backward(-(-x.size // PIECE), numbers, flat(x), flat(s), flat(gradient), x.size)
    return gradient


@kernel
def _gelu(piece: int, x: Floats, value: Floats, s: Floats, size: int) -> None:
    for i in range(piece * PIECE, min(size, (piece + 1) * PIECE)):
        a = x[i]
        share = logistic(a * (float32(A) + float32(B) * a * a))
        s[i] = share
        value[i] = a * share


@kernel
def _gelu_backward(piece: int, g: Floats, x: Floats, s: Floats, gradient: Floats, size: int) -> None:
    for i in range(piece * PIECE, min(size, (piece + 1) * PIECE)):
        a, share = x[i], s[i]
        slope = a * (float32(A) + float32(3 * B) * a * a) * (float32(1) - share)
        gradient[i] = g[i] * share * (float32(1) + slope)
