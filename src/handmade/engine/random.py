"""The one source of randomness: a NumPy generator that `manual_seed` sets and everything draws from."""

import numpy as np

_generator = np.random.default_rng()


def manual_seed(seed: int) -> None:
    """Seed the global random generator, so that everything after it can be repeated exactly."""
    _generator.bit_generator.state = np.random.default_rng(seed).bit_generator.state


def generator() -> np.random.Generator:
    """The global generator: initialisation, dropout, shuffling and sampling draw from it."""
    return _generator


def get_state() -> dict:
    """The generator's state, as plain numbers that JSON can hold."""
    return dict(_generator.bit_generator.state)


def set_state(state: dict) -> None:
    """Continue from a state that `get_state` gave."""
    _generator.bit_generator.state = state
