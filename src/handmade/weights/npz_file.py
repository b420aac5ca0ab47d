"""NumPy's npz: a zip archive of arrays. Those that hold Python objects are pickles inside, and refused."""

import io
import tokenize
import warnings
import zipfile

import numpy as np

from handmade.errors import InputError
from handmade.weights.pickle_reader import shown
from handmade.weights.storage import DTYPES, native
from handmade.weights.zip_file import zip_entries

MAX_EXPANSION = 20
"""Weights barely compress; an archive that unpacks to more than this many times its size is refused as a bomb."""

FREE_SIZE = 2**20
"""... above this many bytes: small arrays of zeros compress well."""


def arrays(archive: zipfile.ZipFile, source: str, size: int) -> dict[str, np.ndarray]:
    """The arrays in an npz archive of `size` bytes, by name; half precision as float32.

    Raises:
        InputError: the archive is no npz, is damaged, or unpacks to far more than it is.
    """
    entries = zip_entries(archive, source)
    if not entries or not all(entry.filename.endswith(".npy") for entry in entries):
        raise InputError(f"{source} is a zip archive, but neither torch.save's nor NumPy's npz")
    total = sum(entry.file_size for entry in entries)
    if total > max(FREE_SIZE, MAX_EXPANSION * size):
        raise InputError(f"{source} would unpack from {size:,} to {total:,} bytes: refused as a possible bomb")
    return {entry.filename.removesuffix(".npy"): _array(archive.read(entry), entry, source) for entry in entries}


def _array(raw: bytes, entry: zipfile.ZipInfo, source: str) -> np.ndarray:
    name = f"{source}: {shown(entry.filename)}"
    shape, is_fortran, dtype, start = _header(raw, name)
    if dtype.hasobject:
        raise InputError(f"{name} holds Python objects (a pickle); handmade reads arrays and runs nothing")
    if dtype.newbyteorder("=").name not in DTYPES:
        raise InputError(f"{name} is of type {dtype}; expected one of {', '.join(DTYPES)}")
    if any(type(length) is not int or length < 0 for length in shape):
        raise InputError(f"{name} is damaged: no array has the shape {shape}")
    numbers = np.frombuffer(bytearray(raw[start:]), dtype)
    return native(numbers).reshape(shape, order="F" if is_fortran else "C")


def _header(raw: bytes, name: str) -> tuple[tuple[int, ...], bool, np.dtype, int]:
    """Shape, order and type as the array's header says them, and where its numbers begin."""
    stream = io.BytesIO(raw)
    try:
        with warnings.catch_warnings(action="ignore"):  # of headers that only Python 2 could have written
            version = np.lib.format.read_magic(stream)
            if version == (1, 0):
                header = np.lib.format.read_array_header_1_0(stream)
            else:
                header = np.lib.format.read_array_header_2_0(stream)
    except (ValueError, TypeError, SyntaxError, tokenize.TokenError, MemoryError, RecursionError) as error:
        raise InputError(f"{name} is damaged: {shown(str(error))}") from None
    return *header, stream.tell()
