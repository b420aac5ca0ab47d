"""The smallest case that still fails: a failing case is reduced by cutting axes and rounding numbers while it fails."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from handmade.workshop.cell.cases import Case, Result
from handmade.workshop.exercise import Exercise
from handmade.workshop.judging.comparison import agree
from handmade.workshop.judging.counterfactuals import RIGHT, Counterfactuals
from handmade.workshop.judging.signatures import parameter_name
from handmade.workshop.judging.trial import Trial
from handmade.workshop.judging.values import entries

Rerun = Callable[[list[Case]], list[Result]]
"""Runs the solution on other cases."""

ROUNDS = 2


@dataclass(frozen=True)
class Example:
    """A case on which a solution is wrong: what it returned, and what is right."""

    case: Case
    got: Result
    expected: Result


def smallest(trial: Trial, rerun: Rerun) -> Example | None:
    """An example as small as it was found."""
    failing = [number for number in trial.numbers if not trial.agrees(number)]
    if not failing:
        return None
    number = min(failing, key=lambda n: (trial.results[n].raised is not None, _volume(trial.case(n))))
    found = Example(trial.case(number), trial.results[number], trial.reference.result(RIGHT, number))
    for _ in range(ROUNDS):
        smaller = _first_that_fails(list(_smaller(found.case)), trial.exercise, rerun, found.got.raised is not None)
        if smaller is None:
            break
        found = smaller
    return found


def describe(found: Example, exercise: Exercise) -> str:
    """The case's arguments, what is expected and what was got, one below the other."""
    case, got = found.case, found.got
    lines = [f"On a smallest case, {case.function or exercise.functions[0].__name__} with"]
    values = {parameter_name(exercise, case, "args", n): value for n, value in enumerate(case.args)}
    for name, value in {**values, **case.options, **case.extra}.items():
        lines += entries(name, value)
    for name, value in (found.expected.outputs or {}).items():
        if got.outputs is None:
            lines += entries(f"expected {name}", value)
            continue
        mine = got.outputs.get(name)
        if not agree(mine, value, exercise.rtol, exercise.atol):
            lines += [*entries(f"expected {name}", value), *entries(f"your {name}", mine)]
    if got.raised is not None:
        lines.append(f"  your code raises {got.raised.kind}: {got.raised.message}")
    return "\n".join(lines)


def _first_that_fails(cases: list[Case], exercise: Exercise, rerun: Rerun, raises: bool) -> Example | None:
    """The first of these cases on which the reference works and the solution fails in the same way as before."""
    reference = Counterfactuals(exercise, cases)
    possible = [number for number in range(len(cases)) if _shows_something(reference.result(RIGHT, number))]
    if not possible:
        return None
    mine = rerun([cases[number] for number in possible])
    for number, result in zip(possible, mine, strict=False):
        if (result.raised is not None) == raises and not reference.agrees(result, RIGHT, number):
            return Example(cases[number], result, reference.result(RIGHT, number))
    return None


def _smaller(case: Case) -> Iterator[Case]:
    """Cases that are one step smaller, the smallest first: axes cut and numbers rounded, axes cut, numbers rounded.

    Axes of equal size are cut together, since they are usually the same axis.
    """
    sizes = sorted({size for array in _arrays(case) for size in array.shape if size > 1}, reverse=True)
    largest = max((int(array.max(initial=0)) for array in _arrays(case) if array.dtype.kind in "iu"), default=0)

    def possible(new: Callable[[int], int]) -> bool:
        """Whether gates still have 3 or 4 times a state's size, and lengths and places are still within an axis."""
        gates = all(new(a) == a // b * new(b) for a in sizes for b in sizes if a % b == 0 and a // b in (3, 4))
        return gates and largest <= max(map(new, sizes), default=0)

    cuts = [(size, shorter) for shorter in (1, 2) for size in sizes if shorter < size]
    cuts = [(a, b) for a, b in cuts if possible(lambda size, a=a, b=b: b if size == a else size)]
    rounded = _mapped(case, _rounded)
    if sizes and possible(lambda size: min(size, 2)):
        yield _mapped(rounded, lambda array: _cut_to(array, 2))
        yield _mapped(case, lambda array: _cut_to(array, 2))
    for size, shorter in cuts:
        yield _mapped(rounded, lambda array, size=size, shorter=shorter: _cut(array, size, shorter))
        yield _mapped(case, lambda array, size=size, shorter=shorter: _cut(array, size, shorter))
    if any(not np.array_equal(a, b) for a, b in zip(_arrays(case), _arrays(rounded), strict=True)):
        yield rounded


def _cut(array: np.ndarray, size: int, shorter: int) -> np.ndarray:
    return array[tuple(slice(shorter) if length == size else slice(None) for length in array.shape)]


def _cut_to(array: np.ndarray, longest: int) -> np.ndarray:
    return array[(slice(longest),) * array.ndim]


def _rounded(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind != "f":
        return array
    if array.size and array.min() >= 0 and array.max() < 1:  # random numbers, shares: they stay that
        return np.floor(4 * array) / 4
    return np.clip(np.round(2 * array), -5, 5)


def _mapped(case: Case, function: Callable[[np.ndarray], np.ndarray]) -> Case:
    def mapped(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return function(value)
        if isinstance(value, dict):
            return {key: mapped(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(mapped(part) for part in value)
        return value

    return replace(case, args=mapped(case.args), options=mapped(case.options), extra=mapped(case.extra))


def _arrays(value: Any) -> list[np.ndarray]:
    if isinstance(value, Case):
        return _arrays([value.args, value.options, value.extra])
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [array for part in value for array in _arrays(part)] if isinstance(value, list | tuple) else []


def _volume(case: Case) -> int:
    return sum(array.size for array in _arrays(case))


def _shows_something(result: Result) -> bool:
    """Whether the right outputs are finite, and not empty."""
    arrays = _arrays(result.outputs) if result.outputs is not None else []
    finite = all(a.dtype.kind in "iub" or np.isfinite(a).all() for a in arrays)
    return result.outputs is not None and finite and (not arrays or any(array.size for array in arrays))
