"""Downloads: a file appears under its name once it is whole and is the one that was expected, or not at all."""

import hashlib
import sys
from pathlib import Path
from typing import Any, cast

from handmade.files import replacing
from handmade.terminal import redraws

TIMEOUT = 15  # seconds to wait for a server's answer


def download(url: str, target: Path, sha256: str) -> str:
    """Fetch `url` into `target`. Returns what went wrong on the way, as "answered 404", or "".

    sha256: the hash of the file, or the beginning of it. Raises InputError when `target` cannot be written.
    """
    try:
        with replacing(target) as temporary:
            target.parent.mkdir(parents=True, exist_ok=True)
            _fetch(url, temporary)
            found = sha256_of(temporary)
            if not found.startswith(sha256):
                told = f"its SHA-256 is {found}, expected {shown(sha256)}"
                raise _NotFetched(f"sent another file, or not all of it ({told})")
    except _NotFetched as error:
        return str(error)
    return ""


class _NotFetched(Exception):
    """Something went wrong on the way. Not an OSError, as requests' exceptions are: here that means the disk."""


def _fetch(url: str, path: Path) -> None:
    import pooch
    from requests import exceptions

    downloader = pooch.HTTPDownloader(progressbar=redraws(sys.stderr), timeout=TIMEOUT)
    try:
        downloader(url, str(path), cast(Any, None))
    except exceptions.RequestException as error:
        if error.response is not None:
            error.response.close()
        raise _NotFetched(_reason(error)) from error


def _reason(error: Exception) -> str:
    from requests import exceptions

    if isinstance(error, exceptions.HTTPError) and error.response is not None:
        return f"answered {error.response.status_code}"
    if isinstance(error, exceptions.Timeout):
        return "did not answer in time"
    if isinstance(error, exceptions.ChunkedEncodingError):
        return "broke off in the middle"
    if isinstance(error, exceptions.ConnectionError):
        return "could not be reached"
    return f"failed ({error})"


def sha256_of(path: Path) -> str:
    """The hash of a file's content, as 64 hexadecimal digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def shown(sha256: str) -> str:
    """A hash as messages show it: with dots where only its beginning is known."""
    return sha256 if len(sha256) == 64 else f"{sha256}..."
