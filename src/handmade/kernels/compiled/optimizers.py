"""The optimizers' steps, one pass over the memory of a parameter and its state; see `kernels/optimizers.py`."""

from __future__ import annotations

from typing import Any

import numpy as np

from handmade.kernels.choice import worth
from handmade.kernels.compiled.build import Floats, kernel
from handmade.kernels.compiled.instructions import float32
from handmade.kernels.compiled.memory import flat

Array = np.ndarray
LEAST = 1 << 13
"""Numbers that repay the call of a kernel."""
PIECE = 1 << 15
"""Numbers of a piece."""


def sgd(weight: Array, gradient: Array, lr: float, weight_decay: float) -> Any:
    """See `kernels.optimizers.sgd`."""
    arrays = _flat(weight, gradient)
    if arrays is None:
        return NotImplemented
    _sgd(-(-weight.size // PIECE), *arrays, weight.size, lr, weight_decay)
    return None


def sgd_momentum(
    weight: Array, gradient: Array, velocity: Array, lr: float, momentum: float, weight_decay: float, nesterov: bool
) -> Any:
    """See `kernels.optimizers.sgd_momentum`."""
    arrays = _flat(weight, gradient, velocity)
    if arrays is None:
        return NotImplemented
    _sgd_momentum(-(-weight.size // PIECE), *arrays, weight.size, nesterov, lr, momentum, weight_decay)
    return None


def adam(
    weight: Array, gradient: Array, m: Array, v: Array,
    rate: float, beta1: float, beta2: float, root_correction: float, eps: float, penalty: float, decay: float,
) -> Any:  # fmt: skip
    """See `kernels.optimizers.adam`."""
    arrays = _flat(weight, gradient, m, v)
    if arrays is None:
        return NotImplemented
    factors = (rate, beta1, 1 - beta1, beta2, 1 - beta2, 1 / root_correction, eps, penalty, decay)
    _adam(-(-weight.size // PIECE), *arrays, weight.size, *factors)
    return None


def _flat(weight: Array, *others: Array) -> list[Array] | None:
    """All arrays as flat ones, where they lie in memory in the same order; None where NumPy had better do it."""
    if not worth(weight.size, LEAST) or any(
        array.dtype != np.float32 or array.strides != weight.strides for array in others
    ):
        return None
    arrays = [flat(array) for array in (weight, *others)]
    return None if any(array is None for array in arrays) else arrays  # pyright: ignore[reportReturnType]


@kernel
def _sgd(piece: int, weight: Floats, gradient: Floats, size: int, lr: float, decay: float) -> None:
    for i in range(piece * PIECE, min(size, (piece + 1) * PIECE)):
        weight[i] -= lr * (gradient[i] + decay * weight[i])


@kernel
def _sgd_momentum(
    piece: int, weight: Floats, gradient: Floats, velocity: Floats, size: int, nesterov: int,
    lr: float, momentum: float, decay: float,
) -> None:  # fmt: skip
    ahead, own = (momentum, float32(1)) if nesterov else (float32(1), float32(0))
    for i in range(piece * PIECE, min(size, (piece + 1) * PIECE)):
        g = gradient[i] + decay * weight[i]
        v = momentum * velocity[i] + g
        velocity[i] = v
        weight[i] -= lr * (own * g + ahead * v)


@kernel
def _adam(
    piece: int, weight: Floats, gradient: Floats, m: Floats, v: Floats, size: int,
    rate: float, beta1: float, rest1: float, beta2: float, rest2: float, root: float, eps: float,
    penalty: float, decay: float,
) -> None:  # fmt: skip
    for i in range(piece * PIECE, min(size, (piece + 1) * PIECE)):
        g = gradient[i] + penalty * weight[i]
        mean = beta1 * m[i] + rest1 * g
        square = beta2 * v[i] + rest2 * g * g
        m[i], v[i] = mean, square
        weight[i] = decay * weight[i] - rate * mean / (float32(square**0.5) * root + eps)
