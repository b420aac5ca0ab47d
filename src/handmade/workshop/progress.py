"""What a workspace remembers: attempts, hints, interviews, in a file that two commands may change at once."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from handmade import __version__
from handmade.errors import InputError
from handmade.files import cannot_write, free_path, locked, write_text
from handmade.reading import read_bytes
from handmade.workshop.exercises import exercise_named
from handmade.workshop.judging.verdict import Verdict


@dataclass
class Record:
    """What was done about one exercise. Times are local, as 2026-01-31T12:00:00; None: not yet.

    mistakes: how often each was made. met: when each of the exercise's listed faults was made last.
    hints: how many were shown. gave_up: when the learner asked for the solution. steps: what `hint` still has to tell
    of the last verdict, one a time. predictions: how often something was predicted on the pages where it computes.
    """

    attempts: int = 0
    passed: str | None = None
    hints: int = 0
    gave_up: str | None = None
    mistakes: dict[str, int] = field(default_factory=dict)
    met: dict[str, str] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)
    predictions: int = 0

    @property
    def status(self) -> str:
        """How far it is, in a word or two; empty where nothing was done."""
        if self.passed:
            return "passed, after giving up" if self.gave_up and self.gave_up < self.passed else "passed"
        return "gave up" if self.gave_up else "begun" if self.attempts or self.hints else ""


@dataclass
class Drill:
    """One of our mistakes to find: in which file of drills/ and at which line (0 where that is not known), how often it
    was checked, and when it was mended."""

    exercise: str
    file: str
    begun: str
    attempts: int = 0
    fixed: str | None = None
    line: int = 0


@dataclass
class Diagnosis:
    """A run with a mistake in it: what was said to be wrong with it, and what was."""

    fault: str
    said: str
    at: str


@dataclass
class Progress:
    """Everything that a workspace remembers."""

    exercises: dict[str, Record] = field(default_factory=dict)
    interviews: list[dict[str, Any]] = field(default_factory=list)
    drills: list[Drill] = field(default_factory=list)
    diagnoses: list[Diagnosis] = field(default_factory=list)
    others: dict[str, Any] = field(default_factory=dict)
    """What another version has written besides, which is kept."""

    def of(self, name: str) -> Record:
        return self.exercises.setdefault(name, Record())

    def mistakes(self) -> Counter[str]:
        """How often each mistake was made, in all exercises together."""
        counts = sum((Counter(entry.mistakes) for entry in self.exercises.values()), Counter[str]())
        del counts["not written yet"]
        return counts

    def add(self, verdict: Verdict) -> None:
        """Count an attempt, with its result. A file that is unwritten or was passed before does not count as one."""
        names = [finding.name for finding in verdict.findings]
        if "not written yet" in names:
            return
        entry = self.of(verdict.exercise)
        entry.attempts += entry.passed is None
        if verdict.passed:
            entry.passed = entry.passed or now()
        entry.steps = next((finding.steps() for finding in verdict.findings if finding.line), [])
        for name in names:
            entry.mistakes[name] = entry.mistakes.get(name, 0) + 1
            if name in exercise_named(verdict.exercise).faults:
                entry.met[name] = now()

    def take_step(self, name: str) -> None:
        """Leave the first of an exercise's steps behind: it was shown."""
        self.of(name).steps = self.of(name).steps[1:]

    def diagnose(self, fault: str, said: str) -> None:
        """Remember what was said to be wrong with a run, and what was."""
        self.diagnoses.append(Diagnosis(fault, said, now()))

    def predict(self, name: str) -> None:
        """Count a prediction that was made on a page where the exercise computes; right or wrong, it counts."""
        self.of(name).predictions += 1

    def take_hint(self, name: str, count: int) -> None:
        """Count one more of the `count` hints of an exercise as shown."""
        self.of(name).hints = min(self.of(name).hints + 1, count)

    def give_up(self, name: str) -> None:
        """Remember when the solution of an exercise was first asked for before it was passed."""
        self.of(name).gave_up = self.of(name).gave_up or now()

    def begin_drill(self, exercise: str, file: str, line: int = 0) -> None:
        """Remember that a mistake of ours is to be found in this file of drills/."""
        self.drills.append(Drill(exercise, file, now(), line=line))

    def check_drill(self, file: str, passed: bool) -> None:
        """Count a check of this file of drills/, until it is mended."""
        for drill in self.drills:
            if drill.file == file and drill.fixed is None:
                drill.attempts += 1
                drill.fixed = now() if passed else None


