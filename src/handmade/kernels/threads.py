"""How many threads compiled kernels use, and the memory that a thread keeps from one kernel to the next.

A kernel's work is cut into numbered pieces, by the sizes of its arrays alone. The calling thread and the helpers take
the next number from a shared counter until none is left. Nobody is told beforehand what to do, so a core that another
program keeps busy only takes fewer pieces; and since the cut does not depend on who does a piece, results are the same,
bit by bit, for every number of threads. How they meet is written in `compiled/team.py`.
"""

import math
import os
import threading

import numpy as np


class Scratch:
    """One thread's working memory, which a kernel leaves to the next one: new pages cost more than old ones."""

    ALIGNMENT = 64  # bytes of a cache line

    def __init__(self) -> None:
        self.size = 0  # bytes that are there without taking more
        self._memory = np.empty(self.ALIGNMENT, np.uint8)

    def address(self, size: int) -> int:
        """The address of `size` bytes with anything in them."""
        if self.size < size:
            self._memory, self.size = np.empty(size + self.ALIGNMENT, np.uint8), size
        start = self._memory.ctypes.data
        return start + -start % self.ALIGNMENT


class _Own(threading.local):
    def __init__(self) -> None:
        self.scratch = Scratch()
        self.workspace = np.empty(0, np.float32)


_own = _Own()


def workspace(*shape: int) -> np.ndarray:
    """A float32 array with anything in it, for what one kernel leaves to the next of the same call.

    It lies in memory that the calling thread keeps and the next call overwrites.
    """
    size = math.prod(shape)
    if _own.workspace.size < size:
        _own.workspace = np.empty(size, np.float32)
    return _own.workspace[:size].reshape(shape)


_wanted = 0
"""Threads in all, the caller included; 0 is not decided yet."""


def own_scratch() -> Scratch:
    """The calling thread's working memory."""
    return _own.scratch


def get_num_threads() -> int:
    """How many threads the kernels use: as set, as $HANDMADE_NUM_THREADS says, or one for every core we may use."""
    global _wanted
    _wanted = _wanted or _from_environment() or _cores()
    return _wanted


def set_num_threads(threads: int) -> None:
    """Use this many threads, the calling one included. Results do not depend on it."""
    if isinstance(threads, bool) or not isinstance(threads, int):
        raise TypeError(f"set_num_threads: expected a whole number, got {threads!r}")
    if threads < 1:
        raise ValueError(f"set_num_threads: expected at least 1 thread, got {threads}")
    global _wanted
    _wanted = threads


def _from_environment() -> int | None:
    given = os.environ.get("HANDMADE_NUM_THREADS", "").strip()
    if not given:
        return None
    if not given.isdecimal() or int(given) < 1:
        raise ValueError(f"HANDMADE_NUM_THREADS is {given!r}, expected a whole number of threads, at least 1")
    return int(given)


def _cores() -> int:
    """The cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
