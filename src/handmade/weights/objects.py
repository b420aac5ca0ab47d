"""Checkpoints as Python objects, in the format of PyTorch's `torch.save`: written so that PyTorch reads them, and read
without running anything.

What can be written: tensors and arrays, numbers, strings, None, and lists, tuples and dictionaries of these.
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.files import write_bytes
from handmade.reading import open_file
from handmade.weights import torch_file
from handmade.weights.pickle_names import NumpyArray
from handmade.weights.storage import Foreign, StoredTensor
from handmade.weights.zip_file import damage_reported

STORAGES = {"float32": "FloatStorage", "float64": "DoubleStorage", "int64": "LongStorage", "bool": "BoolStorage"}
Target = str | os.PathLike[str] | BinaryIO


def save(obj: Any, f: Target) -> None:
    """Write an object as `torch.save` does. The file appears whole, under its name, or not at all."""
    writer = _Writer()
    writer.put(obj)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + bytes(writer.code) + b".")
        archive.writestr("archive/byteorder", b"little")
        for key, array in enumerate(writer.storages):
            archive.writestr(f"archive/data/{key}", array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
        archive.writestr("archive/version", b"3\n")
    if isinstance(f, str | os.PathLike):
        write_bytes(Path(f), content.getvalue())
    else:
        f.write(content.getvalue())


def load(f: Target, map_location: Any = None, weights_only: bool = True) -> Any:
    """The object in a file of `torch.save`, with tensors for its tensors. Nothing in the file is run.

    map_location: tensors come to the CPU, wherever they were. Integers of any width become int64, half precision
    float32. Raises InputError if the file is damaged, or holds more than plain data: a whole model, for example.
    """
    if not isinstance(f, str | os.PathLike):
        return _read(f, "the file")
    try:
        with open_file(f) as stream:
            return _read(stream, os.fspath(f))
    except OSError as error:
        raise InputError(f"cannot read {os.fspath(f)}: {error.strerror or error}") from None


def _read(stream: BinaryIO, source: str) -> Any:
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if stream.read(4) == b"PK\x03\x04":
        stream.seek(0)
        with damage_reported(source), zipfile.ZipFile(stream) as archive:
            if torch_file.is_torch_zip(archive):
                file = torch_file.open_zip(archive, source, size)
                return _with_tensors(file, file.content)
    stream.seek(0)
    file = torch_file.open_legacy(stream, source) if size else None
    if file is None:
        raise InputError(f"{source} is not a file of torch.save; handmade.weights.read reads other weights files")
    return _with_tensors(file, file.content)


def _with_tensors(file: torch_file.TorchFile, x: Any) -> Any:
    if isinstance(x, StoredTensor):
        array = file.array(x)
        return Tensor(array.astype(np.float32) if array.dtype == np.float16 else np.array(array))
    if isinstance(x, NumpyArray) and x.array is not None:
        return x.array
    if isinstance(x, Foreign):
        raise InputError(f"{file.source} holds a tensor of {x.dtype}, which NumPy does not have")
    if isinstance(x, dict):
        return {key: _with_tensors(file, value) for key, value in x.items()}
    if isinstance(x, list | tuple):
        return type(x)(_with_tensors(file, part) for part in x)
    return x


class _Writer:
    """The instructions of a pickle (protocol 2) that rebuild an object, and the storages that they name."""

    def __init__(self) -> None:
        self.code = bytearray()
        self.storages: list[np.ndarray] = []

    def put(self, x: Any) -> None:
        if isinstance(x, Tensor | np.ndarray):
            self._tensor(x.array if isinstance(x, Tensor) else x)
        elif x is None:
            self.code += b"N"
        elif isinstance(x, bool | np.bool_):
            self.code += b"\x88" if x else b"\x89"
        elif isinstance(x, int | np.integer):
            self._integer(int(x))
        elif isinstance(x, float | np.floating):
            self.code += b"G" + struct.pack(">d", x)
        elif isinstance(x, str):
            text = x.encode()
            self.code += b"X" + struct.pack("<I", len(text)) + text
        elif isinstance(x, Mapping):
            self.code += b"}("
            for key, value in x.items():
                self.put(key)
                self.put(value)
            self.code += b"u"
        elif isinstance(x, list):
            self.code += b"]("
            for part in x:
                self.put(part)
            self.code += b"e"
        elif isinstance(x, tuple):
            self.code += b"("
            for part in x:
                self.put(part)
            self.code += b"t"
        else:
            raise TypeError(
                f"save: cannot write a {type(x).__name__}; expected tensors, numbers, strings, and lists and "
                "dictionaries of them. For a model: save(model.state_dict(), path)"
            )

    def _integer(self, x: int) -> None:
        raw = x.to_bytes(x.bit_length() // 8 + 1, "little", signed=True)
        if len(raw) > 255:
            raise TypeError(f"save: an integer of {x.bit_length()} bits is too long")
        self.code += b"\x8a" + bytes([len(raw)]) + raw

    def _tensor(self, array: np.ndarray) -> None:
        """torch._utils._rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks)."""
        if array.dtype.name not in STORAGES:
            raise TypeError(f"save: an array of {array.dtype}; expected one of {', '.join(STORAGES)}")
        key = str(len(self.storages))
        self.storages.append(np.ascontiguousarray(array))
        self.code += b"ctorch._utils\n_rebuild_tensor_v2\n(("
        self.put("storage")
        self.code += f"ctorch\n{STORAGES[array.dtype.name]}\n".encode()
        for part in (key, "cpu", array.size):
            self.put(part)
        self.code += b"tQ"
        strides = [1]
        for length in reversed(array.shape[1:]):
            strides.insert(0, strides[0] * max(length, 1))
        for part in (0, array.shape, tuple(strides[: array.ndim]), False):
            self.put(part)
        self.code += b"ccollections\nOrderedDict\n)RtR"
