"""The line that a mistake is in: by the traceback, by values beside those of right solutions, by the mend."""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

import numpy as np

from handmade.workshop.cell.cases import Raised
from handmade.workshop.cell.job import Job
from handmade.workshop.cell.tracing import Definition
from handmade.workshop.judging import twins
from handmade.workshop.judging.alignment import Alignment, align
from handmade.workshop.judging.comparison import real_numbers
from handmade.workshop.judging.counterfactuals import Counterfactuals
from handmade.workshop.judging.diagnosis import OTHER_ORDER
from handmade.workshop.judging.outcome import Outcome
from handmade.workshop.judging.pieces import in_other_names, mapped_names
from handmade.workshop.judging.repair import repair_of, search
from handmade.workshop.judging.rightvalues import EXACT, RightRun, RightValues, returned_parts, right_runs, spelled
from handmade.workshop.judging.scalars import names_behind, odd_ones
from handmade.workshop.judging.stepwise import first_step
from handmade.workshop.judging.trial import Trial
from handmade.workshop.judging.verdict import Finding, Mend

TRACING = 10.0
"""Seconds after which a traced run ends: its values are bounded, its loops are the learner's."""

ABOUT_SHAPES = ("ValueError", "IndexError", "AxisError", "returned None")
"""The errors that arrays of wrong shapes raise."""

ABOUT_SIZES = (*ABOUT_SHAPES, "ZeroDivisionError")
"""The errors that wrong sizes and counts raise."""

SIZED = 6
"""On how many cases sizes are compared."""

SECOND = 0.4
"""The share of edits that are tried for the second of two mistakes."""


@dataclass(frozen=True)
class Pointed:
    """Where a mistake is, what is said about it, the mend where one was found, and the second mistake where there are
    two."""

    line: int
    words: str = ""
    mend: Mend | None = None
    second: "Pointed | None" = None

    def said_of(self, finding: Finding, source: str) -> Finding:
        """The finding with its line, and the mend where there is one; another order is where it is returned."""
        if finding.name == OTHER_ORDER and (line := last_returned_tuple(source)):
            return replace(finding, line=line, mend=self.mend if self.line == line else None)
        words = f" Line {self.line}: {self.words}" if self.words and not self.mend else ""
        return replace(finding, line=self.line, mend=self.mend, message=f"{finding.message}{words}")


def last_returned_tuple(source: str) -> int | None:
    """The line of the file's last return of several values."""
    tuples = [node for node in ast.walk(ast.parse(source)) if len(returned_parts(node)) > 1]
    return max((node.lineno for node in tuples if isinstance(node, ast.Return)), default=None)


