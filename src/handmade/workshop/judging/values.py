"""Values as they are written in a verdict: as a person would write them, not as Python represents them."""

from collections.abc import Iterator
from typing import Any

import numpy as np

LONGEST = 1500
"""Characters of one value."""

FULL = 1000
"""Numbers of an array that is written in full."""


def written(value: Any, most: int = 40, columns: int = 100) -> str:
    """A value on one line or several: plain numbers, no np.float64(...), no -0., no array(...).

    most: the numbers of an array that are all written; of more, the first and the last are. columns: of a line.
    """
    if isinstance(value, np.ndarray):
        return _array(value, most, max(columns, 20))
    if isinstance(value, np.generic):
        return written(value.item())
    if isinstance(value, float):
        return repr(value + 0.0)  # -0.0 is 0.0 then
    if isinstance(value, tuple):
        return f"({', '.join(map(written, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{written(key)}: {written(part)}' for key, part in value.items())}}}"
    return repr(value)


def entries(name: str, value: Any, full: bool = False, columns: int = 105) -> Iterator[str]:
    """Lines "name = value"; a collection that holds arrays has one entry for each of its parts: weights[0] = ...

    full: whether all numbers of an array are written. columns: of a line; where they are few, the value begins below
        its name.
    """
    parts = _parts(value)
    if parts is not None and any(isinstance(part, np.ndarray) or _parts(part) is not None for _, part in parts):
        for key, part in parts:
            yield from entries(f"{name}[{key!r}]", part, full, columns)
        return
    below = columns < 60 + len(name)
    indent = " " * (4 if below else len(name) + 5)
    text = written(value, FULL if full else 40, columns - len(indent))
    longest = LONGEST * (4 if full else 1)
    first, *rest = (text if len(text) < longest else text[:longest] + " ...").split("\n")
    head = f"  {name} =\n{indent}{first}" if below and rest else f"  {name} = {first}"
    yield "\n".join([head, *(indent + line for line in rest)])


def _parts(value: Any) -> list[tuple[Any, Any]] | None:
    """Keys and values of a collection that holds an array somewhere; None for everything else."""
    if not isinstance(value, dict | list | tuple) or not _holds_array(value):
        return None
    return list(value.items()) if isinstance(value, dict) else list(enumerate(value))


def _holds_array(value: Any) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    return isinstance(value, np.ndarray) or (isinstance(value, list | tuple) and any(map(_holds_array, value)))


def _array(value: np.ndarray, most: int, columns: int) -> str:
    if value.dtype.kind != "f":
        return np.array2string(value, max_line_width=columns, threshold=most, edgeitems=3)
    largest = np.abs(value).max(initial=0.0, where=np.isfinite(value))
    small = 0 < largest < 1e-2  # suppressed, all of it would be 0
    rounded = value if small else np.round(value, 4) + 0.0
    return np.array2string(
        rounded, precision=4, suppress_small=not small, max_line_width=columns, threshold=most, edgeitems=3
    )
