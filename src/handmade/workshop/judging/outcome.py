"""The outcome of a job, read from the report of the learner's process, which may contain anything."""

import os
import re
import signal
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from handmade.workshop.cell.cases import Raised, Result
from handmade.workshop.cell.job import Job
from handmade.workshop.cell.tracing import LONGEST_INT
from handmade.workshop.cell.wire import Opaque, loads


@dataclass
class Outcome:
    """The outcome of a job.

    ending: "finished"; or "load" (the file raised as it was run), "time", "exit" (it ended its process), "crash" (a
    signal ended it), "lost" (what was reported is not what a job reports).
    where: for time and crash, the line it was at, if known. signal: which one, for a crash.
    left: how many processes it left behind, which were ended; -1 if that was not possible.
    trace: the values of its expressions, each with the number of its node, where the job asks for them.
    steps: how many values a traced run had, kept or not.
    edits: what each edited version gave, case by case, up to the first where it raised something.
    """

    ending: str = "lost"
    results: list[Result] = field(default_factory=list)
    again: Result | None = None
    raised: Raised | None = None
    where: str = ""
    signal: str = ""
    refused: list[str] = field(default_factory=list)
    shortcuts: list[str] = field(default_factory=list)
    threads: list[str] = field(default_factory=list)
    patched: list[str] = field(default_factory=list)
    left: int = 0
    printed: str = ""
    cut: bool = False
    seconds: float = 0.0
    trace: list[tuple[int, Any]] = field(default_factory=list)
    steps: int = 0
    edits: list[list[Any]] = field(default_factory=list)


def outcome_of(end: dict[str, Any], content: bytes, job: Job) -> Outcome:
    """The outcome from what the process that ran the job said at its end, and what the solution's process reported.

    Only what a job reports, in the order in which it does, is taken: one line that is anything else, and all of it
    counts for nothing.
    """
    outcome = Outcome(left=int(end["left"]), printed=str(end["printed"]), cut=bool(end["cut"]))
    code, dump, regular = int(end["exit"]), "", not end["overfull"]
    for line in content.split(b"\n"):
        if line and not dump:
            try:
                regular = regular and _take(_report_of(line), outcome, job)
            except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
                dump = content[content.index(line) :].decode("utf-8", "replace")
    _settle(outcome, code, dump, regular, job)
    return outcome


def _report_of(line: bytes) -> dict[str, Any]:
    value = loads(line)
    if not isinstance(value, dict):
        raise TypeError("not a report")
    return value


def _take(line: dict[str, Any], outcome: Outcome, job: Job) -> bool:
    """Put one report into the outcome; whether it was its turn."""
    cases, before = len(job.cases), len(outcome.results)
    if outcome.ending == "finished" or outcome.raised is not None:
        return False
    match line["kind"]:
        case "result":
            outcome.results.append(_result(line))
            return before < cases
        case "again":
            first = outcome.again is None
            outcome.again = _result(line)
            return first and before == cases
        case "load":
            outcome.raised = _raised(line["raised"])
            return True
        case "refused":
            outcome.refused.append(str(line["what"]))
            return True
        case "shortcut":
            outcome.shortcuts.append(str(line["what"]))
            return True
        case "trace" if job.traced:
            outcome.trace = [(_number(number), _value(value)) for number, value in line["values"]]
            outcome.results = [Result(None, _raised(line["raised"]) if line["raised"] else None)]
            outcome.steps = _number(line["steps"])
            return before == 0
        case "edit":
            outputs = line["outputs"] if isinstance(line["outputs"], list) else []
            if job.traced:  # what it assigns, in pairs of a line and a value
                outputs = [(_number(at), _value(value)) for at, value in outputs]
            outcome.edits.append(outputs)
            return len(outcome.edits) <= len(job.edits)
        case "done" if job.traced or job.edits:
            outcome.seconds = float(line["seconds"])
            outcome.ending = "finished"
            return True
        case "done":
            outcome.seconds = float(line["seconds"])
            outcome.threads, outcome.patched = list(map(str, line["threads"])), list(map(str, line["patched"]))
            outcome.ending = "finished"
            return before == cases and (outcome.again is not None or not cases)
    return False


def _result(line: dict[str, Any]) -> Result:
    raised = _raised(line["raised"]) if line["raised"] else None
    outputs = line["outputs"]
    if raised is None and not isinstance(outputs, dict):
        outputs = {"": Opaque("nothing")}
    changed = tuple((field, key) for field, key in line["changed"])
    if not all(field in ("args", "options", "extra") and isinstance(key, int | str) for field, key in changed):
        raise ValueError("not a place of an argument")
    return Result(outputs if raised is None else None, raised, changed)


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not a node's number")
    return value


def _value(value: Any) -> Any:
    """What is recorded of a value: nothing, a number, a text, an array of real numbers."""
    is_array = isinstance(value, np.ndarray) and value.dtype.kind in "biuf"
    if not is_array and not isinstance(value, bool | int | float | str | None):
        raise ValueError("not a recorded value")
    return None if isinstance(value, int) and abs(value) > LONGEST_INT else value


def _raised(facts: dict[str, Any]) -> Raised:
    line = facts["line"]
    if line is not None and not (type(line) is int and line > 0):
        raise ValueError("not the number of a line")
    return Raised(str(facts["kind"]), str(facts["message"]), str(facts["trace"]), line)


def _settle(outcome: Outcome, code: int, dump: str, regular: bool, job: Job) -> None:
    """How the job ended, from the child's exit code and what faulthandler wrote."""
    outcome.where = _where(dump, job.path)
    if (code in (-signal.SIGKILL, -signal.SIGXCPU) and regular) or ("Timeout (" in dump and code == 1):
        outcome.ending = "time"
    elif code < 0 and regular:
        outcome.ending, outcome.signal = "crash", signal_name(-code)
    elif not regular or dump:
        outcome.ending, outcome.results, outcome.again = "lost", [], None
    elif outcome.raised is not None:
        outcome.ending = "load"
    elif outcome.ending != "finished":
        outcome.ending = "exit"


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _where(dump: str, path: str) -> str:
    """The innermost line of the solution in a faulthandler dump, of the main thread if it is there."""
    name = re.escape(os.path.basename(path).encode("ascii", "backslashreplace").decode())
    main = dump.rpartition("Thread 0x")[2] or dump
    found = re.search(rf'File "[^"]*{name}", line (\d+) in (\S+)', main) or re.search(r"(?!)", "")
    return f"line {found[1]}, in {found[2]}" if found else ""
