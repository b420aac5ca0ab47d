"""The judge: reads a solution, has it run in the sandbox, and says what is right and which mistake was made."""

import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from handmade.workshop.cell.cases import Result
from handmade.workshop.cell.wire import dumps
from handmade.workshop.cell.worker import Job, Limits
from handmade.workshop.exercise import Exercise
from handmade.workshop.judging.comparison import largest_difference, same_result
from handmade.workshop.judging.counterfactuals import Counterfactuals, Switches
from handmade.workshop.judging.diagnosis import diagnose, raised
from handmade.workshop.judging.mishaps import mishaps
from handmade.workshop.judging.reading import Mistake, Solution, read
from handmade.workshop.judging.sandbox import Outcome, Sandbox


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: a case, or a property of the whole. status: "passed", "failed" or "not run"."""

    name: str
    status: str
    message: str = ""


@dataclass(frozen=True)
class Followed:
    """An accepted convention that a solution follows."""

    name: str
    message: str


@dataclass
class Verdict:
    """What the judge says of one solution.

    seconds: how long the verdict took. printed: the beginning of what the solution printed.
    """

    exercise: str
    passed: bool = False
    mistakes: list[Mistake] = field(default_factory=list)
    conventions: list[Followed] = field(default_factory=list)
    tests: list[Check] = field(default_factory=list)
    seconds: float = 0.0
    printed: str = ""

    def as_json(self) -> dict[str, Any]:
        """The verdict as plain data, under the names `handmade check --json` documents."""
        return {**asdict(self), "seconds": round(self.seconds, 4)}


class Judge:
    """Judges solutions, one after another, in one sandbox that stays warm. Use it in a `with` block."""

    def __init__(self, limits: Limits | None = None, sandbox: Sandbox | None = None) -> None:
        self.limits = limits or Limits()
        self.sandbox = sandbox or Sandbox()
        self._known: dict[str, Counterfactuals] = {}

    def __enter__(self) -> "Judge":
        return self

    def __exit__(self, *_: object) -> None:
        self.sandbox.close()

    def check(self, path: Path, exercise: Exercise) -> Verdict:
        """The verdict on the file at `path`. InputError where there is no such file."""
        begun = time.perf_counter()
        if exercise.name not in self._known:
            self._known[exercise.name] = Counterfactuals(exercise, exercise.all_cases())
        given = self._known[exercise.name]
        solution = read(path, exercise, given.cases)
        verdict = self._refused(solution, exercise) if solution.mistakes else self._judged(solution, given)
        verdict.seconds = time.perf_counter() - begun
        return verdict

    def _refused(self, solution: Solution, exercise: Exercise) -> Verdict:
        """The verdict on a file that is not worth running."""
        first = solution.mistakes[0]
        tests = [Check("the file", "failed", f"{first.name}: {first.message}")]
        return Verdict(exercise.name, mistakes=solution.mistakes, tests=tests)

    def _judged(self, solution: Solution, given: Counterfactuals) -> Verdict:
        verdict = self._tried(solution, given, solution.torch)
        labels = {case.label for case in given.cases}
        if solution.torch and not any(test.status == "passed" for test in verdict.tests if test.name in labels):
            on_arrays = self._tried(solution, given, torch=False)  # it may import PyTorch and work on arrays
            if any(test.status == "passed" for test in on_arrays.tests if test.name in labels):
                return on_arrays
        return verdict

    def _tried(self, solution: Solution, given: Counterfactuals, torch: bool) -> Verdict:
        exercise = given.exercise
        names = tuple(function.__name__ for function in exercise.functions)
        path = str(solution.path.absolute())
        job = Job(path, solution.source, names, exercise.driver, exercise.outputs, given.cases, torch, self.limits)
        outcome = self.sandbox.run(job)
        troubles, mistakes, switches = list(mishaps(outcome, job, exercise)), [], None
        if outcome.ending == "finished":
            if not troubles and not _repeats(outcome, exercise):
                troubles.append(_RANDOM)
            switches = given.explain(outcome.results)
            mistakes = self._explained(switches, outcome.results, given, job)
        followed = [name for name in exercise.conventions if switches and name in switches]
        return Verdict(
            exercise.name,
            passed=outcome.ending == "finished" and not troubles and not mistakes,
            mistakes=troubles + mistakes,
            conventions=[Followed(name, exercise.conventions[name]) for name in followed],
            tests=_cases(outcome, given, frozenset(followed)) + _behaviour(troubles),
            printed=outcome.printed,
        )

    def _explained(
        self, switches: Switches | None, got: list[Result], given: Counterfactuals, job: Job
    ) -> list[Mistake]:
        """The faults that reproduce all results; or those without an error, or those without nan; else a diagnosis."""
        numbers = range(len(got))
        if switches is None:
            whole = [number for number in numbers if got[number].outputs is not None]
            finite = [number for number in whole if _is_finite(got[number])]
            for some in (whole, finite):
                partly = given.explain(got, some) if 0 < len(some) < len(got) else None
                named = [] if partly is None else [*raised(got, given), *_faults(partly, got, given, some)]
                if named:
                    return named
            return diagnose(got, given, lambda cases: self.sandbox.run(replace(job, cases=cases)).results)
        return _faults(switches, got, given, list(numbers))


_RANDOM = Mistake(
    "random output",
    "Called twice with the same arguments it gives two results. Does it draw random numbers of its own, or keep "
    "something from call to call?",
)


def _faults(switches: Switches, got: list[Result], given: Counterfactuals, numbers: list[int]) -> list[Mistake]:
    exercise = given.exercise
    faults = [name for name in exercise.faults if name in switches]
    reference = given[switches]
    difference = largest_difference([got[n] for n in numbers], [reference[n] for n in numbers])
    right = sum(given.agrees(got[number], switches - set(faults), number) for number in numbers)
    together = " and ".join(f"“{name}”" for name in faults)
    evidence = (
        f"Our {exercise.name}, with {together} put in, gives your results on {len(numbers)} of {len(got)} cases, "
        f"{f'to {difference:.0e}' if difference else 'exactly'}; without, on {right}."
    )
    return [
        Mistake(name, " ".join((fault.cause, fault.consequence, fault.mend)), evidence)
        for name, fault in exercise.faults.items()
        if name in faults
    ]


def _is_finite(result: Result) -> bool:
    """Whether no number among the outputs is nan or infinite."""
    arrays = [value for value in (result.outputs or {}).values() if isinstance(value, np.ndarray)]
    return all(np.isfinite(array).all() for array in arrays if array.dtype.kind == "f")


def _repeats(outcome: Outcome, exercise: Exercise) -> bool:
    again, first = outcome.again, outcome.results[0]
    if again is None or again.outputs is None or first.outputs is None:
        return again is None or again.outputs is first.outputs
    return dumps(again.outputs) == dumps(first.outputs) or same_result(again, first, exercise.rtol, exercise.atol)


def _cases(outcome: Outcome, given: Counterfactuals, conventions: Switches) -> list[Check]:
    """One entry a case: it passed, failed, or was not run since the process ended before."""
    checks = []
    for number, case in enumerate(given.cases):
        if number >= len(outcome.results):
            stopped = number == len(outcome.results) and outcome.ending not in ("load", "finished")
            checks.append(Check(case.label, *(("failed", outcome.ending) if stopped else ("not run", ""))))
            continue
        got = outcome.results[number]
        if got.problem is not None:
            checks.append(Check(case.label, "failed", f"{got.problem.kind}: {got.problem.message}"))
        elif given.agrees(got, conventions, number):
            checks.append(Check(case.label, "passed"))
        else:
            checks.append(Check(case.label, "failed", "the result differs"))
    return checks


def _behaviour(troubles: list[Mistake]) -> list[Check]:
    """What it did beside computing: one entry that passed, or one for each thing it should not have done."""
    return [Check(trouble.name, "failed", trouble.message) for trouble in troubles] or [Check("behaviour", "passed")]
