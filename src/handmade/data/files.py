"""Files of data sets: found on this machine by name, or downloaded, and known by their SHA-256."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from handmade.downloading import download
from handmade.errors import InputError
from handmade.files import cache_folder, data_folders
from handmade.reading import cannot_read, read_bytes

PACKAGED = Path(__file__).parent / "packaged"


@dataclass(frozen=True)
class DataFile:
    """A file of a data set.

    `path` is its place in a data folder. `sha256` is the hash of its content; for a .gz, of the uncompressed content,
    since the file may have been compressed again, and `packed_sha256` is the hash of the file at `urls`. A `packaged`
    file comes with handmade, and is looked for nowhere else.
    """

    path: str
    sha256: str
    urls: tuple[str, ...] = ()
    packed_sha256: str = ""
    packaged: bool = False


def find(file: DataFile) -> Path | None:
    """Where `file` is on this machine, compressed or (without .gz) uncompressed; None if it must be downloaded."""
    folders = [PACKAGED] if file.packaged else data_folders()
    for folder in folders:
        for name in (file.path, file.path.removesuffix(".gz")):
            for path in (folder / name, folder / name.replace("-idx", ".idx")):  # some sites' names of MNIST's files
                if path.is_file():
                    return path
    return None


def fetch(file: DataFile) -> Path:
    """Where `file` is on this machine, after downloading it into the user's cache if necessary.

    A download appears under its name only once it is complete and its hash is right. Raises InputError if no URL
    provides the file, with the reason for each, or if the cache cannot be written.
    """
    found = find(file)
    if found:
        return found
    target = cache_folder() / file.path
    reasons = [] if file.urls else ["it has no fixed download address"]
    for url in file.urls:
        reason = download(url, target, file.packed_sha256 or file.sha256)
        if not reason:
            return target
        reasons.append(f"{urlsplit(url).netloc} {reason}")
    searched = ", ".join(map(str, data_folders()))
    raise InputError(
        f"{file.path} is not in {searched} and could not be downloaded: {'; '.join(reasons)}."
        " Go online, or put the file under a folder that HANDMADE_DATA names."
    )


def verify(content: bytes, sha256: str, path: Path) -> None:
    """Raise InputError unless `content`, read from `path`, has the hash recorded in the catalogue."""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise InputError(
            f"{path} is not the expected file (its SHA-256 should be {sha256})."
            " It is damaged or a different version: move it away, and it will be downloaded again."
        )


def read(file: DataFile) -> tuple[bytes, Path]:
    """The verified content of `file` as it is on disk (not uncompressed), and its path."""
    path = fetch(file)
    try:
        content = read_bytes(path)
    except OSError as error:
        raise cannot_read(path, error) from error
    verify(content, file.sha256, path)
    return content, path
