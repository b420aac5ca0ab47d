"""PyTorch's files, in both of its formats.

    zip (since PyTorch 1.6)                    legacy (before)
      NAME/data.pkl     the object               pickle   magic number
      NAME/byteorder    "little" or "big"        pickle   1001, the version
      NAME/data/0       numbers of storage 0     pickle   about the machine that wrote it
      NAME/data/1       ...                      pickle   the object
                                                 pickle   the storages' keys, in order
                                                 for each: 8 bytes, how many numbers; the numbers

In both, the object's pickle holds no numbers: a tensor is a view (offset, sizes, strides) of a storage, which it names
by a persistent id ("storage", type, key, device, length).
"""

import mmap
import os
import zipfile
from collections.abc import Callable
from math import prod
from typing import Any, BinaryIO

import numpy as np

from handmade.errors import InputError
from handmade.weights.pickle_names import NAMES, STORAGE_DTYPES
from handmade.weights.pickle_reader import Name, read_pickle, refusal, shown
from handmade.weights.storage import Storage, StoredTensor, decode, item_size
from handmade.weights.zip_file import zip_entries

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_VERSION = 1001
CHUNK = 2**20
PROTOCOL = b"\x80"  # the first byte of a pickle since protocol 2


class TorchFile:
    """An opened file of either format: `content` is the object that was saved, `array` makes arrays of its tensors."""

    def __init__(self, source: str, size: int):
        self.source = source
        self.size = size
        self.content: Any = None
        self.byte_order = "little"
        self.raw: Callable[[Storage], np.ndarray]
        self.storages: dict[str, Storage] = {}
        self._numbers: dict[tuple[str, str], np.ndarray] = {}

    def storage(self, persistent_id: Any) -> Storage:
        """The storage that a persistent id names; the same key must mean the same storage each time."""
        kind, storage_type, key, _, length, *view = persistent_id
        if kind != "storage":
            raise ValueError("a persistent id that is no storage")
        if not isinstance(storage_type, Name) or storage_type.path not in STORAGE_DTYPES:
            raise TypeError("a storage of an unknown number type")
        if not isinstance(key, str) or type(length) is not int or not 0 <= length <= self.size:
            raise ValueError("a storage that is larger than the file")
        storage = Storage(key, STORAGE_DTYPES[storage_type.path], length)
        if self.storages.setdefault(key, storage) != storage:
            raise ValueError(f"two different storages of one key, {shown(key)}")
        return _part(storage, *view)

    def array(self, tensor: StoredTensor) -> np.ndarray:
        """The numbers of a tensor. Each storage is read once; tensors that share it are views of it."""
        key, dtype = tensor.storage.key, tensor.storage.dtype
        if prod(tensor.shape) > self.size:  # an expanded tensor may repeat its numbers, within reason
            raise InputError(f"{self.source}: a tensor of shape {tensor.shape} is larger than the whole file")
        if (key, dtype) not in self._numbers:
            whole = self.storages[key]
            raw = self.raw(whole)
            if len(raw) != whole.length * item_size(whole.dtype):
                raise InputError(f"{self.source} is damaged or cut short at storage {shown(key)}")
            self._numbers[key, dtype] = decode(raw, dtype, self.byte_order)
        return tensor.view(self._numbers[key, dtype])


def _part(storage: Storage, view: Any = None) -> Storage:
    """The part of a storage that the legacy format's view (key, start, length) names; the whole without one."""
    if view is None:
        return storage
    _, start, length = view
    if type(start) is not int or type(length) is not int or not 0 <= start <= start + length <= storage.length:
        raise ValueError("a view that leaves its storage")
    return Storage(storage.key, storage.dtype, start + length, start)


# ---- zip


def is_torch_zip(archive: zipfile.ZipFile) -> bool:
    """Whether a zip archive is a file that torch.save wrote."""
    return any(name.endswith("/data.pkl") for name in archive.namelist())


