"""The workshop from Python and from notebooks: everything that the commands do, without a terminal."""

import atexit
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from handmade.errors import InputError
from handmade.workshop.answer import Answer
from handmade.workshop.exercise import Exercise
from handmade.workshop.gathering import Code, file_of
from handmade.workshop.judging.judge import Judge
from handmade.workshop.naming import exercise_meant
from handmade.workshop.trying import Tried, only_case, tried


def check(exercise: str, *solution: Code | str | Path, case: str | None = None, seed: int | None = None) -> Answer:
    """The verdict on a solution, which displays itself: as text, and in notebooks with tables.

        handmade.workshop.check("self_attention", my_function)

    exercise: its name or number.
    solution: the function, whatever it is called, or the functions or the class that the exercise asks for; or the path
        of a file. What the function uses of its notebook or module comes along.
    case: the label of one case, to check that one alone. seed: of the second set of cases.

    It runs in a process of its own, as with `handmade check`; nothing is recorded. Raises InputError for an unknown
    exercise or case, and for a function whose source is not to be had.
    """
    which = exercise_meant(exercise)
    which = which if case is None else only_case(which, case)
    if path := _path(solution):
        return _answer(path, which, seed, first=1)
    return judged(which, _source(which, solution), seed)


def try_(exercise: str, *solution: Code | str | Path, case: str | None = None) -> Tried:
    """What a solution gives on one case, by default the first, shown in full; the right answer is not shown.

    Arguments and errors are those of `check`.
    """
    which = exercise_meant(exercise)
    if path := _path(solution):
        return tried(path, which, case, _judge().sandbox)
    return tried_source(which, _source(which, solution), case)


def statement(exercise: str) -> str:
    """What is to be written."""
    which = exercise_meant(exercise)
    return f"{which.title}\n\n{which.statement}\n\nPaper: {which.paper}."


def stub(exercise: str) -> str:
    """The source to begin with."""
    from handmade.workshop.source import stub as written

    return written(exercise_meant(exercise))


def hint(exercise: str, number: int = 1) -> str:
    """The first, second or third hint; each gives more away."""
    hints = exercise_meant(exercise).hints
    if not 1 <= number <= len(hints):
        raise InputError(f"there is no hint {number}: expected 1 to {len(hints)}.")
    return hints[number - 1]


def solution(exercise: str) -> str:
    """Our source."""
    from handmade.workshop.source import solution as written

    return written(exercise_meant(exercise))


def judged(exercise: Exercise, source: str, seed: int | None = None) -> Answer:
    """The verdict on a solution's source."""
    with tempfile.TemporaryDirectory(prefix="handmade-") as folder:
        return _answer(_written(folder, exercise, source), exercise, seed, first=2)


def tried_source(exercise: Exercise, source: str, case: str | None = None) -> Tried:
    """What a solution's source gives on one case."""
    with tempfile.TemporaryDirectory(prefix="handmade-") as folder:
        return tried(_written(folder, exercise, source), exercise, case, _judge().sandbox)


def _answer(path: Path, exercise: Exercise, seed: int | None, first: int) -> Answer:
    """The verdict on the file at `path`, of which a person wrote the lines from `first` on."""
    verdict = _judge().check(path, exercise, seed)
    return Answer(verdict, exercise, path.read_text("utf-8", "replace"), first)


def _path(solution: tuple[Any, ...]) -> Path | None:
    """The file that is named, if one is: it is judged where it is, beside its own modules."""
    return Path(solution[0]) if solution and isinstance(solution[0], str | Path) else None


def _source(exercise: Exercise, solution: tuple[Any, ...]) -> str:
    if not solution:
        raise InputError(f"check needs the solution, too: check({exercise.name!r}, my_function).")
    for one in solution:
        if not callable(one):
            raise InputError(f"the solution is {one!r}, expected a function, a class or the path of a file.")
    return file_of(solution, tuple(function.__name__ for function in exercise.functions))


def _written(folder: str, exercise: Exercise, source: str) -> Path:
    path = Path(folder, f"{exercise.name}.py")
    path.write_text(source, "utf-8")
    return path


@cache
def _judge() -> Judge:
    """One judge for the whole session, whose process stays warm."""
    judge = Judge()
    atexit.register(judge.sandbox.close)
    return judge
