"""What the processor at hand can do, and which versions compile for it."""

import functools
import os
from importlib.metadata import PackageNotFoundError, version

WIDTHS = (128, 256, 512)
"""Bits of a vector register: NEON and SSE, AVX2, AVX-512."""


@functools.cache
def processor() -> tuple[str, str]:
    """The processor's name and its features, as LLVM knows them."""
    import llvmlite.binding as llvm

    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


@functools.cache
def vector_bits() -> int:
    """Bits of the vectors that the tile is made of: the widest there are, or what $HANDMADE_VECTOR_BITS says."""
    given = os.environ.get("HANDMADE_VECTOR_BITS", "").strip()
    if given:
        if given not in map(str, WIDTHS):
            raise ValueError(f"HANDMADE_VECTOR_BITS is {given!r}, expected one of {', '.join(map(str, WIDTHS))}")
        return int(given)
    features = processor()[1].split(",")
    if "+avx512f" in features:
        return 512
    return 256 if "+avx2" in features and "+fma" in features else 128


def lanes() -> int:
    """float32 numbers in one vector."""
    return vector_bits() // 32


def registers() -> int:
    """Vector registers that code can name: 32 with AVX-512 and NEON, 16 before."""
    few = vector_bits() < 512 and not processor()[1].count("+neon")
    return 16 if few else 32


@functools.cache
def numba_version() -> str | None:
    """numba's version, or None where it is not installed (it may have no wheel for this Python yet)."""
    try:
        return version("numba")
    except PackageNotFoundError:
        return None


def identity() -> str:
    """All of the machine that compiled code depends on."""
    return "\n".join([*processor(), str(vector_bits()), str(numba_version()), version("llvmlite")])
