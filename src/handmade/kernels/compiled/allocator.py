"""What becomes of memory that is freed: it stays with the process, for the next step.

An operation's result is a new array. On Linux the C library asks the system for the memory of each large one, and
gives it back when the array is freed; the system clears its pages once more for every step. In a step of the small GPT
that was a quarter of all the time.
"""

import ctypes
import functools
import sys
from contextlib import suppress

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt, in glibc's malloc.h."""
LARGEST = 1 << 25
"""Bytes of an array from which on it gets memory of its own, as before; glibc allows no more."""
KEPT = 1 << 30
"""Bytes of free memory that stay with the process at the most."""


@functools.cache
def keep_freed_memory() -> None:
    """From here on the C library keeps what is freed, where it is glibc; others are left as they are."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # no mallopt: another library
            set_option = ctypes.CDLL(None).mallopt
            set_option(M_MMAP_THRESHOLD, LARGEST)
            set_option(M_TRIM_THRESHOLD, KEPT)
