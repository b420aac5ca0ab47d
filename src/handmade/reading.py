"""Files from elsewhere, read with limits: none that never ends, is too large, or is nested too deeply."""

import json
import os
import stat
import sys
import typing
from collections.abc import Iterable, Mapping
from io import BufferedReader
from types import NoneType, UnionType
from typing import Any, Literal

from handmade.errors import InputError

MOST_BYTES = 2**31
"""The most bytes that are read into memory at once: sounds, pictures, text."""

SMALL = 2**16
"""Bytes that are read of a file whose size the system does not know: it says 0 for those in /proc."""

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
        return file.read(max(size, SMALL))  # Python makes room for all that it is asked to read


def read_start(path: str | os.PathLike[str], most: int) -> bytes:
    """As much as the first `most` bytes of a file. Raises as `open_file`."""
    with open_file(path) as file:
        return file.read(most)


def cannot_read(path: str | os.PathLike[str], error: OSError) -> InputError:
    """The error that says so, with the system's reason."""
    return InputError(f"cannot read {os.fspath(path)}: {error.strerror or error}.")


def read_json(path: str | os.PathLike[str]) -> Any:
    """The value in a JSON file. Raises InputError where it cannot be read, and as `parse_json`."""
    try:
        return parse_json(read_bytes(path, MOST_JSON), os.fspath(path))
    except OSError as error:
        raise cannot_read(path, error) from error


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


def require(value: Any, kinds: Mapping[str, Any], source: str) -> None:
    """Raise InputError, which names `source` and the entry, unless `value` is an object with entries of these kinds.

    kinds: int, float (finite; a whole number, too), bool, str, None, Literal, unions of them, list and dict of them.
    """
    if not isinstance(value, dict):
        raise InputError(f"{source} is {_shown(value)}, expected an object with {', '.join(kinds)}.")
    for name, kind in kinds.items():
        if name not in value:
            raise InputError(f"{source} has no {name}.")
        if not _fits(value[name], kind):
            raise InputError(f"{source}: {name} is {_shown(value[name])}, expected {_in_words(kind)}.")


def _fits(value: Any, kind: Any) -> bool:
    outer, inner = typing.get_origin(kind) or kind, typing.get_args(kind)
    if outer is Literal:
        return isinstance(value, str) and value in inner
    if outer in (UnionType, typing.Union):
        return any(_fits(value, option) for option in inner)
    if outer is float:
        return isinstance(value, int | float) and type(value) is not bool and abs(value) <= sys.float_info.max
    if type(value) is not outer:  # true is no number
        return False
    return all(_fits(item, inner[-1]) for item in _items(value)) if inner else True


WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", NoneType: "null"}
"""What kinds are called."""


def _in_words(kind: Any) -> str:
    outer, inner = typing.get_origin(kind) or kind, typing.get_args(kind)
    if outer is Literal:
        return " or ".join(map(repr, inner))
    if outer in (UnionType, typing.Union):
        return " or ".join(map(_in_words, inner))
    if outer in (list, dict):
        return ("a list" if outer is list else "an object") + (f", each {_in_words(inner[-1])}" if inner else "")
    return WORDS[outer]


def _shown(value: Any) -> str:
    """A value as JSON writes it, where that is short."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) and value else "an object" if value else str(value)
    text = json.dumps(value, default=lambda other: type(other).__name__)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _items(holder: list[Any] | dict[str, Any]) -> Iterable[Any]:
    return holder.values() if isinstance(holder, dict) else holder
