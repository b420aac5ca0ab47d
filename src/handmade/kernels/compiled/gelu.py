"""GELU and its tanh form, one pass each; see `kernels/gelu.py`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from handmade.kernels.choice import worth
from handmade.kernels.compiled.build import Floats, Kernel, kernel
from handmade.kernels.compiled.exponentials import erf, exp, logistic
from handmade.kernels.compiled.instructions import float32
from handmade.kernels.compiled.memory import flat
from handmade.kernels.gelu import A, B

LEAST = 1 << 12
"""Numbers that repay the call of a kernel."""
PIECE = 1 << 13
"""Numbers of a piece."""
SQRT_HALF = math.sqrt(0.5)
AT_0 = 1 / math.sqrt(2 * math.pi)
"""The normal density at 0."""


def gelu(x: np.ndarray) -> Any:
    """See `kernels.gelu.gelu`."""
    return _forward(_gelu, x)


def gelu_backward(g: np.ndarray, x: np.ndarray, phi: np.ndarray) -> Any:
    """See `kernels.gelu.gelu_backward`."""
    return _backward(_gelu_backward, g, x, phi)


def gelu_tanh(x: np.ndarray) -> Any:
    """See `kernels.gelu.gelu_tanh`."""
    return _forward(_gelu_tanh, x)


def gelu_tanh_backward(g: np.ndarray, x: np.ndarray, s: np.ndarray) -> Any:
    """See `kernels.gelu.gelu_tanh_backward`."""
    return _backward(_gelu_tanh_backward, g, x, s)


def _forward(kernel: Kernel, x: np.ndarray) -> Any:
    """The value, and x's share of it."""
    if not worth(x.size, LEAST) or (numbers := flat(x)) is None:
        return NotImplemented
    value, share = np.empty_like(x), np.empty_like(x)
    kernel(-(-x.size // PIECE), numbers, flat(value), flat(share), x.size)
    return value, share


def _backward(kernel: Kernel, g: np.ndarray, x: np.ndarray, share: np.ndarray) -> Any:
    if not worth(x.size, LEAST) or not g.strides == x.strides == share.strides or (numbers := flat(g)) is None:
        return NotImplemented
    gradient = np.empty_like(x)
    kernel(-(-x.size // PIECE), numbers, flat(x), flat(share), flat(gradient), x.size)
    return gradient


@kernel
def _gelu(piece: int, x: Floats, value: Floats, phi: Floats, size: int) -> None:
    for i in range(piece * PIECE, min(size, (piece + 1) * PIECE)):
        share = float32(0.5) * (float32(1) + erf(x[i] * float32(SQRT_HALF)))
        phi[i] = share
        value[i] = x[i] * share


@kernel
def _gelu_backward(piece: int, g: Floats, x: Floats, phi: Floats, gradient: Floats, size: int) -> None:
    for i in range(piece * PIECE, min(size, (piece + 1) * PIECE)):
        density = float32(AT_0) * exp(float32(-0.5) * x[i] * x[i])
        gradient[i] = g[i] * (phi[i] + x[i] * density)


@kernel
def _gelu_tanh(piece: int, x: Floats, value: Floats, s: Floats, size: int) -> None:
    for i in range(piece * PIECE, min(size, (piece + 1) * PIECE)):
        a = x[i]
        share = logistic(a * (float32(A) + float32(B) * a * a))
        s[i] = share
        value[i] = a * share


@kernel
def _gelu_tanh_backward(piece: int, g: Floats, x: Floats, s: Floats, gradient: Floats, size: int) -> None:
    for i in range(piece * PIECE, min(size, (piece + 1) * PIECE)):
        a, share = x[i], s[i]
        slope = a * (float32(A) + float32(3 * B) * a * a) * (float32(1) - share)
        gradient[i] = g[i] * share * (float32(1) + slope)
