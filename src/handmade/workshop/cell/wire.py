"""Plain data across the pipe between judge and learner's process: JSON, never pickle.

What a solution returns was made by its code; to unpickle it would run that code in the judge. Here numbers, texts,
arrays of numbers and the collections of them cross, bit by bit; of anything else only its type's name does.
"""

import base64
import json
import re
import sys
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

LARGEST = 4_000_000  # numbers in one array; no exercise has a thousandth of it
LONGEST_INT = 12_000  # bits; Python writes none of more than 4300 digits

_LISTS = (list, range, deque, type({}.keys()), type({}.values()))


@dataclass(frozen=True)
class Opaque:
    """Something that does not cross: it equals nothing."""

    kind: str


def dumps(value: Any) -> str:
    """One line of text, whatever the value is."""
    return json.dumps(_packed(value), separators=(",", ":"))


def loads(line: str | bytes) -> Any:
    """The value again. ValueError where the line is not one that `dumps` wrote."""
    try:
        return _unpacked(json.loads(line))
    except (TypeError, KeyError, IndexError, RecursionError) as error:
        raise ValueError(f"not a line of data: {error}") from error


def _packed(value: Any) -> Any:
    """JSON, in which a list is [kind, content ...] and everything else stands for itself."""
    if isinstance(value, int) and value.bit_length() > LONGEST_INT:
        return ["opaque", "int"]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if "numpy.ma" in sys.modules and isinstance(value, np.ma.MaskedArray):  # to name it would load it
        return ["opaque", "masked array"]
    if isinstance(value, (np.ndarray, np.generic)):
        return _packed_array(np.asarray(value))
    if isinstance(value, dict):
        return ["dict", [[_packed(key), _packed(part)] for key, part in value.items()]]
    if isinstance(value, tuple):
        return ["tuple", [_packed(part) for part in value]]
    if isinstance(value, _LISTS):
        return ["list", [_packed(part) for part in value]]
    if isinstance(value, set | frozenset):
        return ["set", [_packed(part) for part in value]]
    if isinstance(value, np.random.Generator):
        return ["generator", value.bit_generator.state]
    return ["opaque", type(value).__name__]


def _packed_array(array: np.ndarray) -> list[Any]:
    if array.size > LARGEST:
        return ["opaque", f"array of shape {array.shape}"]
    if array.dtype.kind in "biufc":
        content = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
        return ["array", array.dtype.str, list(array.shape), content]
    if array.dtype.kind == "O":
        return ["objects", list(array.shape), [_packed(part) for part in array.flat]]
    if array.dtype.kind == "U":
        return ["list", array.tolist()] if array.ndim == 1 else ["opaque", f"array of {array.dtype}"]
    return ["opaque", f"array of {array.dtype}"]


def _unpacked(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    kind, *content = value
    match kind:
        case "array":
            dtype, shape, encoded = content
            if not re.fullmatch(r"[<>|=][biufc]\d+", dtype):
                raise ValueError(f"an array of {dtype}")
            return np.frombuffer(base64.b64decode(encoded), dtype).reshape(shape).copy()
        case "objects":
            shape, parts = content
            array = np.empty(len(parts), object)
            array[:] = [_unpacked(part) for part in parts]
            return array.reshape(shape)
        case "dict":
            return {_unpacked(key): _unpacked(part) for key, part in content[0]}
        case "tuple":
            return tuple(_unpacked(part) for part in content[0])
        case "list":
            return [_unpacked(part) for part in content[0]]
        case "set":
            return {_unpacked(part) for part in content[0]}
        case "generator":
            generator = np.random.default_rng(0)
            generator.bit_generator.state = content[0]
            return generator
        case "opaque":
            return Opaque(content[0])
    raise ValueError(f"a value of kind {kind!r}")
