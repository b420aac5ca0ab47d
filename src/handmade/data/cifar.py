"""CIFAR-10 from its three archives: the binary version, the Python version, and JPEG copies.

The first two hold the original pixels (Krizhevsky 2009). The JPEG copies are lossy: networks trained on the originals
lose about ten percentage points of accuracy on them.
"""

import gzip
import io
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from handmade.data.idx import GZIP_MAGIC
from handmade.data.images import decode_image
from handmade.errors import InputError
from handmade.files import cache_folder, replacing
from handmade.weights.files import read as read_weights
from handmade.weights.pickle_names import NAMES
from handmade.weights.pickle_reader import read_pickle

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
PIXELS = 3 * 32 * 32
BATCHES = {"train": [f"data_batch_{number}" for number in range(1, 6)], "test": ["test_batch"]}

Arrays = tuple[np.ndarray, np.ndarray]
"""Images uint8 (N, 3, 32, 32) and labels int64 (N,)."""


def read_binary(archive: bytes, name: str, split: str) -> Arrays:
    """`split` of the binary version: records of one label and 3,072 pixels, one byte each."""
    wanted = [f"cifar-10-batches-bin/{batch}.bin" for batch in BATCHES[split]]
    content = b"".join(_members(archive, name, wanted))
    if not content or len(content) % (1 + PIXELS):
        raise InputError(f"{name} holds {len(content):,} bytes of {split} data, expected records of {1 + PIXELS:,}.")
    records = np.frombuffer(content, np.uint8).reshape(-1, 1 + PIXELS)
    return records[:, 1:].reshape(-1, 3, 32, 32).copy(), records[:, 0].astype(np.int64)


def read_python(archive: bytes, name: str, split: str) -> Arrays:
    """`split` of the Python version: pickles of {'data': an array, 'labels': a list}, read without running them."""
    wanted = [f"cifar-10-batches-py/{batch}" for batch in BATCHES[split]]
    images, labels = [], []
    for member, content in zip(wanted, _members(archive, name, wanted), strict=True):
        try:
            batch, _ = read_pickle(content, source=member, names=NAMES)
            pixels = batch["data"].array.reshape(-1, 3, 32, 32)
            numbers = np.array(batch["labels"], np.int64)
            if pixels.dtype != np.uint8:
                raise ValueError(f"pixels of type {pixels.dtype}, not uint8")
            if numbers.shape != (len(pixels),):
                raise ValueError(f"{len(pixels)} images with labels of shape {numbers.shape}")
        except Exception as error:  # a pickle may contain anything
            raise InputError(f"{member} in {name} is not a batch of CIFAR-10: {error}.") from error
        images.append(pixels)
        labels.append(numbers)
    return np.concatenate(images), np.concatenate(labels)


def read_jpeg(archive: bytes, name: str, split: str) -> Arrays:
    """`split` of the JPEG copies, <split>/<class>/*.jpg, by class.

    Decoding takes seconds, so the arrays are cached in the user's cache folder, under the archive's checksum.
    """
    kept = cache_folder() / f"cifar10/jpeg-{zlib.crc32(archive):08x}-{split}.npz"
    try:
        arrays = read_weights(kept)
        return arrays["images"], arrays["labels"]
    except (InputError, KeyError):  # not there yet, or damaged
        images, labels = _decode_jpegs(archive, name, split)
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with replacing(kept) as temporary, temporary.open("wb") as file:
            np.savez(file, images=images, labels=labels)
    except (OSError, InputError):
        pass  # no space or no permission to cache them: they are decoded again next time
    return images, labels


def _decode_jpegs(archive: bytes, name: str, split: str) -> Arrays:
    images, labels = [], []
    for member, content in _files(archive, name, split):
        kind = member.split("/")[1]
        if kind in CLASSES:
            image = decode_image(content, f"{member} in {name}")
            if image.shape != (3, 32, 32):
                raise InputError(f"{member} in {name} is {image.shape[1]} x {image.shape[2]} pixels, expected 32 x 32.")
            images.append(image)
            labels.append(CLASSES.index(kind))
    if not images:
        raise InputError(f"{name} holds no {split}/<class>/*.jpg of CIFAR-10's classes.")
    return np.stack(images), np.array(labels, np.int64)


def _members(archive: bytes, name: str, wanted: list[str]) -> list[bytes]:
    """The contents of the members `wanted`, which are in one folder, in that order."""
    folder = wanted[0].partition("/")[0]
    found = {member: content for member, content in _files(archive, name, folder) if member in wanted}
    missing = [member for member in wanted if member not in found]
    if missing:
        raise InputError(f"{name} lacks {', '.join(missing)}.")
    return [found[member] for member in wanted]


def _files(archive: bytes, name: str, folder: str) -> Iterator[tuple[str, bytes]]:
    """Every file under `folder` in a compressed tar archive: its name and its content."""
    packed = io.BytesIO(archive)
    try:
        open_packed: Any = gzip.open if archive[:2] == GZIP_MAGIC else lzma.open
        with open_packed(packed) as unpacked, tarfile.open(fileobj=unpacked, mode="r|") as tar:
            for member in tar:
                file = tar.extractfile(member) if member.name.startswith(folder + "/") else None
                if file:
                    yield member.name, file.read()
            while unpacked.read(2**20):  # to the end, where the checksum of the archive is verified
                pass
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError) as error:
        raise InputError(f"{name} is damaged or not an archive ({error}).") from error


READERS = {
    "cifar-10-binary.tar.gz": read_binary,
    "cifar-10-python.tar.gz": read_python,
    "cifar10-jpeg.tar.xz": read_jpeg,
}
