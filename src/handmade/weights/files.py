"""Weights in files: one dictionary of arrays by name, whatever the format."""

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from handmade.errors import InputError
from handmade.files import replacing
from handmade.reading import cannot_read, open_file, parse_json
from handmade.weights import hdf5_file, npz_file, torch_file
from handmade.weights.pickle_names import NumpyArray
from handmade.weights.pickle_reader import shown
from handmade.weights.storage import BFLOAT16, DTYPES, Foreign, StoredTensor, decode
from handmade.weights.zip_file import damage_reported

WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "params", "weights")
"""Under which key training scripts keep the weights, beside the optimizer's state and the like."""

AVERAGED = "n_averaged"
"""How many weights torch's AveragedModel has averaged: a number beside the names, which all begin with `module.`"""

PREFIXES = ("module.", "_orig_mod.")
"""What torch's DataParallel and compile put before every name."""

SAFETENSORS_DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": BFLOAT16,
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
}


def read(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """The arrays in a weights file, by name: safetensors, torch.save's files (both formats), NumPy's npz, Keras's HDF5.

    The content decides the format, not the name. Nothing in the file is executed. Checkpoints are unwrapped
    ({"state_dict": ...}, {"model": ...}; any key under which alone arrays lie); `module.` and `_orig_mod.` before
    every name are removed, and the counter of an averaged model. float16 and bfloat16 become float32.

    Raises:
        InputError: the file cannot be read, is damaged or cut short, is of another format, holds no arrays, or asks
            to run something.
    """
    source = os.fspath(path)
    try:
        with open_file(path) as stream:
            content = _content(stream, source)
    except OSError as error:
        raise cannot_read(source, error) from None
    return _without_prefixes(content)


def save(path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by name as safetensors. The file appears whole, under its name, or not at all.

    Raises:
        TypeError: an array holds something other than numbers that the format has.
        InputError: the file cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    plain = {name: _plain(name, array) for name, array in arrays.items()}
    try:
        with replacing(Path(path)) as temporary:
            temporary.touch()
            mode = temporary.stat().st_mode
            save_file(plain, temporary)
            temporary.chmod(mode)  # the library makes files that only their owner may read
    except SafetensorError as error:
        raise InputError(f"cannot write the weights file {path}: {error}") from None


def _content(stream: BinaryIO, source: str) -> dict[str, np.ndarray]:
    size = os.fstat(stream.fileno()).st_size
    start = stream.read(9)
    stream.seek(0)
    if start.startswith(b"PK\x03\x04"):
        with damage_reported(source), zipfile.ZipFile(stream) as archive:
            if torch_file.is_torch_zip(archive):
                return _arrays(torch_file.open_zip(archive, source, size))
            return npz_file.arrays(archive, source, size)
    if start.startswith(hdf5_file.SIGNATURE):
        return hdf5_file.arrays(stream, source, size)
    if start[8:] == b"{":
        return _safetensors(stream, source)
    file = torch_file.open_legacy(stream, source) if size else None
    if file is None:
        raise InputError(
            f"{source} is not a weights file that handmade can read (safetensors, torch.save, npz, HDF5): "
            f"it has {size:,} bytes and begins with {start!r}"
        )
    return _arrays(file)


def _safetensors(stream: BinaryIO, source: str) -> dict[str, np.ndarray]:
    """The library checks the header (sizes, overlaps, the file's length); the numbers are read here, for bfloat16."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(source, framework="np"):
            pass
    except SafetensorError as error:
        raise InputError(f"{source} is a damaged safetensors file: {shown(str(error))}") from None
    header_length = int.from_bytes(stream.read(8), "little")
    header = parse_json(stream.read(header_length), f"{source}: its header")
    header.pop("__metadata__", None)
    arrays = {}
    for name, entry in header.items():
        if entry["dtype"] not in SAFETENSORS_DTYPES:
            raise InputError(f"{source}: {shown(name)} is of type {entry['dtype']}, which handmade does not compute in")
        begin, end = entry["data_offsets"]
        stream.seek(8 + header_length + begin)
        raw = np.fromfile(stream, np.uint8, end - begin)
        try:
            arrays[name] = decode(raw, SAFETENSORS_DTYPES[entry["dtype"]]).reshape(entry["shape"])
        except (ValueError, OverflowError) as error:  # of 65 axes, or of more numbers than there are addresses
            raise InputError(f"{source}: {shown(name)} is of no shape that arrays have ({error})") from None
    return arrays


def _arrays(file: torch_file.TorchFile) -> dict[str, np.ndarray]:
    """The arrays of a PyTorch file's object; what else a checkpoint keeps beside them (an epoch, a loss) is left."""
    content = _state_dict(file.content)
    found = {}
    for name, value in content.items():
        if isinstance(value, StoredTensor):
            found[name] = file.array(value)
        elif isinstance(value, NumpyArray) and value.array is not None:
            found[name] = value.array
        elif isinstance(value, Foreign):
            raise InputError(f"{file.source}: {shown(str(name))} is of type {value.dtype}, which NumPy does not have")
    if not found or not all(isinstance(name, str) for name in found):
        keys = ", ".join(shown(str(key), 40) for key in list(file.content)[:8]) if _is_dict(file.content) else "none"
        raise InputError(
            f"{file.source} holds no arrays by name (its keys: {keys}); expected a state dict, or one under "
            f"{' or '.join(map(repr, WRAPPERS))}"
        )
    return found


def _state_dict(content: Any) -> dict[Any, Any]:
    """The dictionary of arrays in what a training script saved: the object itself, or what lies under a key of it."""
    for _ in range(2):
        inner = [content[key] for key in WRAPPERS if _is_dict(content) and _is_dict(content.get(key))]
        content = inner[0] if inner else content
    if not _is_dict(content):
        return {}
    if not _holds_arrays(content):
        inner = [value for value in content.values() if _is_dict(value) and _holds_arrays(value)]
        content = inner[0] if len(inner) == 1 else content
    return content


def _is_dict(value: Any) -> bool:
    return isinstance(value, dict)


def _holds_arrays(content: dict[Any, Any]) -> bool:
    return any(isinstance(value, StoredTensor | NumpyArray | Foreign) for value in content.values())


def _without_prefixes(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    if AVERAGED in arrays and all(name.startswith("module.") for name in arrays if name != AVERAGED):
        arrays = {name: array for name, array in arrays.items() if name != AVERAGED}
    for prefix in PREFIXES * 2:  # either may be around the other
        if arrays and all(name.startswith(prefix) for name in arrays):
            arrays = {name.removeprefix(prefix): array for name, array in arrays.items()}
    return arrays


def _plain(name: str, array: np.ndarray) -> np.ndarray:
    """The array in C order and this machine's byte order, as safetensors wants it."""
    array = np.asarray(array, order="C")
    if array.dtype.name not in DTYPES:
        raise TypeError(f"save: {name} is of type {array.dtype}; expected one of {', '.join(DTYPES)}")
    return array.astype(array.dtype.newbyteorder("="), copy=False)
