"""Other versions of a solution, run in its process: one that records its values, and edited ones, many in a row."""

import ast
import linecache
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import accumulate, pairwise
from types import CodeType
from typing import Any

from handmade.workshop.cell.cases import Result, drive, fresh, outputs_of, raised_by
from handmade.workshop.cell.drivers import DRIVERS
from handmade.workshop.cell.job import Job
from handmade.workshop.cell.solutions import load
from handmade.workshop.cell.tracing import SEEN, Recorder, instrument, instrumented, walk

Report = Callable[..., None]

ROUNDS = 2000
"""How often the `while` loops of an edited version may go round on one case: an edit may make one endless."""

SECONDS_OF_ONE = 1.0
"""How much processor time an edited version may take whatever it does: a guard for what no count ends."""

MOST_ASSIGNED = 600
"""Up to which recorded value the values that an edited version assigns are reported."""

TICK, EDITED = "__tick__", "edited"


def report_trace(job: Job, report: Report) -> None:
    """Run the solution on the first case; report its values, in the order in which they came, then what it gave."""
    recorder = Recorder()
    result = Result(None)
    try:
        solution = load(job, compile(instrumented(job.source), job.path, "exec"), **{SEEN: recorder})
        result = drive(DRIVERS[job.driver], solution, fresh(job.cases[0], job.torch), job.outputs)
    except BaseException as error:
        result = Result(None, raised_by(error))
    recorder.finish()
    raised = vars(result.raised) if result.raised else None
    report("trace", values=recorder.events, raised=raised, steps=recorder.steps)


def report_edits(job: Job, report: Report) -> None:
    """Run each edited version on all cases, up to the first on which it raises something; report what it gave. A job
    that is traced, too, reports what each assigns on the first case instead. Stop in time."""
    until = time.monotonic() + job.limits.seconds - SECONDS_OF_ONE - 0.1
    pieces = (TracedPieces if job.traced else Pieces)(job.source)
    linecache.cache[EDITED] = 0, None, [], EDITED  # or it is looked for on the disk for each error
    for edit in job.edits:
        if time.monotonic() > until or time.process_time() > job.budget:
            return
        rounds = Rounds()
        outputs: list[Any] = []
        try:
            with _alarm(SECONDS_OF_ONE):
                if isinstance(pieces, TracedPieces):
                    outputs = assigned(job, pieces, edit, rounds)
                    continue
                solution = load(job, *pieces.edited(edit), **{TICK: rounds})
                for case in job.cases:
                    rounds.left = ROUNDS
                    outputs.append(outputs_of(DRIVERS[job.driver], solution, fresh(case, job.torch), job.outputs))
        except BaseException:
            pass  # what it gave before counts
        finally:
            report("edit", outputs=outputs)


def assigned(job: Job, pieces: "TracedPieces", edit: Any, rounds: "Rounds") -> list[list[Any]]:
    """What this version gives its names and returns on the first case, in order: pairs of a line and a value."""
    codes, recorder = pieces.edited(edit), Recorder()
    with suppress(Exception):
        drive(
            DRIVERS[job.driver],
            load(job, *codes, **{SEEN: recorder, TICK: rounds}),
            fresh(job.cases[0], job.torch),
            job.outputs,
        )
    lines = pieces.lines_of(codes)
    return [[lines[number], value] for number, value in recorder.events[:MOST_ASSIGNED] if number in lines]


def edited(source: str, edit: Any) -> str:
    """The source with every part of the edit put in its place."""
    for start, end, text in sorted(edit, reverse=True):
        source = source[:start] + text + source[end:]
    return source


def line_starts(source: str) -> list[int]:
    """The offsets at which the lines of a source begin, and where one behind the last would."""
    return [0, *accumulate(len(line) + 1 for line in source.split("\n"))]


class Pieces:
    """A file in pieces, one for each top-level statement, each compiled once: an edit compiles its own anew. What
    cannot be taken apart is one piece."""

    def __init__(self, source: str) -> None:
        self.source = source
        lines, body = line_starts(source), ast.parse(source).body
        first = [min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]) for node in body]
        self.starts = [0] if _is_one(body) else sorted({0, *(lines[number - 1] for number in first[1:])})
        self.codes = [self._compiled(self._text(n), n) for n in range(len(self.starts))]

    def edited(self, edit: Any) -> list[CodeType]:
        """The pieces of the edited file."""
        touched = {self._piece(offset) for start, end, _ in edit for offset in (start, end)}
        if len(touched) != 1:
            return [self._compiled(edited(self.source, edit), 0)]
        (number,) = touched
        begin = self.starts[number]
        parts = [(start - begin, end - begin, text) for start, end, text in edit]
        new = self._compiled(edited(self._text(number), parts), number)
        return [*self.codes[:number], new, *self.codes[number + 1 :]]

    def _piece(self, offset: int) -> int:
        return sum(start <= offset for start in self.starts) - 1

    def _text(self, number: int) -> str:
        return self.source[self.starts[number] : [*self.starts, len(self.source)][number + 1]]

    def _compiled(self, text: str, number: int) -> CodeType:
        """A piece, ready to be run. number: which one it is."""
        return compile(counted(ast.parse(text)) if "while" in text else text, EDITED, "exec")


class TracedPieces(Pieces):
    """Pieces whose values are recorded. The numbers of a piece's nodes begin at its own place times FAR."""

    FAR = 1 << 20

    def __init__(self, source: str) -> None:
        self._lines: dict[int, dict[int, int]] = {}
        super().__init__(source)

    def lines_of(self, codes: list[CodeType]) -> dict[int, int]:
        """The lines of the nodes that these pieces assign to or return, by number."""
        return {number: line for code in codes for number, line in self._lines[id(code)].items()}

    def _compiled(self, text: str, number: int) -> CodeType:
        tree, first = ast.parse(text), number * self.FAR
        nodes = walk(tree)
        returned = {id(node.value) for node in nodes if isinstance(node, ast.Return)}
        above = self.source.count("\n", 0, self.starts[number])
        lines = {
            place: node.lineno + above  # pyright: ignore[reportAttributeAccessIssue]
            for place, node in enumerate(nodes, first)
            if isinstance(getattr(node, "ctx", None), ast.Store) or id(node) in returned
        }
        tree = instrument(tree, nodes, first)
        code = compile(counted(tree) if "while" in text else tree, EDITED, "exec")
        self._lines[id(code)] = lines
        return code


def _is_one(body: list[ast.stmt]) -> bool:
    """Whether the statements cannot be compiled one by one: what __future__ changes, it changes in all of them; and
    one may begin in the line where another, of several lines, ends."""
    of_future = any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in body)
    return of_future or any(a.lineno < (a.end_lineno or 0) >= b.lineno for a, b in pairwise(body))


def counted(tree: ast.Module) -> ast.Module:
    """The tree with a call of TICK in every round of a `while` loop."""
    loops = [node for node in walk(tree) if isinstance(node, ast.While)]
    for loop in loops:
        loop.body.insert(0, ast.Expr(ast.Call(ast.Name(TICK, ast.Load()), [], [])))
    return ast.fix_missing_locations(tree) if loops else tree


class Rounds:
    """Counts the rounds of loops, and ends the version that goes round too often."""

    def __init__(self) -> None:
        self.left = ROUNDS

    def __call__(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise _TooLateError


class _TooLateError(BaseException):
    """Not an Exception: a solution that catches those does not catch this."""


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def ring(*_: Any) -> None:
        raise _TooLateError

    signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, 0.05)  # again, where a bare `except` has caught it
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
