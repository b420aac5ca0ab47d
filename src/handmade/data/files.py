"""Files of data sets: found on this machine by name, or downloaded, and known by their SHA-256."""

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from handmade.errors import InputError
from handmade.files import cache_folder, data_folders
from handmade.reading import read_bytes

PACKAGED = Path(__file__).parent / "packaged"
TIMEOUT = 15  # seconds without an answer from a server


@dataclass(frozen=True)
class DataFile:
    """A file of a data set.

    `path` is where it lies under a data folder. `sha256` is that of its content; for a .gz, of what it unpacks to,
    since anyone may have packed it anew, and `packed_sha256` is that of the file at `urls`. A `packaged` file comes
    with handmade and is looked for nowhere else.
    """

    path: str
    sha256: str
    urls: tuple[str, ...] = ()
    packed_sha256: str = ""
    packaged: bool = False


def find(file: DataFile) -> Path | None:
    """Where `file` lies on this machine, packed or (without .gz) unpacked; None when it has to be downloaded."""
    folders = [PACKAGED] if file.packaged else data_folders()
    for folder in folders:
        for name in (file.path, file.path.removesuffix(".gz")):
            for path in (folder / name, folder / name.replace("-idx", ".idx")):  # as some sites name MNIST's files
                if path.is_file():
                    return path
    return None


def fetch(file: DataFile) -> Path:
    """Where `file` lies on this machine, downloaded into the user's cache if need be.

    A download appears under its name only when it is whole and its hash is right. Raises InputError when no URL
    gives the file, with each one's reason, or when the cache cannot be written.
    """
    found = find(file)
    if found:
        return found
    reasons = [] if file.urls else ["nobody offers it under a fixed address"]
    for url in file.urls:
        reason = _download(url, file)
        if not reason:
            return cache_folder() / file.path
        reasons.append(f"{urlsplit(url).netloc} {reason}")
    searched = ", ".join(map(str, data_folders()))
    raise InputError(
        f"{file.path} is not in {searched} and could not be downloaded: {'; '.join(reasons)}."
        " Go online, or put the file under a folder that HANDMADE_DATA names."
    )


def _download(url: str, file: DataFile) -> str:
    """Download `file` from `url` into the cache; what went wrong at the server, or ''."""
    import pooch
    from requests import exceptions

    pooch.get_logger().setLevel("WARNING")  # what it says at each download, the progress bar says already
    target = cache_folder() / file.path
    downloader: Any = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=TIMEOUT)
    try:
        pooch.retrieve(url, file.packed_sha256 or file.sha256, target.name, target.parent, downloader=downloader)
    except exceptions.HTTPError as error:
        return f"answered {error.response.status_code if error.response is not None else error}"
    except exceptions.Timeout:
        return "did not answer in time"
    except exceptions.ChunkedEncodingError:
        return "broke off in the middle"
    except exceptions.ConnectionError:
        return "could not be reached"
    except exceptions.RequestException as error:
        return f"failed ({error})"
    except ValueError:
        return "sent a file with another SHA-256"
    except OSError as error:
        raise InputError(f"{target} cannot be written: {error.strerror or error}.") from error
    return ""


def verify(content: bytes, sha256: str, path: Path) -> None:
    """Raise InputError unless `content`, read from `path`, has the hash that the catalogue knows."""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise InputError(
            f"{path} is not the file that the catalogue knows (its SHA-256 should be {sha256})."
            " It is damaged or another version: move it away, and it will be downloaded again."
        )


def read(file: DataFile) -> tuple[bytes, Path]:
    """The verified content of `file` as it lies on disk (not unpacked), and its path."""
    path = fetch(file)
    try:
        content = read_bytes(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    verify(content, file.sha256, path)
    return content, path
