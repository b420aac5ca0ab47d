"""A try: one's own function on one case, shown in full. It is no verdict: what is right is not said."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from handmade.errors import InputError, suggestion
from handmade.workshop.cell.cases import Case, Result
from handmade.workshop.cell.job import Limits
from handmade.workshop.exercise import Exercise
from handmade.workshop.judging.mishaps import mishaps
from handmade.workshop.judging.reading import read
from handmade.workshop.judging.sandbox import Sandbox
from handmade.workshop.judging.shown import fit
from handmade.workshop.judging.signatures import parameter_name
from handmade.workshop.judging.values import entries
from handmade.workshop.judging.verdict import Finding
from handmade.workshop.quiet import QUIET

LONGEST = 30_000
"""Characters of a try that are shown."""


@dataclass(frozen=True)
class Tried:
    """What came of a try.

    case: what the function was called with. result: what it gave, None where it did not come so far.
    findings: what stood in the way. printed: the beginning of what it printed.
    """

    exercise: Exercise
    case: Case
    result: Result | None
    findings: list[Finding]
    printed: str

    def __str__(self) -> str:
        return self.shown()

    def shown(self, columns: int = 105) -> str:
        """The try as text, in lines of so many columns."""
        case = self.case
        lines = [f"{case.function or self.exercise.functions[0].__name__}, case {case.label!r}, with"]
        given = {parameter_name(self.exercise, case, "args", n): value for n, value in enumerate(case.args)}
        for name, value in {**given, **case.options, **case.extra}.items():
            lines += entries(name, value, full=True, columns=columns)
        if self.result is not None and self.result.outputs is not None:
            lines.append("gives")
            for name, value in self.result.outputs.items():
                lines += [*entries(name, value, full=True, columns=columns), *_shape(name, value)]
        elif self.result is not None and self.result.raised is not None:
            raised = self.result.raised
            lines += [f"raises {raised.kind}: {raised.message}", *(f"  {line}" for line in raised.trace.splitlines())]
        for finding in self.findings:
            lines += [f"{finding.name}: {finding.message}", *(f"  {line}" for line in finding.evidence.splitlines())]
        if self.printed:
            lines += ["It printed:", *(f"  {line}" for line in self.printed.rstrip().splitlines())]
        return fit("\n".join(lines), LONGEST)

    __repr__ = __str__


def tried(path: Path, exercise: Exercise, label: str | None = None, sandbox: Sandbox | None = None) -> Tried:
    """Run the functions in the file at `path` on one case, by default the first.

    InputError where there is no such file or case. sandbox: where to run them; by default in one of its own.
    """
    with QUIET:
        case = case_labelled(exercise, label)
        solution = read(path, exercise, [case])
        if solution.findings:
            return Tried(exercise, case, None, solution.findings, "")
        job = solution.job(exercise, [case], Limits(), solution.torch)
        if sandbox is None:
            with Sandbox() as own:
                outcome = own.run(job)
        else:
            outcome = sandbox.run(job)
        result = outcome.results[0] if outcome.results else None
        return Tried(exercise, case, result, list(mishaps(outcome, job, exercise)), outcome.printed)


def case_labelled(exercise: Exercise, label: str | None) -> Case:
    """The case of this label, by default the first. InputError where there is none."""
    cases = exercise.all_cases()
    if label is None:
        return cases[0]
    for case in cases:
        if case.label.lower() == label.strip().lower():
            return case
    labels = list(dict.fromkeys(case.label for case in cases))
    raise InputError(f"{exercise.name} has no case {label!r}{suggestion(label, labels)} It has: {'; '.join(labels)}.")


def only_case(exercise: Exercise, label: str) -> Exercise:
    """The exercise with the cases of this label alone."""
    wanted = case_labelled(exercise, label).label
    return replace(exercise, cases=lambda rng: [case for case in exercise.cases(rng) if case.label == wanted])


def _shape(name: str, value: Any) -> list[str]:
    shape = getattr(value, "shape", None)
    return [f"  {name}.shape = {shape}"] if shape else []
