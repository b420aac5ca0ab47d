"""Dropout in one pass, its random numbers made in registers; see `kernels/dropout.py`."""

from __future__ import annotations

from typing import Any

import numpy as np

from handmade.kernels.choice import worth
from handmade.kernels.compiled.build import Floats, inline, kernel
from handmade.kernels.compiled.instructions import float32, shift
from handmade.kernels.dropout import GROUP, KEY_STEPS, LOW, MULTIPLIERS, ROUNDS, Noise

LEAST = 1 << 10
"""Numbers that repay the call of a kernel."""
PIECE = 1 << 13
"""Numbers of a piece."""
FIRST, SECOND = MULTIPLIERS
FIRST_STEP, SECOND_STEP = KEY_STEPS
COUNTERS = GROUP // 4


def dropped(x: np.ndarray, noise: Noise) -> Any:
    """See `kernels.dropout.dropped`."""
    if not worth(x.size, LEAST):
        return NotImplemented
    value = np.empty(x.shape, x.dtype)
    _dropped(
        -(-x.size // PIECE),
        np.ascontiguousarray(x),
        value,
        x.size,
        *noise.key,
        noise.threshold,
        noise.scale,
        scratch=GROUP,
    )
    return value


@inline
def factors(group, first, second, threshold, scale, target):
    """The 32 factors of a group of places, 0 or `scale`. Words are numbers of 64 bits whose upper half is 0."""
    nothing = float32(0)
    for i in range(COUNTERS):
        counter = group * COUNTERS + i
        a, b, c, d = counter & LOW, (counter >> 32) & LOW, 0, 0
        for turn in range(ROUNDS):
            low, high = FIRST * a, SECOND * c
            a = ((high >> 32) & LOW) ^ b ^ ((first + turn * FIRST_STEP) & LOW)
            c = ((low >> 32) & LOW) ^ d ^ ((second + turn * SECOND_STEP) & LOW)
            b, d = high & LOW, low & LOW
        target[i] = nothing if a < threshold else scale
        target[COUNTERS + i] = nothing if b < threshold else scale
        target[2 * COUNTERS + i] = nothing if c < threshold else scale
        target[3 * COUNTERS + i] = nothing if d < threshold else scale


@kernel
def _dropped(
    piece: int, scratch: Floats, x: Floats, value: Floats, size: int, first: int, second: int, threshold: int,
    scale: float,
) -> None:  # fmt: skip
    for start in range(piece * PIECE, min(size, (piece + 1) * PIECE), GROUP):
        factors(start // GROUP, first, second, threshold, scale, scratch)
        a, y = shift(x, start), shift(value, start)
        for i in range(min(GROUP, size - start)):
            y[i] = a[i] * scratch[i]