@dataclass
class Pointer:
    """Finds the line of a mistake. run: runs a job in the sandbox."""

    run: Callable[[Job], Outcome]
    _known: WeakKeyDictionary[Counterfactuals, dict[int, tuple[list[RightRun], RightValues]]] = field(
        default_factory=WeakKeyDictionary
    )

    def point(self, trial: Trial, job: Job, mending: bool = True, fault: str = "") -> Pointed | None:
        """Where this solution goes wrong; None where that cannot be told.

        mending: whether to search long. fault: the listed mistake that explains it, where there is one.
        """
        seen = self._looked(trial, job)
        if seen is None:
            return None
        case, runs, alignment = seen
        raised = trial.results[case].raised
        crash = crashed_at(raised, alignment, job) if raised is not None else None
        line = suspected(alignment, crash, raised is not None and raised.kind in ABOUT_SHAPES)
        words = told(alignment, runs) if line != crash else ""
        if mending and (odd := self._odd_size(trial, job, case, alignment, crash)):
            alignment.suspects = [odd, *(node for node in alignment.suspects if node != odd)]
            crash, line = None, alignment.line_of(odd)
            words = f"{spelled(alignment.nodes[odd])} is the first size or count that no right solution has."
        found = search(job, trial, case, alignment, runs, crash, self.run, thorough=mending)
        if found is not None:
            return Pointed(found.line, words if found.line == line else "", found.mend)
        if (place := _left_open(job.source)) is not None:
            return Pointed(place)
        if fault and crash is None:
            of_twin = twins.line_of(trial.exercise, fault, trial.case(case), runs[0], alignment)
            line, words = (of_twin, "") if of_twin not in (None, line) else (line, words)
        both = self._in_two_steps(trial, job, seen, crash) if mending else None
        return both or (Pointed(line, words) if line is not None else None)

    def _in_two_steps(
        self, trial: Trial, job: Job, seen: tuple[int, list[RightRun], Alignment], crash: int | None
    ) -> Pointed | None:
        """The mends of two mistakes, where each takes the solution further along the right path."""
        case, runs, alignment = seen
        step = first_step(job, trial, case, alignment, runs, self._right(trial, case)[1], crash, self.run)
        if step is None:
            return None
        first = repair_of(job.source, step.edit)
        _, _, after = self._aligned(trial, step.job, case)
        last = search(step.job, trial, case, after, runs, None, self.run, share=SECOND)
        if last is None:
            return None
        lines = job.source.count("\n") - step.job.source.count("\n")
        second = Pointed(last.line + (lines if last.line > first.line else 0), mend=last.mend)
        return Pointed(first.line, mend=first.mend, second=second)

    def _looked(self, trial: Trial, job: Job) -> tuple[int, list[RightRun], Alignment] | None:
        """A case that tells, what right solutions compute there, and the solution's values beside theirs."""
        seen = [self._aligned(trial, job, case) for case in telling_cases(trial)]
        return min(seen, key=lambda one: one[2].begins) if seen else None

    def _odd_size(self, trial: Trial, job: Job, case: int, alignment: Alignment, crash: int | None) -> int | None:
        """Where shapes are wrong: the node of the first whole number that no right solution has, of those that go into
        the line that raised an error, if one did; None for others."""
        raised = trial.results[case].raised
        if not (raised.kind in ABOUT_SIZES if raised is not None else _is_misshapen(trial, case)):
            return None
        cases = list(dict.fromkeys([case, *range(len(trial.results))]))[:SIZED]
        limits = replace(job.limits, seconds=min(TRACING, job.limits.seconds))
        traces = [self.run(replace(job, cases=[trial.case(c)], traced=True, limits=limits)).trace for c in cases]
        odd = odd_ones(alignment.nodes, traces, [self._right(trial, c)[0] for c in cases])
        needed = names_behind(alignment.nodes, crash) if crash is not None else None
        return next((node for node in odd if needed is None or spelled(alignment.nodes[node]) in needed), None)

    def _aligned(self, trial: Trial, job: Job, case: int) -> tuple[int, list[RightRun], Alignment]:
        """The solution's values on this case beside the right ones."""
        limits = replace(job.limits, seconds=min(TRACING, job.limits.seconds))
        traced = self.run(replace(job, cases=[trial.case(case)], traced=True, limits=limits))
        runs, right = self._right(trial, case)
        return case, runs, align(ast.parse(job.source), traced.trace, right, traced.steps)

    def _right(self, trial: Trial, case: int) -> tuple[list[RightRun], RightValues]:
        """What right solutions compute on this case; known as long as the reference is in use."""
        known = self._known.setdefault(trial.reference, {})
        if case not in known:
            runs = right_runs(trial.exercise, trial.case(case))
            known[case] = runs, RightValues.of(runs)
        return known[case]


def _left_open(source: str) -> int | None:
    """The line of a `pass` among other statements, which says that something is still missing there."""
    for node in ast.walk(ast.parse(source)):
        for part in ("body", "orelse", "finalbody"):
            body = getattr(node, part, None)
            statements = body if isinstance(body, list) and len(body) > 1 else []
            passes = [statement.lineno for statement in statements if isinstance(statement, ast.Pass)]
            if passes:
                return passes[0]
    return None


def crashed_at(raised: Raised, alignment: Alignment, job: Job) -> int | None:
    """The line that raised an error; where that is in a helper which has given right values before, the line that
    called it."""
    frames = re.findall(r"line (\d+), in (\w+)", raised.trace)
    if len(frames) < 2 or frames[-1][1] in job.functions or int(frames[-1][0]) != raised.line:
        return raised.line
    helper = next((n for n in alignment.nodes if isinstance(n, Definition) and n.name == frames[-1][1]), None)
    inside = set(map(id, ast.walk(helper))) if helper is not None else set()
    returned = {id(n.value) for n in alignment.nodes if isinstance(n, ast.Return) and id(n) in inside}
    worked = any(event.found == EXACT and id(alignment.nodes[event.node]) in returned for event in alignment.events)
    return int(frames[-2][0]) if worked else raised.line


