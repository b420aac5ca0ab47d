"""A checkpoint: a tree of dicts and lists, with arrays and plain values as leaves, in one safetensors file.

The arrays are the file's tensors, named by their path in the tree; the rest is JSON in its header, together with a
checksum of both. Python writes a float so that it reads back as the same float, so nothing is lost on the way;
only keys become strings, and tuples lists.
"""

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from handmade.errors import InputError
from handmade.files import write_bytes
from handmade.reading import cannot_read, parse_json

ARRAY = "array:"
"""Marks, in the JSON, where an array stands in the tree; its name follows."""


def save_checkpoint(path: Path, tree: dict[str, Any]) -> None:
    """Write `tree` to `path`, whole or not at all; InputError when it cannot be written."""
    from safetensors.numpy import save

    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(_take_arrays(tree, "", arrays))
    write_bytes(path, save(arrays, {"tree": text, "crc32": _checksum(text, arrays)}))


def load_checkpoint(path: Path) -> dict[str, Any]:
    """The tree that `save_checkpoint` wrote. InputError when the file is missing, cut short or changed."""
    from safetensors import SafetensorError, safe_open

    damaged = f"{path} is damaged or no checkpoint of handmade"
    try:
        with safe_open(str(path), framework="np") as file:
            header = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (a file, not a dict)
    except OSError as error:
        raise cannot_read(path, error) from error
    except (SafetensorError, ValueError) as error:
        raise InputError(f"{damaged} ({error}).") from error
    text = header.get("tree", "")
    if header.get("crc32") != _checksum(text, arrays):
        raise InputError(f"{damaged}: what it holds does not have the checksum that was written with it.")
    tree = parse_json(text, f"the tree of {path}")
    if not isinstance(tree, dict):
        raise InputError(f"{damaged}: its tree is no object.")
    try:
        return _put_arrays(tree, arrays)
    except KeyError as error:
        raise InputError(f"{damaged}: its tree names an array that it does not hold, {error}.") from error


def first_nonfinite(tree: Any, path: str = "") -> str | None:
    """The path of the first array in `tree` that holds a NaN or an infinity; None when all are finite."""
    if isinstance(tree, np.ndarray):
        return None if np.isfinite(tree).all() else path
    for key, value in _items(tree):
        found = first_nonfinite(value, _join(path, key))
        if found is not None:
            return found
    return None


def _take_arrays(tree: Any, path: str, arrays: dict[str, np.ndarray]) -> Any:
    """`tree` for JSON: its arrays put into `arrays`, and marks in their places."""
    if isinstance(tree, np.ndarray):
        arrays[path] = np.ascontiguousarray(tree).reshape(tree.shape)
        return ARRAY + path
    if isinstance(tree, dict):
        return {str(key): _take_arrays(value, _join(path, key), arrays) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_take_arrays(value, _join(path, index), arrays) for index, value in enumerate(tree)]
    return tree


def _put_arrays(tree: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(tree, str) and tree.startswith(ARRAY):
        return arrays[tree.removeprefix(ARRAY)]
    if isinstance(tree, dict):
        return {key: _put_arrays(value, arrays) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_put_arrays(value, arrays) for value in tree]
    return tree


def _items(tree: Any) -> Any:
    if isinstance(tree, dict):
        return tree.items()
    return enumerate(tree) if isinstance(tree, list | tuple) else ()


def _join(path: str, key: object) -> str:
    return f"{path}/{key}" if path else str(key)


def _checksum(text: str, arrays: dict[str, np.ndarray]) -> str:
    total = zlib.crc32(text.encode())
    for name, array in sorted(arrays.items()):
        total = zlib.crc32(f"{name} {array.dtype} {array.shape}".encode(), total)
        total = zlib.crc32(array.tobytes(), total)
    return f"{total:08x}"
