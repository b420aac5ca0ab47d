"""The one source of randomness: a NumPy generator, seeded by `manual_seed`, that everything draws from."""

import numpy as np

_generator = np.random.default_rng()


def manual_seed(seed: int) -> None:
    """Seed the global random generator, which makes everything after it reproducible."""
    _generator.bit_generator.state = np.random.default_rng(seed).bit_generator.state


def generator() -> np.random.Generator:
    """The global generator: initialisation, dropout, shuffling and sampling draw from it."""
    return _generator


def get_state() -> dict:
    """The state of the generator, as plain numbers that can be saved as JSON."""
    return dict(_generator.bit_generator.state)


def set_state(state: dict) -> None:
    """Restore a state that `get_state` returned."""
    _generator.bit_generator.state = state
