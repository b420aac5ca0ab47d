"""A clock of a test's own for one module: the others, event loops in other threads among them, keep theirs."""

import time
from collections.abc import Callable
from types import SimpleNamespace


def with_clocks(**clocks: Callable[[], float]) -> SimpleNamespace:
    """The module `time` with other functions of these names, to be put in the place of a module's `time`."""
    return SimpleNamespace(**{**vars(time), **clocks})
