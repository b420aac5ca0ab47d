"""Dropout's random numbers, computed from the place that they are for: nothing is drawn in turn, and nothing is kept.

Philox (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") scrambles a counter of four words of 32 bits
with a key of two: seven rounds of two products pass every test that its authors knew. Each number depends on the key
and on its place alone, so threads may compute them in any order, and the way back computes them once more from the key.

A group of 32 places takes 8 counters of 4 words each: first the first word of all counters, then the second, ...
"""

from typing import NamedTuple

import numpy as np

from handmade.kernels.choice import has_compiled_form

GROUP = 32
"""Places whose numbers are computed together."""
ROUNDS = 7
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
LOW = 0xFFFFFFFF
"""The low 32 of 64 bits."""
_GROUPS = 1 << 9  # of a block, which stays in a core's cache


class Noise(NamedTuple):
    """All that a dropout has drawn: each place is zero where its number is below `threshold`, else times `scale`."""

    key: tuple[int, int]
    threshold: int
    scale: float

    @classmethod
    def drawn(cls, p: float, rng: np.random.Generator) -> "Noise":
        """Zeros with probability p, the rest times 1 / (1 - p)."""
        if not 0 <= p <= 1:
            raise ValueError(f"dropout: p is {p}, expected a probability from 0 to 1")
        first, second = rng.integers(0, LOW, 2, np.uint32, endpoint=True).tolist()
        return cls((first, second), round(p * (LOW + 1)), 1 / (1 - p) if p < 1 else 0.0)

    def mask(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """What an array of this shape is multiplied by: 0 or `scale`."""
        return dropped(np.ones(shape, dtype), self)

    def mask_of_rows(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """The same for rows that each begin with a group of their own."""
        whole = -(-shape[-1] // GROUP) * GROUP
        return self.mask((*shape[:-1], whole), dtype)[..., : shape[-1]]


@has_compiled_form
def dropped(x: np.ndarray, noise: Noise) -> np.ndarray:
    """x with zeros, and the rest times `scale`; places are counted row by row."""
    flat, value = x.reshape(-1), np.empty(x.shape, x.dtype)
    result = value.reshape(-1)
    for start in range(0, x.size, _GROUPS * GROUP):
        part = flat[start : start + _GROUPS * GROUP]
        kept = words(noise.key, start // GROUP, -(-part.size // GROUP))[: part.size] >= noise.threshold
        np.multiply(part, kept * x.dtype.type(noise.scale), out=result[start : start + part.size])
    return value


def words(key: tuple[int, int], first: int, groups: int) -> np.ndarray:
    """The random words of some groups of places, from group `first` on: (groups * GROUP,), each below 2^32."""
    counter = np.arange(first * 8, (first + groups) * 8, dtype=np.uint64).reshape(groups, 8)
    nothing = np.zeros_like(counter)
    return np.stack(philox((counter & LOW, counter >> 32, nothing, nothing), key), axis=1).reshape(-1)


def philox(counter: tuple[np.ndarray, ...], key: tuple[int, int]) -> tuple[np.ndarray, ...]:
    """Four words of counters, scrambled; each a uint64 below 2^32."""
    a, b, c, d = counter
    for turn in range(ROUNDS):
        first, second = ((k + turn * step) & LOW for k, step in zip(key, KEY_STEPS, strict=True))
        low, high = MULTIPLIERS[0] * a, MULTIPLIERS[1] * c
        a, b, c, d = (high >> 32) ^ b ^ first, high & LOW, (low >> 32) ^ d ^ second, low & LOW
    return a, b, c, d
