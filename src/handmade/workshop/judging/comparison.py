"""Whether two results are the same, and by how much they differ."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from handmade.workshop.cell.cases import Result
from handmade.workshop.cell.wire import Opaque


def same_result(got: Result, expected: Result, rtol: float, atol: float) -> bool:
    """Whether outputs agree to the tolerance, or both raised an error."""
    if got.outputs is None or expected.outputs is None:
        return got.outputs is expected.outputs
    return all(agree(got.outputs.get(name), value, rtol, atol) for name, value in expected.outputs.items())


def agree(got: Any, expected: Any, rtol: float, atol: float) -> bool:
    """Numbers and arrays of one shape to the tolerance (nan equals nan), sequences part by part, the rest exactly."""
    if _is_float64(got) and _is_float64(expected):  # most are
        return got.shape == expected.shape and _close(got, expected, rtol, atol)
    if isinstance(expected, dict):
        return (
            isinstance(got, dict)
            and got.keys() == expected.keys()
            and all(agree(got[key], expected[key], rtol, atol) for key in expected)
        )
    if isinstance(expected, list | tuple) and not _is_numeric(expected):
        return (
            isinstance(got, list | tuple)
            and len(got) == len(expected)
            and all(agree(a, b, rtol, atol) for a, b in zip(got, expected, strict=True))
        )
    if isinstance(expected, str) or expected is None:
        return type(got) is type(expected) and got == expected
    mine, reference = real_numbers(got), real_numbers(expected)
    if mine is None or reference is None:
        return mine is reference and type(got) is type(expected) and got == expected
    return mine.shape == reference.shape and _close(mine, reference, rtol, atol)


def _is_float64(value: Any) -> bool:
    return type(value) is np.ndarray and value.dtype == np.float64


def real_numbers(value: Any) -> np.ndarray | None:
    """The value as an array of floats, where it is a real number, or an array or nested list of them; None for text,
    complex numbers, numbers too large for a float and everything else."""
    if value is None or isinstance(value, str | bytes | dict | set | Opaque):
        return None
    try:
        array = np.asarray(value)
        if array.dtype.kind == "O" and not all(isinstance(part, int | float | np.number) for part in array.flat):
            return None
        return array.astype(float, copy=False) if array.dtype.kind in "biufO" else None
    except (TypeError, ValueError, OverflowError):
        return None


FLOAT32 = 1e-6  # times an array's largest number: the error allowed for a solution that computes in float32


def _close(mine: np.ndarray, reference: np.ndarray, rtol: float, atol: float) -> bool:
    """Like np.allclose with equal_nan, in a fraction of the time: a verdict compares thousands of small arrays."""
    if not reference.ndim:
        return _close_numbers(float(mine), float(reference), rtol, atol)
    with np.errstate(all="ignore"):
        size = np.abs(reference)
        if math.isfinite(largest := float(np.maximum.reduce(size, axis=None, initial=0.0))):
            allowed = atol + FLOAT32 * largest
            if size.size and abs(mine.item(0) - reference.item(0)) > allowed + rtol * size.item(0):
                return False  # most of what differs does so in the first number
            near = np.abs(mine - reference) <= allowed + rtol * size
            return bool(np.logical_and.reduce(near, axis=None))
        finite = np.isfinite(reference)
        rounding = FLOAT32 * np.max(size, initial=0.0, where=finite)
        near = (np.abs(mine - reference) <= atol + rounding + rtol * size) & finite
        return bool((near | (mine == reference) | ((mine != mine) & (reference != reference))).all())


def _close_numbers(mine: float, reference: float, rtol: float, atol: float) -> bool:
    if not math.isfinite(reference):
        return mine == reference or (mine != mine and reference != reference)
    return abs(mine - reference) <= atol + (FLOAT32 + rtol) * abs(reference)


def largest_difference(got: Sequence[Result], expected: Sequence[Result]) -> float:
    """The largest absolute difference between numbers of results that count as the same, ignoring nan and inf."""
    largest = 0.0
    for mine, reference in zip(got, expected, strict=True):
        for name, value in (reference.outputs or {}).items():
            numbers, right = real_numbers((mine.outputs or {}).get(name)), real_numbers(value)
            if numbers is None or right is None or numbers.shape != right.shape:
                continue
            with np.errstate(all="ignore"):
                difference = np.abs(numbers - right)
            largest = max(largest, float(difference.max(initial=0.0, where=np.isfinite(difference))))
    return largest


def _is_numeric(values: Any) -> bool:
    try:
        return np.asarray(values).dtype.kind in "fiub"
    except ValueError:
        return False
