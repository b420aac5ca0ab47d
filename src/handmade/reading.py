"""Files that came from elsewhere, read with limits: nothing that never ends, too much, or nested too deeply."""

import json
import os
import stat
from io import BufferedReader
from typing import Any

from handmade.errors import InputError

MOST_BYTES = 2**31
"""What is read into memory at once at the most: sounds, pictures, text."""

MOST_JSON = 2**27
"""Bytes of a JSON file; the largest known here, a tokenizer of 50,000 tokens, has two million."""

DEEPEST_JSON = 100
"""Lists and objects inside each other; handmade's own files have eight."""


def open_file(path: str | os.PathLike[str]) -> BufferedReader:
    """Open the file at `path` for reading. Raises OSError as `open` does, InputError for what may never end.

    A pipe without a writer would make `open` wait, a device would be read without end.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(21, "Is a directory", os.fspath(path))
        if not stat.S_ISREG(mode):
            raise InputError(f"{path} is no file but a device or a pipe; expected a file.")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_bytes(path: str | os.PathLike[str], most: int = MOST_BYTES) -> bytes:
    """The content of a file. Raises as `open_file`, and InputError for a file of more than `most` bytes."""
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise InputError(f"{path} has {size:,} bytes, expected at most {most:,}.")
        return file.read(most)


def read_json(path: str | os.PathLike[str]) -> Any:
    """The value in a JSON file. Raises OSError as `open` does, InputError as `parse_json` and `read_bytes`."""
    return parse_json(read_bytes(path, MOST_JSON), os.fspath(path))


def parse_json(text: str | bytes, source: str) -> Any:
    """The value that `text` writes in JSON; InputError, which names `source` and the place, where it is none.

    More than DEEPEST_JSON lists and objects inside each other are refused: what walks through the value recurses.
    """
    try:
        value = json.loads(text.decode("utf-8") if isinstance(text, bytes) else text)
    except UnicodeDecodeError as error:
        raise InputError(f"{source} is not UTF-8: byte {error.start:,} is 0x{error.object[error.start]:02X}.") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{source} is not JSON: line {error.lineno}, column {error.colno}: {error.msg}.") from None
    except RecursionError:
        raise InputError(f"{source} is nested more than {DEEPEST_JSON} levels deep: not handmade's.") from None
    except ValueError as error:  # a number of thousands of digits
        raise InputError(f"{source} is not JSON that can be used: {error}.") from None
    level = [value]
    for _ in range(DEEPEST_JSON):
        level = [item for holder in level if isinstance(holder, list | dict) for item in _items(holder)]
        if not level:
            return value
    raise InputError(f"{source} is nested more than {DEEPEST_JSON} levels deep: not handmade's.")


def _items(holder: list[Any] | dict[str, Any]) -> Any:
    return holder.values() if isinstance(holder, dict) else holder
