"""HDF5, as Keras writes weights: arrays in groups, named by their path. The library h5py reads it.

It reads in a process of its own: libhdf5 is C, and a damaged file can end the process that reads it.
"""

import io
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from handmade.errors import InputError
from handmade.weights.npz_file import FREE_SIZE, MAX_EXPANSION
from handmade.weights.pickle_reader import shown
from handmade.weights.storage import DTYPES, native

SIGNATURE = b"\x89HDF\r\n\x1a\n"
SECONDS = 60
"""How long the reading process may take; g2p's and textgenrnn's files take a tenth of one."""

PROGRAM = """
import sys, types
source, size, *folders = sys.argv[1:]
for name, folder in zip(("handmade", "handmade.weights"), folders):
    sys.modules[name] = package = types.ModuleType(name)
    package.__path__ = [folder]
from handmade.weights.hdf5_file import main
main(source, int(size))
"""
"""What the reading process runs. It imports this file and what that needs, but not the packages around it: all that
they load would take three times as long as the reading."""

REFUSED = 3
"""The exit code of a reading process that refuses the file and says why."""


def arrays(stream: BinaryIO, source: str, size: int) -> dict[str, np.ndarray]:
    """The arrays in an HDF5 file of `size` bytes, by path; half precision as float32.

    Links to other files are not followed, and arrays whose numbers lie in other files are refused.

    Raises:
        InputError: h5py is not installed, the file is damaged, an array holds other than numbers, or the file
            unpacks to far more than it is.
    """
    if find_spec("h5py") is None:
        raise InputError(f"{source} is an HDF5 file, which h5py reads: pip install 'handmade[hdf5]'")
    stream.seek(0)
    here = Path(__file__).parent
    command = [sys.executable, "-c", PROGRAM, source, str(size), str(here.parent), str(here)]
    try:
        child = subprocess.run(command, stdin=stream, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise InputError(f"{source} is a damaged HDF5 file: reading it takes over {SECONDS} seconds") from None
    if child.returncode == REFUSED:
        raise InputError(child.stderr.decode())
    if child.returncode:
        raise InputError(f"{source} is a damaged HDF5 file: its reader ended with {child.returncode}")
    with np.load(io.BytesIO(child.stdout), allow_pickle=False) as found:
        return dict(found)


def main(source: str, size: int) -> None:
    """The reading process: the file as standard input, an npz as standard output."""
    try:
        found = _read(sys.stdin.buffer, source, size)
    except InputError as error:
        sys.stderr.write(str(error))
        sys.exit(REFUSED)
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **found)
    sys.stdout.buffer.write(content.getbuffer())


def _read(stream: BinaryIO, source: str, size: int) -> dict[str, np.ndarray]:
    import h5py

    found: dict[str, Any] = {}

    def collect(name: str, node: object) -> None:
        if isinstance(node, h5py.Dataset):
            found[name] = node

    try:
        with h5py.File(stream, "r") as file:
            file.visititems(collect)
            total = sum(dataset.nbytes for dataset in found.values())
            if total > max(FREE_SIZE, MAX_EXPANSION * size):
                raise InputError(f"{source} would unpack from {size:,} to {total:,} bytes: refused as a possible bomb")
            return {name: _array(dataset, f"{source}: {shown(name)}") for name, dataset in found.items()}
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{source} is a damaged HDF5 file: {shown(str(error))}") from None


def _array(dataset: Any, name: str) -> np.ndarray:
    if dataset.external or dataset.is_virtual:
        raise InputError(f"{name} lies in another file; expected all numbers in this one")
    if dataset.dtype.newbyteorder("=").name not in DTYPES:
        raise InputError(f"{name} is of type {dataset.dtype}; expected one of {', '.join(DTYPES)}")
    return native(np.array(dataset[()]))