def now() -> str:
    """The local time, in the form used in records."""
    return datetime.now().isoformat(timespec="seconds")


def read_progress(path: Path, said: Callable[[str], None]) -> Progress:
    """What the file remembers. A damaged one is put aside, said, and a new one begun.

    Raises InputError for one that a newer version has written, which stays as it is.
    """
    try:
        return _read(path)
    except InputError:
        raise
    except ValueError:
        with locked(path.parent):
            return _read_or_put_aside(path, said)


def change_progress(path: Path, change: Callable[[Progress], None], said: Callable[[str], None]) -> Progress:
    """Change what the file remembers, as it is on the disk now. Others who change it wait until that is done."""
    with locked(path.parent):
        progress = _read_or_put_aside(path, said)
        change(progress)
        facts = asdict(progress)
        write_text(
            path, json.dumps({"workshop": 1, "handmade": __version__, **facts.pop("others"), **facts}, indent=1) + "\n"
        )
        return progress


def _read_or_put_aside(path: Path, said: Callable[[str], None]) -> Progress:
    try:
        return _read(path)
    except InputError:
        raise
    except ValueError:
        aside = free_path(path.parent, "progress.damaged-{}.json")
        try:
            path.replace(aside)
        except OSError as error:
            raise cannot_write(aside, error) from error
        said(f"{path} was damaged. It is now {aside.name}; a new record begins.")
        return Progress()


def _read(path: Path) -> Progress:
    """ValueError where it is not what was written."""
    try:
        facts = json.loads(read_bytes(path))
        if isinstance(facts["workshop"], int) and facts["workshop"] > 1:
            raise InputError(
                f"{path} was written by a newer version of handmade, and is left as it is. Update this one, for "
                "example with `pip install --upgrade handmade`."
            )
        return _progress_of(facts)
    except FileNotFoundError:
        return Progress()
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("not a record of the workshop") from error


def _progress_of(facts: dict[str, Any]) -> Progress:
    """TypeError, ValueError, KeyError or AttributeError where it is not what was written."""
    if facts["workshop"] != 1:
        raise ValueError("not a record of this version")
    records = {name: _record_of(entry) for name, entry in facts["exercises"].items()}
    if not all(isinstance(held, dict) for held in facts["interviews"]):
        raise TypeError("interviews")
    drills = [_drill_of(drill) for drill in facts.get("drills", [])]
    diagnoses = [_diagnosis_of(diagnosis) for diagnosis in facts.get("diagnoses", [])]
    known = ("workshop", "handmade", "exercises", "interviews", "drills", "diagnoses")
    others = {name: value for name, value in facts.items() if name not in known}
    return Progress(records, list(facts["interviews"]), drills, diagnoses, others)


def _drill_of(entry: dict[str, Any]) -> Drill:
    exercise, file = str(entry["exercise"]), str(entry["file"])
    attempts, line = _whole(entry.get("attempts", 0)), _whole(entry.get("line", 0))
    return Drill(exercise, file, str(entry["begun"]), attempts, _time(entry.get("fixed")), line)


def _diagnosis_of(entry: dict[str, Any]) -> Diagnosis:
    return Diagnosis(str(entry["fault"]), str(entry["said"]), _time(entry["at"]) or "")


def _record_of(entry: dict[str, Any]) -> Record:
    mistakes = entry.get("mistakes", {}).items()
    return Record(
        attempts=_whole(entry.get("attempts", 0)),
        passed=_time(entry.get("passed")),
        hints=_whole(entry.get("hints", 0)),
        gave_up=_time(entry.get("gave_up")),
        mistakes={name: _whole(times) for name, times in mistakes},
        met={name: when for name, when in entry.get("met", {}).items() if _time(when)},
        steps=list(map(str, entry.get("steps", []))),
        predictions=_whole(entry.get("predictions", 0)),
    )


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(f"{value!r} is no count")
    return value


def _time(value: Any) -> str | None:
    if value is not None:
        datetime.fromisoformat(value)
    return value