def open_zip(archive: zipfile.ZipFile, source: str, size: int) -> TorchFile:
    """Read the object in a zip archive of `size` bytes; its storages are read when an array is asked for.

    Raises:
        InputError: the archive is damaged, compressed (PyTorch's never are), or asks for more than data.
    """
    entries = zip_entries(archive, source)
    if any(entry.filename.endswith("/constants.pkl") for entry in entries):
        raise refusal(source, "to be run: it is a TorchScript program")
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise InputError(f"{source} has compressed entries, which PyTorch does not write: refused as a possible bomb")
    if any(entry.compress_size != entry.file_size for entry in entries):
        raise InputError(f"{source} is a damaged zip archive: an entry has two different sizes")
    if sum(entry.file_size for entry in entries) > size:
        raise InputError(f"{source} says that it holds more than its {size:,} bytes: refused as a possible bomb")
    pickles = [entry.filename for entry in entries if entry.filename.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise InputError(f"{source} has {len(pickles)} entries named data.pkl; a PyTorch file has one")
    folder = pickles[0].removesuffix("data.pkl")
    names = set(archive.namelist())

    file = TorchFile(source, size)
    if folder + "byteorder" in names:
        file.byte_order = archive.read(folder + "byteorder").decode("ascii")
    if file.byte_order not in ("little", "big"):
        raise InputError(f"{source} has an unknown byte order, {shown(file.byte_order)!r}")

    def raw(storage: Storage) -> np.ndarray:
        entry = f"{folder}data/{storage.key}"
        expected = storage.length * item_size(storage.dtype)
        if entry not in names or archive.getinfo(entry).file_size != expected:
            raise InputError(f"{source} is damaged: storage {shown(storage.key)} should have {expected:,} bytes")
        numbers = np.empty(expected, np.uint8)
        filled = 0
        with archive.open(entry) as stream:  # compares the checksum at its end
            while piece := stream.read(CHUNK):  # in pieces: a layer may be 400 MB, once is enough
                numbers[filled : filled + len(piece)] = np.frombuffer(piece, np.uint8)
                filled += len(piece)
        return numbers[:filled]

    file.raw = raw
    pickle = archive.read(pickles[0])
    file.content, _ = read_pickle(pickle, source=source, names=NAMES, persistent=file.storage)
    return file


# ---- legacy


def open_legacy(stream: BinaryIO, source: str) -> TorchFile | None:
    """Read the object in a file of the legacy format; None if it is not of this format.

    Raises:
        InputError: the file is damaged, cut short, or asks for more than data.
    """
    size = os.fstat(stream.fileno()).st_size
    file = TorchFile(source, size)
    with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            magic, position = read_pickle(data, source=source, names={})
        except InputError:
            if data[:1] == PROTOCOL:  # a pickle for certain: say what is wrong with it
                raise
            return None
        if magic != LEGACY_MAGIC:
            return None
        version, position = read_pickle(data, position, source=source, names={})
        if version != LEGACY_VERSION:
            raise InputError(f"{source} is of a PyTorch format other than {LEGACY_VERSION}")
        _, position = read_pickle(data, position, source=source, names={})
        file.content, position = read_pickle(data, position, source=source, names=NAMES, persistent=file.storage)
        keys, position = read_pickle(data, position, source=source, names={})
        places = _storage_places(data, position, keys, file)

    def raw(storage: Storage) -> np.ndarray:
        if storage.key not in places:
            raise InputError(f"{source} is damaged: storage {shown(storage.key)} is missing")
        stream.seek(places[storage.key])
        return np.fromfile(stream, np.uint8, storage.length * item_size(storage.dtype))

    file.raw = raw
    return file


def _storage_places(data: mmap.mmap, position: int, keys: Any, file: TorchFile) -> dict[str, int]:
    """Where each storage's numbers begin, checked to lie inside of the file."""
    places: dict[str, int] = {}
    for key in keys if isinstance(keys, list) else [keys]:
        if not isinstance(key, str) or key not in file.storages:
            raise InputError(f"{file.source} is damaged: its list of storages is not that of its tensors")
        storage = file.storages[key]
        length = int.from_bytes(data[position : position + 8], "little")
        places[key] = position + 8
        position += 8 + storage.length * item_size(storage.dtype)
        if length != storage.length or position > len(data):
            raise InputError(f"{file.source} is damaged or cut short at storage {shown(key)}")
    return places
