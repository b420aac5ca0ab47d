"""The judge: reads a solution, has it run in the sandbox, and says what is right and which mistake was made."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from handmade.errors import InputError, JudgeError
from handmade.workshop.cell.cases import Case, Result
from handmade.workshop.cell.job import Job, Limits
from handmade.workshop.cell.wire import dumps
from handmade.workshop.exercise import Exercise
from handmade.workshop.judging.comparison import largest_difference, same_result
from handmade.workshop.judging.counterfactuals import Counterfactuals, Switches
from handmade.workshop.judging.diagnosis import diagnose, errors
from handmade.workshop.judging.drawing import as_it_stands
from handmade.workshop.judging.mishaps import mishaps
from handmade.workshop.judging.outcome import Outcome
from handmade.workshop.judging.reading import Solution, read
from handmade.workshop.judging.sandbox import Sandbox
from handmade.workshop.judging.shown import shown
from handmade.workshop.judging.trial import Trial
from handmade.workshop.judging.verdict import COMPUTES_ONLY, Check, Finding, Followed, Verdict
from handmade.workshop.quiet import QUIET

if TYPE_CHECKING:
    from handmade.workshop.judging.pointing import Pointed, Pointer


class Judge:
    """Judges solutions, one after another, in one sandbox that stays warm. Use it in a `with` block.

    thorough: whether it searches at length for the mend of a mistake that is not listed.
    saying: called with what it is doing, in a few words, before that takes long.
    """

    def __init__(self, limits: Limits | None = None, sandbox: Sandbox | None = None, thorough: bool = True) -> None:
        self.limits = limits or Limits()
        self.thorough = thorough
        self.sandbox = sandbox or Sandbox()
        self.saying: Callable[[str], None] = lambda what: None
        self._known: dict[str, Counterfactuals] = {}

    @cached_property
    def pointer(self) -> "Pointer":
        """What finds the lines of mistakes; loaded for the first one."""
        from handmade.workshop.judging.pointing import Pointer

        return Pointer(self.sandbox.run)

    def __enter__(self) -> "Judge":
        return self

    def __exit__(self, *_: object) -> None:
        self.sandbox.close()

    def check(self, path: Path, exercise: Exercise, seed: int | None = None) -> Verdict:
        """The verdict on the file at `path`. InputError where there is no such file; JudgeError where the judge fails.

        seed: of the second set of cases, which a solution that is right on the first must pass, too; drawn by default.
        """
        begun = time.perf_counter()
        try:
            with QUIET:
                verdict = self._check(path, exercise, int.from_bytes(os.urandom(4)) if seed is None else seed)
        except (InputError, KeyboardInterrupt):
            raise
        except Exception as error:
            raise JudgeError(path) from error
        verdict.seconds = time.perf_counter() - begun
        return shown(verdict)

    def _check(self, path: Path, exercise: Exercise, seed: int) -> Verdict:
        known = self._known.get(exercise.name)
        if known is None or known.exercise is not exercise:  # it may be one with some of the cases only
            self._known[exercise.name] = Counterfactuals(exercise, exercise.all_cases())
        reference = self._known[exercise.name]
        solution = read(path, exercise, reference.cases)
        if solution.findings:
            drawing = self._job(solution, reference, solution.torch)
            names = (*exercise.outputs, "drawn")
            return as_it_stands(
                solution,
                exercise,
                reference.cases,
                lambda cases: self.sandbox.run(replace(drawing, driver="drawn_inside", outputs=names, cases=cases)),
            ) or self._refused(solution, exercise)
        verdict, torch = self._judged(solution, reference)
        return self._again_on_other_cases(solution, verdict, exercise, torch, seed) if verdict.passed else verdict

    def _refused(self, solution: Solution, exercise: Exercise) -> Verdict:
        """The verdict on a file that is not worth running."""
        first = solution.findings[0]
        tests = [Check("the file", "failed", f"{first.name}: {first.message}")]
        return Verdict(exercise.name, findings=solution.findings, tests=tests)

    def _judged(self, solution: Solution, reference: Counterfactuals) -> tuple[Verdict, bool]:
        """The verdict, and whether the solution got tensors."""
        job = self._job(solution, reference, solution.torch)
        outcome = self.sandbox.run(job)
        if solution.torch and not _is_right_somewhere(outcome, reference):
            on_arrays = self._job(solution, reference, torch=False)  # it may import PyTorch and work on arrays
            given = self.sandbox.run(on_arrays)
            if _is_right_somewhere(given, reference):
                return self._told(on_arrays, given, reference), False
        return self._told(job, outcome, reference), solution.torch

    def _told(self, job: Job, outcome: Outcome, reference: Counterfactuals) -> Verdict:
        """The verdict on what came of the job."""
        exercise, trial = reference.exercise, Trial.of(reference, outcome.results)
        troubles, wrong, switches = list(mishaps(outcome, job, exercise)), [], None
        if outcome.ending == "finished":
            if not troubles and not _repeats(outcome, exercise):
                troubles.append(_RANDOM)
            switches = trial.explain()
            wrong = self._with_lines(self._explained(switches, trial, job), trial, job, mending=not troubles)
        followed = [name for name in exercise.conventions if switches and name in switches]
        return Verdict(
            exercise.name,
            passed=outcome.ending == "finished" and not troubles and not wrong,
            findings=troubles + wrong,
            conventions=[Followed(name, exercise.conventions[name]) for name in followed],
            tests=_cases(outcome, trial, frozenset(followed)) + _behaviour(troubles),
            printed=outcome.printed,
        )

    def _again_on_other_cases(
        self, solution: Solution, verdict: Verdict, exercise: Exercise, torch: bool, seed: int
    ) -> Verdict:
        """The verdict on a solution that is right on the first set of cases, after a second that nobody has seen."""
        reference = Counterfactuals(exercise, exercise.all_cases(seed))
        job = self._job(solution, reference, torch)
        outcome = self.sandbox.run(job)
        troubles = list(mishaps(outcome, job, exercise))
        trial = Trial.of(reference, outcome.results)
        switches = frozenset(followed.name for followed in verdict.conventions)
        wrong = trial.on(number for number in trial.numbers if not trial.agrees(number, switches))
        if outcome.ending == "finished" and not troubles and not wrong.numbers:
            return replace(verdict, seed=seed, tests=[*verdict.tests, Check(_OTHER_CASES, "passed")])
        if wrong.numbers and not troubles:
            troubles = [self._only_on_known_cases(trial, job, seed, bool(switches))]
        tests = [*verdict.tests, Check(_OTHER_CASES, "failed", troubles[0].message if troubles else outcome.ending)]
        return replace(verdict, passed=False, seed=seed, findings=troubles, tests=tests)

    def _only_on_known_cases(self, trial: Trial, job: Job, seed: int, conventions: bool) -> Finding:
        """What is wrong on the second set, in detail where the solution follows no convention but ours."""
        found = [] if conventions else diagnose(trial, lambda cases: self._results(job, cases))
        found = self._with_lines(found, trial, job)
        said = f" {found[0].name}: {found[0].message}" if found else ""
        message = (
            f"It is right on the cases that are always the same, and wrong on others like them, drawn with seed {seed}."
            f"{said}"
        )
        if not found:
            return Finding("right on the known cases only", message)
        return replace(found[0], name="right on the known cases only", message=message)

    def _results(self, job: Job, cases: list[Case]) -> list[Result]:
        """What the solution gives on other cases."""
        return self.sandbox.run(replace(job, cases=cases)).results

    def _job(self, solution: Solution, reference: Counterfactuals, torch: bool) -> Job:
        return solution.job(reference.exercise, reference.cases, self.limits, torch)

    def _explained(self, switches: Switches | None, trial: Trial, job: Job) -> list[Finding]:
        """The faults that reproduce all results; or those without an error, or those without nan; else a diagnosis."""
        if switches is not None:
            return _faults(switches, trial)
        whole = trial.on(number for number in trial.numbers if trial.results[number].outputs is not None)
        finite = trial.on(number for number in whole.numbers if _is_finite(trial.results[number]))
        for some in (whole, finite):
            partly = some.explain() if 0 < len(some.numbers) < len(trial.numbers) else None
            named = [] if partly is None else [*errors(trial), *_faults(partly, some)]
            if named:
                return named
        return diagnose(trial, lambda cases: self._results(job, cases))

    def _with_lines(self, findings: list[Finding], trial: Trial, job: Job, mending: bool = True) -> list[Finding]:
        """The findings with the line that they are about; with the mend too where no listed mistake explains them.

        mending: whether to search long for a mend; it is no use where the result is of another kind.
        """
        if not findings or any(finding.name == "not written yet" for finding in findings):
            return findings
        told = trial.exercise.faults.keys() | {"wrong type"}
        mending = mending and self.thorough and not all(finding.name in told for finding in findings)
        if mending:
            self.saying("Looking for the line and its mend")
        try:
            listed = [finding.name for finding in findings if finding.name in trial.exercise.faults]
            pointed = self.pointer.point(trial, job, mending, listed[0] if len(listed) == 1 else "")
        except RecursionError:  # a file nested that deeply is judged, and not pointed into
            return findings
        if pointed is None:
            return findings
        said = [pointed.said_of(finding, job.source) for finding in findings]
        return [*said, _second(pointed.second)] if pointed.second else said


_OTHER_CASES = "other cases"

_RANDOM = Finding(
    "random output",
    "Called twice with the same arguments, it gives different results. Does it draw random numbers of its own, or keep "
    "something from call to call?",
)


def _second(pointed: "Pointed") -> Finding:
    """The finding on the second of two mistakes."""
    message = f"There are two mistakes: with the first one mended, line {pointed.line} is still wrong."
    return Finding("a second mistake", message, line=pointed.line, mend=pointed.mend)


def _faults(switches: Switches, trial: Trial) -> list[Finding]:
    """The faults among the switches, each with how many of the results they give."""
    exercise, numbers = trial.exercise, trial.numbers
    faults = [name for name in exercise.faults if name in switches]
    if not faults:
        return []
    reference = trial.reference[switches]
    difference = largest_difference([trial.results[n] for n in numbers], [reference[n] for n in numbers])
    right = sum(trial.agrees(number, switches - set(faults)) for number in numbers)
    only_undo = _undone(exercise, faults, trial)
    faults = [name for name in faults if name not in only_undo] or faults
    together = " and ".join(f"“{name}”" for name in faults)
    partly = " at some of its places" if only_undo else ""
    evidence = (
        f"Our {exercise.name}, with {together} put in{partly}, gives your results on {len(numbers)} of "
        f"{len(trial.results)} cases, {f'to {difference:.0e}' if difference else 'exactly'}; without, on {right}."
    )
    return [
        Finding(name, " ".join((fault.cause, fault.consequence, fault.mend)), evidence)
        for name, fault in exercise.faults.items()
        if name in faults
    ]


def _undone(exercise: Exercise, faults: list[str], trial: Trial) -> set[str]:
    if len(faults) < 2:
        return set()
    from handmade.workshop.judging.cancelling import undone

    return undone(exercise, faults, trial.case(trial.numbers[0]))


def _is_finite(result: Result) -> bool:
    """Whether no number among the outputs is nan or infinite."""
    arrays = [value for value in (result.outputs or {}).values() if isinstance(value, np.ndarray)]
    return all(np.isfinite(array).all() for array in arrays if array.dtype.kind == "f")


def _repeats(outcome: Outcome, exercise: Exercise) -> bool:
    again, first = outcome.again, outcome.results[0]
    if again is None or again.outputs is None or first.outputs is None:
        return again is None or again.outputs is first.outputs
    return dumps(again.outputs) == dumps(first.outputs) or same_result(again, first, exercise.rtol, exercise.atol)


def _cases(outcome: Outcome, trial: Trial, conventions: Switches) -> list[Check]:
    """One entry a case: it passed, failed, or was not run since the process ended before."""
    checks = []
    for number, case in enumerate(trial.reference.cases):
        if number >= len(outcome.results):
            stopped = number == len(outcome.results) and outcome.ending not in ("load", "finished")
            checks.append(Check(case.label, *(("failed", outcome.ending) if stopped else ("not run", ""))))
            continue
        raised = outcome.results[number].raised
        if raised is not None:
            checks.append(Check(case.label, "failed", f"{raised.kind}: {raised.message}"))
        elif trial.agrees(number, conventions):
            checks.append(Check(case.label, "passed"))
        else:
            checks.append(Check(case.label, "failed", "the result differs"))
    return checks


def _is_right_somewhere(outcome: Outcome, reference: Counterfactuals) -> bool:
    """Whether a case passes, under the conventions that the solution follows."""
    trial = Trial.of(reference, outcome.results)
    switches = trial.explain() if outcome.ending == "finished" else None
    followed = frozenset(reference.exercise.conventions) & (switches or frozenset())
    return any(case.status == "passed" for case in _cases(outcome, trial, followed))


def _behaviour(troubles: list[Finding]) -> list[Check]:
    """What it did beside computing: one entry that passed, or one for each thing it should not have done."""
    return [Check(trouble.name, "failed", trouble.message) for trouble in troubles] or [Check(COMPUTES_ONLY, "passed")]
