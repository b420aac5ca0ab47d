"""Writers of weights files, honest and otherwise."""

import io
import zipfile
from pathlib import Path

import pytest
import torch


@pytest.fixture
def save_torch(tmp_path):
    """Write an object with torch.save: `save_torch(object, zip=..., protocol=...)` gives the path."""

    def write(content, zip: bool = True, protocol: int = 2) -> Path:
        path = tmp_path / "saved.pth"
        torch.save(content, path, _use_new_zipfile_serialization=zip, pickle_protocol=protocol)
        return path

    return write


def zip_with(pickle: bytes, storages: dict[str, bytes] | None = None, **entries: bytes) -> bytes:
    """A torch zip file around any bytes as its pickle."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", pickle)
        for name, content in entries.items():
            archive.writestr(f"archive/{name}", content)
        for key, content in (storages or {}).items():
            archive.writestr(f"archive/data/{key}", content)
    return stream.getvalue()


def legacy_with(pickle: bytes, after: bytes = b"\x80\x02].") -> bytes:
    """A torch legacy file around any bytes as its object's pickle, then the list of storages and what follows it."""
    magic = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
    version = b"\x80\x02M\xe9\x03."
    machine = b"\x80\x02}."
    return magic + version + machine + pickle + after


@pytest.fixture
def forge(tmp_path):
    """Write a torch file around a forged pickle: `forge(pickle, zip=..., storages=...)` gives the path."""

    def write(pickle: bytes, zip: bool = True, storages: dict[str, bytes] | None = None, **entries: bytes) -> Path:
        path = tmp_path / "evil.pth"
        path.write_bytes(zip_with(pickle, storages, **entries) if zip else legacy_with(pickle))
        return path

    return write
