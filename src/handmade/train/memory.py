"""How the C library treats memory that NumPy frees."""

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""mallopt's names for: give free memory back above so many bytes; take blocks of so many from the system directly."""
KEPT = 1 << 29


def keep_freed_memory() -> None:
    """Keep up to half a GiB of freed memory for the next arrays.

    A training step makes and frees hundreds of arrays of about a megabyte. By default glibc takes each from the system
    again, and zeroing its pages costs a small network a third of its time. On systems other than Linux this does
    nothing.
    """
    if not sys.platform.startswith("linux"):
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):  # musl has none
        library.mallopt(MMAP_THRESHOLD, KEPT)
        library.mallopt(TRIM_THRESHOLD, KEPT)