def suspected(alignment: Alignment, crash: int | None, about_shapes: bool = True) -> int | None:
    """The line under suspicion: the first suspect's; where it raised an error, that line, unless the error may be about
    shapes, and what went wrong before can be seen by its shape."""
    if crash is not None and not (alignment.misshapen and about_shapes):
        return crash
    suspects = alignment.misshapen if crash is not None else alignment.suspects
    return alignment.line_of(suspects[0]) if suspects else None


def telling_cases(trial: Trial) -> list[int]:
    """Cases that tell where it fails: one that raises; or else two on which the numbers are far from the right ones,
    since on one of them a wrong value may be right by chance."""
    failing = [number for number in trial.numbers if not trial.agrees(number)]
    raising = [number for number in failing if trial.results[number].raised is not None]
    return raising[:1] or sorted(failing, key=lambda number: _distance(trial, number), reverse=True)[:2]


def _is_misshapen(trial: Trial, number: int) -> bool:
    """Whether an output's shape is wrong."""
    for name in trial.exercise.outputs:
        mine, right = real_numbers(trial.output(number, name)), real_numbers(trial.expected(number).get(name))
        if mine is not None and right is not None and mine.shape != right.shape:
            return True
    return False


def _distance(trial: Trial, number: int) -> tuple[int, float]:
    """How many outputs are wrong, and by how much, to a power of ten; numbers that are not finite say little."""
    wrong = [name for name in trial.exercise.outputs if not trial.is_right(number, name)]
    largest = -20.0
    for name in wrong:
        mine, right = real_numbers(trial.output(number, name)), real_numbers(trial.expected(number).get(name))
        if mine is not None and right is not None and mine.shape == right.shape and np.isfinite(mine).all():
            with np.errstate(all="ignore"):
                share = float(np.abs(mine - right).max(initial=0.0) / max(float(np.abs(right).max(initial=0.0)), 1e-30))
            largest = max(largest, min(round(np.log10(share + 1e-20)), 0))
    return len(wrong), largest


def told(alignment: Alignment, runs: list[RightRun]) -> str:
    """What is right, what is the first that is not, and what is right there."""
    first = alignment.first
    if first is None or not first.is_suspect:  # a right value under another name
        return ""
    node = alignment.nodes[first.node]
    statement = next(
        (n for n in alignment.nodes if isinstance(n, ast.Assign) and node in ast.walk(n) and len(n.targets) == 1), None
    )
    name = spelled(node) or (spelled(statement.targets[0]) if statement is not None else "")
    right = [spelled(alignment.nodes[alignment.events[m].node]) for m in first.made_of]
    right = list(dict.fromkeys(filter(None, right)))
    what = f"{name} is the first that is not" if name else f"{_short(node)} is the first value that is not"
    known = (
        f"{' and '.join(right[:3])} {'is' if len(right) == 1 else 'are'} right, "
        if right
        else "up to here all is right, "
    )
    target = _right_one(alignment, runs, name)
    return f"{known}{what}" + (f"; the right one here is {target}" if target else "") + "."


def _short(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _right_one(alignment: Alignment, runs: list[RightRun], name: str) -> str:
    """What a right solution computes where the first wrong value is, in the learner's names; nothing for a name that is
    given a value in several places, here or there."""
    if not name or _given(alignment.nodes, name) != 1:
        return ""
    mine = {spelled(alignment.nodes[event.node]) for event in alignment.events}
    for run in runs:
        names = mapped_names(run, alignment)
        for node in run.nodes if _given(run.nodes, name) == 1 else ():
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and spelled(node.targets[0]) == name:
                text = in_other_names(node.value, {**names, name: name}, mine)
                if text is not None and len(text) <= 90:
                    return text
    return ""


def _given(nodes: list[ast.AST], name: str) -> int:
    """In how many places this name is given a value."""
    return sum(spelled(node) == name and isinstance(getattr(node, "ctx", None), ast.Store) for node in nodes)
