"""Other versions of a solution, run in its process: one that records its values, and edited ones, many in a row."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from handmade.workshop.cell.cases import Result, drive, fresh, raised_by
from handmade.workshop.cell.drivers import DRIVERS
from handmade.workshop.cell.job import Job
from handmade.workshop.cell.solutions import load
from handmade.workshop.cell.tracing import SEEN, Recorder, instrumented

Report = Callable[..., None]

SECONDS_OF_ONE = 0.25
"""How long one edited version may run on all cases: an edit may make a loop endless."""


def report_trace(job: Job, report: Report) -> None:
    """Run the solution on the first case; report its values, in the order in which they came, then what it gave."""
    recorder = Recorder()
    result = Result(None)
    try:
        solution = load(job, instrumented(job.source), **{SEEN: recorder})
        result = drive(DRIVERS[job.driver], solution, fresh(job.cases[0], job.torch), job.outputs)
    except BaseException as error:
        result = Result(None, raised_by(error))
    report("trace", values=recorder.events, raised=vars(result.raised) if result.raised else None)


def report_edits(job: Job, report: Report) -> None:
    """Run each edited version on all cases; report what it gave, None for what it raised. Stop in time."""
    until = time.monotonic() + job.limits.seconds - SECONDS_OF_ONE - 0.1
    for edit in job.edits:
        if time.monotonic() > until:
            return
        outputs: list[Any] | None = []
        try:
            with _alarm(SECONDS_OF_ONE):
                solution = load(job, edited(job.source, edit))
                for case in job.cases:
                    result = drive(DRIVERS[job.driver], solution, fresh(case, job.torch), job.outputs)
                    if result.outputs is None:
                        outputs = None
                        break
                    outputs.append(result.outputs)
        except BaseException:
            outputs = None
        report("edit", outputs=outputs)


def edited(source: str, edit: Any) -> str:
    """The source with every part of the edit put in its place."""
    for start, end, text in sorted(edit, reverse=True):
        source = source[:start] + text + source[end:]
    return source


class _TooLateError(BaseException):
    """Not an Exception: a solution that catches those does not catch this."""


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def ring(*_: Any) -> None:
        raise _TooLateError

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.05)  # again, where a bare `except` has caught it
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
