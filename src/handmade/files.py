"""Where data and weights lie on this machine, and files that appear whole, under their name, or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from handmade.errors import InputError

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; when the block ends well, that file takes the place of `path` at once.

    The content is on the disk before the name points to it, and the name before the block is left. Raises InputError
    when something cannot be written; `path` is then what it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")  # two processes may write the same file
    try:
        yield temporary
        flush(temporary)
        os.replace(temporary, path)
        flush(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if temporary.is_file():
            temporary.unlink()


def write_bytes(path: Path, content: bytes) -> None:
    """Replace the file at `path` by `content`, or raise InputError and leave it."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Replace the file at `path` by `content` as UTF-8, or raise InputError and leave it."""
    write_bytes(path, content.encode())


@contextmanager
def locked(folder: Path, busy: str = "") -> Iterator[None]:
    """Let others who ask for this folder wait until the block ends; a killed process releases it.

    busy: what to raise InputError with, instead of waiting, when another process has the folder. On a file system
    without locks no one waits.
    """
    if fcntl is None:
        yield
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise cannot_write(folder, error) from error
    try:
        _lock(descriptor, busy)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, busy: str) -> None:
    assert fcntl is not None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
    except BlockingIOError:
        raise InputError(busy) from None
    except OSError:  # the file system knows no locks
        pass


def free_path(folder: Path, pattern: str) -> Path:
    """The first path of this pattern that no file has."""
    return next(path for n in count(1) if not (path := folder / pattern.format(n)).exists())


def cannot_write(path: Path, error: OSError) -> InputError:
    """The error that says so, with the system's reason."""
    return InputError(f"cannot write {path}: {error.strerror or error}.")


def flush(path: Path) -> None:
    """Wait until the disk has the file, or the folder's list of names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def cache_folder() -> Path:
    """The user's cache folder, as the platform has it: for downloads and compiled kernels."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("handmade"))


def data_folders() -> list[Path]:
    """The folders that are searched: those of the path list $HANDMADE_DATA, then the user's cache."""
    listed = os.environ.get("HANDMADE_DATA", "").split(os.pathsep)
    return [Path(folder).expanduser() for folder in listed if folder] + [cache_folder()]
