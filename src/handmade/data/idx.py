"""The idx format, used by MNIST and its relatives (LeCun, Cortes and Burges).

    0  0  type  axes | length of each axis, 4 bytes | the numbers, row by row        (all big-endian)

The file may be compressed by gzip. The header is not trusted: sizes are checked against the file before memory is
allocated.
"""

import gzip
import math
import struct
import zlib
from io import BufferedIOBase
from pathlib import Path

import numpy as np

from handmade.data.files import verify
from handmade.errors import InputError
from handmade.reading import cannot_read, open_file

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MOST_AXES = 64  # NumPy's limit
GZIP_MAGIC = b"\x1f\x8b"
GZIP_MAX_RATIO = 1032  # the highest compression ratio of deflate


def read_idx(path: str | Path, sha256: str = "") -> np.ndarray:
    """The array in the idx or idx.gz file at `path`, in this machine's byte order.

    With `sha256`, the hash of the uncompressed content, any other file is rejected. Raises InputError, with the file's
    name, if it is missing, not idx, cut short, longer than its header says, or not valid gzip.
    """
    path = Path(path)
    try:
        with open_file(path) as raw:
            packed = raw.read(2) == GZIP_MAGIC
            most = path.stat().st_size * (GZIP_MAX_RATIO if packed else 1)
            raw.seek(0)
            if not packed:
                return _read(raw, path, most, sha256)
            with gzip.open(raw) as unpacked:
                return _read(unpacked, path, most, sha256)
    except EOFError as error:
        raise InputError(f"{path} is cut short: its gzip stream has no end. Download it again.") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path} is damaged ({error}). Download it again.") from error
    except OSError as error:
        raise cannot_read(path, error) from error


def _read(file: BufferedIOBase, path: Path, most: int, sha256: str) -> np.ndarray:
    """The array in `file`, whose content is at most `most` bytes long."""
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in TYPES:
        known = ", ".join(f"0x{code:02X}" for code in TYPES)
        raise InputError(
            f"{path} is not an idx file: it starts with bytes {start.hex(' ') or '(none)'},"
            f" expected 00 00, a type ({known}) and the number of axes."
        )
    dtype, axes = np.dtype(TYPES[start[2]]), start[3]
    if axes > MOST_AXES:
        raise InputError(f"{path} is damaged: its header says {axes} axes, but an array has at most {MOST_AXES}.")
    lengths = file.read(4 * axes)
    if len(lengths) < 4 * axes:
        raise InputError(f"{path} is cut short: it ends within its header of {4 + 4 * axes} bytes.")
    shape = struct.unpack(f">{axes}I", lengths)
    size = math.prod(shape) * dtype.itemsize
    if size > most:
        raise InputError(
            f"{path} is cut short: its header says {size:,} bytes for shape {shape}, more than the file holds."
        )
    content = file.read(size + 1)
    if len(content) < size:
        raise InputError(f"{path} is cut short: {len(content):,} bytes of {size:,} for shape {shape}.")
    if len(content) > size:
        raise InputError(
            f"{path} has more than the {size:,} bytes that shape {shape} needs: its header does not fit the file."
        )
    if sha256:
        verify(start + lengths + content, sha256, path)
    try:
        return np.frombuffer(content, dtype).reshape(shape).astype(dtype.newbyteorder("="))
    except ValueError as error:  # empty, but with more numbers in its other axes than there are addresses
        raise InputError(f"{path} is damaged: no array has the shape {shape} ({error}).") from error
