"""Questions: dataclasses whose fields say what they accept. Whatever else comes from a browser is refused.

@dataclass(frozen=True)
class Question:
    text: str = text("To be", longest=64)
    layer: int = whole(0, 0, 63)

asked(Question, b'{"text": "or not"}')
"""

import dataclasses
import json
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from handmade.errors import InputError

LARGEST = 64 << 10
"""Bytes of a question."""

LARGEST_IMAGE = 8 << 20
"""Bytes of an image file."""

AROUND = ("about", "verdict", "predicted")
"""What stands around the pictures, by the names under which it is asked for."""

LONGEST_TEXT = 2_000
LONGEST_LIST = 64

Check = Callable[[Any], Any]
"""Gives what came as the field holds it. ValueError with what was expected where it does not fit."""

Q = TypeVar("Q")


def asked(kind: type[Q], content: bytes) -> Q:
    """The question that `content`, JSON, asks. InputError that names the field that does not fit."""
    if len(content) > LARGEST:
        raise InputError(f"the question has {len(content):,} bytes, expected {LARGEST:,} at most.")
    try:
        given = json.loads(content, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise InputError("the question is not JSON.") from None
    if not isinstance(given, dict):
        raise InputError(f"the question is {_shown(given)}, expected an object.")
    fields = {field.name: field.metadata["check"] for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if unknown := [name for name in given if name not in fields]:
        known = f"it has {', '.join(fields)}" if fields else "it has none"
        raise InputError(f"the question has no field {unknown[0][:40]!r}: {known}.")
    return kind(**{name: _checked(name, fields[name], value) for name, value in given.items()})


def whole(default: int, low: int, high: int) -> Any:
    """A whole number."""

    def check(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return _field(default, check)


def real(default: float, low: float, high: float) -> Any:
    """A number."""
    return _field(default, lambda value: _real(value, low, high))


def text(default: str, longest: int = LONGEST_TEXT) -> Any:
    """A text that Unicode can hold."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or len(value) > longest or any("\ud800" <= c <= "\udfff" for c in value):
            raise ValueError(f"a text of at most {longest:,} characters")
        return value

    return _field(default, check)


def texts(most: int, longest: int = LONGEST_TEXT) -> Any:
    """A few texts, none of them twice; none by default."""

    def check(value: Any) -> tuple[str, ...]:
        fits = isinstance(value, list) and len(value) <= most and all(isinstance(one, str) for one in value)
        if not fits or any(len(one) > longest for one in value) or len(set(value)) < len(value):
            raise ValueError(f"at most {most} different texts of at most {longest:,} characters")
        return tuple(value)

    return _field((), check)


def choice(default: str, *others: str) -> Any:
    """One of a few words."""

    def check(value: Any) -> str:
        if value not in (default, *others) or not isinstance(value, str):
            raise ValueError(f"one of {', '.join((default, *others))}")
        return value

    return _field(default, check)


def flag(default: bool = False) -> Any:
    """Yes or no."""

    def check(value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueError("true or false")
        return value

    return _field(default, check)


def matrix(default: Sequence[Sequence[float]], rows: int, columns: int, largest: float = 1e6) -> Any:
    """Numbers in rows of one length: at most so many rows and columns, each at most `largest` in size."""

    def check(value: Any) -> tuple[tuple[float, ...], ...]:
        fits = isinstance(value, list) and 0 < len(value) <= rows and all(isinstance(row, list) for row in value)
        if not fits or not 0 < len(value[0]) <= columns or any(len(row) != len(value[0]) for row in value):
            raise ValueError(f"1 to {rows} rows of 1 to {columns} numbers each")
        return tuple(tuple(_real(number, -largest, largest) for number in row) for row in value)

    return _field(tuple(tuple(map(float, row)) for row in default), check)


def pairs(most: int = LONGEST_LIST, high: int = 255) -> Any:
    """A list of pairs of whole numbers, as (layer, head); none by default."""

    def check(value: Any) -> tuple[tuple[int, int], ...]:
        fits = isinstance(value, list) and len(value) <= most
        if not fits or any(not isinstance(pair, list) or len(pair) != 2 for pair in value):
            raise ValueError(f"at most {most} pairs of whole numbers")
        if any(type(number) is not int or not 0 <= number <= high for pair in value for number in pair):
            raise ValueError(f"pairs of whole numbers from 0 to {high}")
        return tuple((first, second) for first, second in value)

    return _field((), check)


def named_choices(*options: str, most: int = LONGEST_LIST) -> Any:
    """For some names one of `options` each, as {"layer2.0": "branch"}; none by default."""

    def check(value: Any) -> dict[str, str]:
        if not isinstance(value, dict) or len(value) > most or any(len(name) > 80 for name in value):
            raise ValueError(f"at most {most} names")
        if any(chosen not in options or not isinstance(chosen, str) for chosen in value.values()):
            raise ValueError(f"for each name one of {', '.join(options)}")
        return dict(value)

    return dataclasses.field(default_factory=dict, metadata={"check": check})


def named_numbers(low: float, high: float, most: int = LONGEST_LIST) -> Any:
    """For some names a number each, as {"0.f.12": 0.5}; none by default."""

    def check(value: Any) -> dict[str, float]:
        if not isinstance(value, dict) or len(value) > most or any(len(name) > 80 for name in value):
            raise ValueError(f"at most {most} names")
        return {name: _real(number, low, high) for name, number in value.items()}

    return dataclasses.field(default_factory=dict, metadata={"check": check})


def _field(default: Any, check: Check) -> Any:
    return dataclasses.field(default=default, metadata={"check": check})


def _real(value: Any, low: float, high: float) -> float:
    if type(value) not in (int, float) or not low <= value <= high or not math.isfinite(value):
        raise ValueError(f"a number from {low:g} to {high:g}")
    return float(value)


def _checked(name: str, check: Check, value: Any) -> Any:
    try:
        return check(value)
    except ValueError as error:
        raise InputError(f"{name} is {_shown(value)}, expected {error}.") from None


def _shown(value: Any) -> str:
    said = repr(value)
    return said if len(said) <= 60 else f"{said[:57]}..."


def _no_constant(name: str) -> Any:
    raise ValueError(name)  # NaN and Infinity, which JSON does not have
