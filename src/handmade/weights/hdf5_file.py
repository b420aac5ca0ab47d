"""HDF5, as Keras writes weights: arrays in groups, named by their path. The library h5py reads it."""

from typing import Any, BinaryIO

import numpy as np

from handmade.errors import InputError
from handmade.weights.npz_file import FREE_SIZE, MAX_EXPANSION
from handmade.weights.pickle_reader import shown
from handmade.weights.storage import DTYPES, native

SIGNATURE = b"\x89HDF\r\n\x1a\n"


def arrays(stream: BinaryIO, source: str, size: int) -> dict[str, np.ndarray]:
    """The arrays in an HDF5 file of `size` bytes, by path; half precision as float32.

    Links to other files are not followed, and arrays whose numbers lie in other files are refused.

    Raises:
        InputError: h5py is not installed, the file is damaged, an array holds other than numbers, or the file
            unpacks to far more than it is.
    """
    try:
        import h5py
    except ImportError:
        raise InputError(f"{source} is an HDF5 file, which h5py reads: pip install 'handmade[hdf5]'") from None

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
