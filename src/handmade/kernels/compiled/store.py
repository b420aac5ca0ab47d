"""Compiled kernels on disk: a folder for each processor and version, a file for each kernel.

A file holds a checksum and the object code. It appears whole or not at all, so that several processes may compile at
once; one whose checksum is wrong counts as absent and is replaced. Nothing in it is trusted further: it is looked for
under a name made of all it depends on, so a change of the source, of a version or of the processor leads elsewhere.
"""

import functools
import hashlib
import sys
from pathlib import Path

from handmade.errors import InputError
from handmade.files import cache_folder, write_bytes
from handmade.kernels.compiled import machine

_CHECKSUM = hashlib.sha256().digest_size


@functools.cache
def folder() -> Path:
    """Where this source's kernels for this machine lie."""
    stamp = hashlib.sha256(machine.identity().encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        stamp.update(path.name.encode() + path.read_bytes())
    return cache_folder() / "kernels" / stamp.hexdigest()[:16]


def read(name: str) -> bytes | None:
    """The object code of a kernel, or None where it is absent or damaged."""
    try:
        content = (folder() / f"{name}.o").read_bytes()
    except OSError:
        return None
    checksum, code = content[:_CHECKSUM], content[_CHECKSUM:]
    return code if hashlib.sha256(code).digest() == checksum else None


def write(name: str, code: bytes) -> None:
    """Keep a kernel's object code; where that is impossible, say so once and do without."""
    try:
        folder().mkdir(parents=True, exist_ok=True)
        write_bytes(folder() / f"{name}.o", hashlib.sha256(code).digest() + code)
    except (OSError, InputError) as error:
        _say_once(f"handmade: compiled kernels cannot be kept, every process compiles its own: {error}")


@functools.cache
def _say_once(message: str) -> None:
    print(message, file=sys.stderr)
