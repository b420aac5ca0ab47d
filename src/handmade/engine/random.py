"""The one source of randomness: a NumPy generator, seeded by `manual_seed`, that everything draws from."""

from __future__ import annotations

from typing import Any

import numpy as np

_generator = np.random.default_rng()


def manual_seed(seed: int) -> None:
    """Seed the global random generator, which makes everything after it reproducible."""
    _generator.bit_generator.state = np.random.default_rng(seed).bit_generator.state


class Generator:
    """A separate source of random numbers: `randn(3, generator=Generator().manual_seed(0))` draws from it alone."""

    def __init__(self, device: Any = "cpu") -> None:
        self.numpy = np.random.default_rng()

    def manual_seed(self, seed: int) -> Generator:
        self.numpy = np.random.default_rng(seed)
        return self


def generator(own: Generator | None = None) -> np.random.Generator:
    """The global generator, or a separate one: initialisation, dropout, shuffling and sampling draw from it."""
    return _generator if own is None else own.numpy


def get_state() -> dict:
    """The state of the generator, as plain numbers that can be saved as JSON."""
    return dict(_generator.bit_generator.state)


def set_state(state: dict) -> None:
    """Restore a state that `get_state` returned; ValueError for anything else."""
    try:
        _generator.bit_generator.state = state
    except (TypeError, ValueError, LookupError, OverflowError) as error:
        raise ValueError(f"state: expected what get_state returns, got something else ({error})") from None
