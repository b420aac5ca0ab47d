"""Cases: what a solution is called with, and how. Nothing here knows an answer: a learner's process loads this file."""

import copy
import linecache
import os
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """One call of a solution, or a few that belong together.

    label: what is special about it, as "S_q < S_k": shown where a solution fails on some cases only.
    args: positional arguments; arrays are float64 or int64, other values plain.
    options: keyword arguments.
    function: which of the exercise's functions, where its driver calls one of several; the first by default.
    extra: what the driver needs beside them, as the gradient that arrives from above.
    """

    label: str
    args: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    function: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Raised:
    """What a solution raised: the error's type, its message, the last lines it passed through in the solution, and the
    number of the very last one in the solution's own file."""

    kind: str
    message: str
    trace: str = ""
    line: int | None = None


@dataclass(frozen=True)
class Result:
    """What came of one case: its outputs by name, or the error.

    changed: where arguments were changed in place, as ("args", 0); looked at in a learner's process only.
    """

    outputs: dict[str, Any] | None
    raised: Raised | None = None
    changed: tuple[tuple[str, int | str], ...] = ()


Solution = Mapping[str, Any]
"""A solution's functions and classes by name."""

Driver = Callable[[Solution, Case], Any]


def run_case(driver: Driver, solution: Solution, case: Case, names: tuple[str, ...], torch: bool = False) -> Result:
    """Drive a copy of the case, in tensors where the solution is written with PyTorch."""
    return drive(driver, solution, fresh(case, torch), names)


def fresh(case: Case, torch: bool = False) -> Case:
    """A copy that a solution may do anything to; with PyTorch's tensors in place of arrays, if wanted."""
    known: dict[int, Any] = {}
    case = replace(
        case, args=copied(case.args, known), options=copied(case.options, known), extra=copied(case.extra, known)
    )
    if torch:
        case = replace(case, args=in_tensors(case.args), options=in_tensors(case.options), extra=in_tensors(case.extra))
    return case


def copied(value: Any, known: dict[int, Any]) -> Any:
    """copy.deepcopy(value, known), in a third of its time for what cases are made of: a search for a mend runs on a
    thousand copies."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if id(value) in known:
        return known[id(value)]
    if type(value) is np.ndarray and value.dtype.kind in "biuf":
        new: Any = value.copy("K")
    elif type(value) is dict:
        new = {key: copied(part, known) for key, part in value.items()}
    elif type(value) in (list, tuple):
        new = type(value)([copied(part, known) for part in value])
    else:
        new = copy.deepcopy(value, known)
    known[id(value)] = new
    return new


def drive(driver: Driver, solution: Solution, case: Case, names: tuple[str, ...]) -> Result:
    """What comes of this case. Whatever the solution raises, KeyboardInterrupt aside, becomes a Raised."""
    try:
        return Result(outputs_of(driver, solution, case, names))
    except (Exception, SystemExit) as error:
        return Result(None, raised_by(error))


def outputs_of(driver: Driver, solution: Solution, case: Case, names: tuple[str, ...]) -> dict[str, Any]:
    """What the solution gives on this case, by name."""
    with np.errstate(all="ignore"):
        return plain(named(driver(solution, case), names))


def raised_by(error: BaseException) -> Raised:
    """The error in words, with the last two lines of the solution that it passed through."""
    try:
        message = str(error)[:2000]
    except Exception:
        message = "(its message cannot be shown)"
    libraries = (os.path.dirname(__file__), os.path.dirname(os.__file__), "<frozen")
    lines, last = deque[str](maxlen=2), None
    for frame, number in traceback.walk_tb(error.__traceback__):
        file = frame.f_code.co_filename
        if not file.startswith(libraries) and "-packages" not in file:
            lines.append(f"line {number}, in {frame.f_code.co_name}: {linecache.getline(file, number).strip()}")
            if frame.f_globals.get("__name__") == "solution":
                last = number
    if isinstance(error, SyntaxError) and last is None and isinstance(error.lineno, int):
        last = error.lineno
    return Raised(type(error).__name__, message, "\n".join(lines), last)


def named(returned: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """What was returned, under the names of the outputs. ValueError unless there are as many."""
    values = (returned,) if len(names) == 1 else returned
    if returned is None:
        raise ValueError("returned None: is the return missing?")
    if not isinstance(values, tuple | list) or len(values) != len(names):
        got = f"{len(values)} values" if isinstance(values, tuple | list) else f"one {type(values).__name__}"
        raise ValueError(f"returned {got}, expected {len(names)}: {', '.join(names)}")
    return dict(zip(names, values, strict=True))


def in_tensors(value: Any) -> Any:
    """The same in PyTorch's tensors for arrays."""
    if isinstance(value, np.ndarray):
        import torch

        return torch.from_numpy(value.copy())
    return _mapped(value, in_tensors)


def plain(value: Any) -> Any:
    """The same in arrays for tensors."""
    if hasattr(value, "detach"):
        return value.detach().cpu().numpy()
    return _mapped(value, plain)


def _mapped(value: Any, function: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {key: function(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [function(part) for part in value] if isinstance(value, list) else tuple(map(function, value))
    return value
