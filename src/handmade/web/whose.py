"""Whose code computes: the reference, the learner's file, or the reference with one of the exercise's mistakes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from handmade.errors import InputError, printable, suggestion
from handmade.web.bench import Bench
from handmade.web.questions import choice, text
from handmade.workshop.cell.cases import Case, Result
from handmade.workshop.cell.wire import dumps
from handmade.workshop.exercise import Exercise
from handmade.workshop.quiet import QUIET

APART = 1e-5
"""From here on a difference is shown as one: what float32 rounds off is less."""

KEPT = 16
"""Answers of `visible` that are kept."""

CODE = ("reference", "mine", "mistake")


def code() -> Any:
    """The field of a question that says whose code computes."""
    return choice(*CODE)


def fault() -> Any:
    """The field of a question that names the mistake."""
    return text("", longest=80)


@dataclass(frozen=True)
class Computed:
    """What that code gives for some cases, beside what the reference gives.

    outputs: for each case its outputs by name, as float32 of the reference's shapes; None where the code gave no such
        arrays. right: the reference's.
    problem: why there is nothing to show, or why it is not all; empty where all went well.
    printed: what the learner's code printed.
    """

    outputs: list[dict[str, np.ndarray] | None]
    right: list[dict[str, np.ndarray]]
    problem: str = ""
    printed: str = ""

    def stacked(self, name: str, shape: tuple[int, ...], right: bool = False) -> np.ndarray | None:
        """One output of all cases in one array of `shape`; None where a case gave none."""
        results: Sequence[dict[str, np.ndarray] | None] = self.right if right else self.outputs
        found = [result[name] for result in results if result is not None]
        return np.stack(found).reshape(shape) if len(found) == len(results) else None

    def difference(self, name: str) -> float | None:
        """The largest difference from the reference's; infinity where one of them is not finite and the other is."""
        largest = 0.0
        for result, right in zip(self.outputs, self.right, strict=True):
            if result is None:
                return None
            with np.errstate(invalid="ignore"):
                apart = np.atleast_1d(np.abs(result[name].astype(np.float64) - right[name]))
            apart[np.atleast_1d(np.isnan(result[name]) & np.isnan(right[name]))] = 0
            largest = max(largest, float(np.nan_to_num(apart, nan=np.inf).max(initial=0)))
        return largest

    def told(self, *names: str) -> dict[str, Any]:
        """What the page says of it: JSON. A difference that is not finite is the text "nan"."""
        apart = {name: self.difference(name) for name in names}
        difference = {name: "nan" if value == np.inf else value for name, value in apart.items()}
        return {"problem": self.problem, "printed": self.printed, "difference": difference}


def computed(bench: Bench, exercise: Exercise, cases: list[Case], code: str, fault: str = "") -> Computed:
    """What `code`, one of CODE, gives for these cases. InputError for an unknown mistake, or without a file."""
    with QUIET:
        right = [_shown(result)[0] or {} for result in exercise.run(cases)]
    if code == "reference":
        return Computed(list(right), right)
    problem, printed = "", ""
    if code == "mistake":
        if fault not in exercise.faults:
            raise InputError(f"{exercise.name} has no mistake {fault!r}{suggestion(fault, exercise.faults)}")
        with QUIET:
            results = exercise.run(cases, frozenset({fault}))
    else:
        results, findings, printed = bench.run(exercise, cases)
        problem = "\n".join(f"{finding.name}: {finding.message}" for finding in findings)
    outputs: list[dict[str, np.ndarray] | None] = [None] * len(cases)
    for place, (result, correct) in enumerate(zip(results, right, strict=False)):
        outputs[place], said = _shown(result, correct)
        problem = problem or said
    return Computed(outputs, right, printable(problem), printable(printed))


def reference_only(problem: str = "") -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What is told and given, as JSON and arrays, where no other code computes; the problem says why, if it should."""
    return {"problem": problem, "difference": {}}, {}


def visible(exercise: Exercise, cases: list[Case], *names: str) -> list[str]:
    """The exercise's mistakes that can be seen on these cases: they raise nothing, and give other numbers.

    names: the outputs that are shown; all by default.

    Who steps through the mistakes asks this again and again: the last few answers are kept.
    """
    key = (exercise.name, *names, *(dumps(vars(case)) for case in cases))
    if key not in _SEEN:
        while len(_SEEN) >= KEPT:
            _SEEN.pop(next(iter(_SEEN)), None)
        _SEEN[key] = _visible(exercise, cases, names)
    return _SEEN[key]


_SEEN: dict[tuple[str, ...], list[str]] = {}


def _visible(exercise: Exercise, cases: list[Case], names: Sequence[str]) -> list[str]:
    with QUIET:
        right = exercise.run(cases)
        wrong = {fault: exercise.run(cases, frozenset({fault})) for fault in exercise.faults}
    correct = [_shown(result)[0] or {} for result in right]
    seen = []
    for fault, results in wrong.items():
        outputs = [_shown(result, like)[0] for result, like in zip(results, correct, strict=True)]
        if (
            None not in outputs
            and max(Computed(outputs, correct).difference(name) or 0 for name in names or correct[0]) > APART
        ):
            seen.append(fault)
    return seen


def _shown(result: Result, like: dict[str, np.ndarray] | None = None) -> tuple[dict[str, np.ndarray] | None, str]:
    """The outputs as float32, or None and what is wrong with them."""
    if result.outputs is None:
        raised = result.raised
        return None, f"It raises {raised.kind}: {raised.message}" if raised else "It gave nothing."
    outputs = {}
    for name, value in result.outputs.items():
        if isinstance(value, str) and (like is None or name not in like):
            continue  # what an exercise says in words
        parts = value if isinstance(value, list | tuple) else (value,)
        number = all(isinstance(part, bool | int | float | np.generic) for part in parts)
        array = value if isinstance(value, np.ndarray) else np.asarray(value) if number else None
        if array is None or array.dtype.kind not in "biuf":
            return None, f"{name} is {type(value).__name__}, expected an array of numbers."
        if like is not None and name in like and array.shape != like[name].shape:
            return None, f"{name} has shape {array.shape}, expected {like[name].shape}."
        with np.errstate(over="ignore"):
            outputs[name] = array.astype(np.float32)
    return outputs, ""
