"""Two mistakes in one solution: mend the first as far as its values tell, look again, and mend the second."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from handmade.workshop.cell.job import Job
from handmade.workshop.cell.versions import edited
from handmade.workshop.judging.alignment import Alignment
from handmade.workshop.judging.edits import Edit, editor_of
from handmade.workshop.judging.outcome import Outcome
from handmade.workshop.judging.repair import GUARD, nearest
from handmade.workshop.judging.rightvalues import EXACT, UNKNOWN, RightRun, RightValues, key_of, tells_much
from handmade.workshop.judging.trial import Trial

BUDGET = 0.6
"""Seconds of the processor's time that all versions may take together."""


@dataclass(frozen=True)
class Step:
    """An edit after which the solution is right for longer, and the solution with it."""

    edit: Edit
    job: Job


def first_step(
    job: Job,
    trial: Trial,
    case: int,
    alignment: Alignment,
    runs: list[RightRun],
    right: RightValues,
    crash: int | None,
    run: Callable[[Job], Outcome],
) -> Step | None:
    """The likeliest edit that takes the solution further along the right path; None where none does."""
    editor = editor_of(job.source)
    edits = nearest(editor, alignment, runs, crash)
    limits = replace(job.limits, seconds=GUARD)
    none = ((0, 0, ""),)
    parts = (none, *(edit.parts for edit in edits))
    outcome = run(replace(job, cases=[trial.case(case)], edits=parts, traced=True, limits=limits, budget=BUDGET))
    if len(outcome.edits) < 2:
        return None
    known: dict[bytes, int] = {}
    begin, *others = (_progress(values, right, known) for values in outcome.edits)
    best = max(range(len(others)), key=lambda n: (others[n], -edits[n].cost))
    if others[best] <= begin:
        return None
    return Step(edits[best], replace(job, source=edited(job.source, edits[best].parts)))


def _progress(values: list[Any], right: RightValues, known: dict[bytes, int]) -> tuple[int, int]:
    """How many telling values come before the first that is not right, and how many right ones there are in all."""
    before, count, is_whole = 0, 0, True
    for _, value in values:
        key = key_of(value)
        if key not in known:
            known[key] = right.find(value)
        if known[key] == EXACT and tells_much(value):
            count += 1
            before += is_whole
        elif known[key] == UNKNOWN:
            is_whole = False
    return before, count
