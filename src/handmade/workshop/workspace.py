"""A learner's workspace: a folder with one file an exercise, in the order of study, and the record of what was done."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from handmade.files import cannot_write, write_bytes, write_text
from handmade.workshop.exercises import NAMES, exercise_named
from handmade.workshop.judging.judge import Verdict
from handmade.workshop.source import stub

PROGRESS = "progress.json"


@dataclass
class Record:
    """What was done about one exercise. Times are local, as 2026-01-31T12:00:00; None: not yet.

    mistakes: how often each was met. hints: how many were shown. gave_up: when the solution was asked for.
    """

    attempts: int = 0
    passed: str | None = None
    hints: int = 0
    gave_up: str | None = None
    mistakes: dict[str, int] = field(default_factory=dict)


@dataclass
class Progress:
    """Everything that a workspace remembers."""

    exercises: dict[str, Record] = field(default_factory=dict)
    interviews: list[dict[str, Any]] = field(default_factory=list)

    def of(self, name: str) -> Record:
        return self.exercises.setdefault(name, Record())

    def add(self, verdict: Verdict) -> None:
        """Count an attempt, with what came of it; a file with nothing in it is none."""
        names = [mistake.name for mistake in verdict.mistakes]
        if names == ["not written yet"]:
            return
        entry = self.of(verdict.exercise)
        entry.attempts += 1
        if verdict.passed:
            entry.passed = entry.passed or now()
        for name in names:
            entry.mistakes[name] = entry.mistakes.get(name, 0) + 1


@dataclass(frozen=True)
class Workspace:
    """The folder. `said`: what there is to tell about it, as a damaged record that was put aside."""

    folder: Path
    said: Callable[[str], None] = print

    def file(self, name: str) -> Path:
        """Where the exercise's file is, or belongs."""
        found = sorted(self.folder.glob(f"[0-9][0-9]_{name}.py"))
        return found[0] if found else self.folder / f"{NAMES.index(name) + 1:02}_{name}.py"

    def add_missing(self) -> list[Path]:
        """Write the stub of every exercise that has no file; the others stay as they are."""
        written = []
        for name in NAMES:
            path = self.file(name)
            if not path.exists():
                write_text(path, stub(exercise_named(name)))
                written.append(path)
        return written

    def reset(self, name: str) -> Path | None:
        """Write the exercise's stub anew. The path of a copy of what was there, None where nothing was."""
        path, backup = self.file(name), None
        if path.exists():
            backup = free_path(self.folder, f"{path.stem}.backup-{{}}.py")
            write_bytes(backup, path.read_bytes())
        write_text(path, stub(exercise_named(name)))
        return backup

    def progress(self) -> Progress:
        """What is remembered. A damaged record is put aside, said, and a new one begun."""
        path = self.folder / PROGRESS
        try:
            return _progress_of(json.loads(path.read_text("utf-8")))
        except FileNotFoundError:
            return Progress()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            aside = free_path(self.folder, "progress.damaged-{}.json")
            try:
                path.replace(aside)
            except OSError as error:
                raise cannot_write(aside, error) from error
            self.said(f"{path} was damaged. It is now {aside.name}; a new record begins.")
            return Progress()

    def change(self, change: Callable[[Progress], None]) -> Progress:
        """Change what is remembered, as it is on the disk now."""
        progress = self.progress()
        change(progress)
        write_text(self.folder / PROGRESS, json.dumps({"workshop": 1, **asdict(progress)}, indent=1) + "\n")
        return progress

    def upcoming(self) -> str | None:
        """The first exercise that is not passed yet."""
        progress = self.progress()
        return next((name for name in NAMES if progress.of(name).passed is None), None)


def workspace_around(folder: Path) -> Workspace | None:
    """The workspace that a folder is, or lies in."""
    for candidate in (folder, *folder.parents):
        if Workspace(candidate).file(NAMES[0]).is_file():
            return Workspace(candidate)
    return None


def start(folder: Path) -> tuple[Workspace, list[Path]]:
    """Make a workspace, or add to one what it lacks: the files that were written."""
    workspace = Workspace(made(folder))
    written = workspace.add_missing()
    workspace.change(lambda progress: None)
    return workspace, written


def made(folder: Path) -> Path:
    """The folder, which exists now. InputError where it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return folder


def now() -> str:
    """The local time, as a record has it."""
    return datetime.now().isoformat(timespec="seconds")


def _progress_of(facts: dict[str, Any]) -> Progress:
    """ValueError, TypeError or AttributeError where it is not what was written."""
    if facts["workshop"] != 1 or not isinstance(facts["interviews"], list):
        raise ValueError("not a record of the workshop")
    names = {known.name for known in fields(Record)}
    records = {
        name: Record(**{key: value for key, value in record.items() if key in names})
        for name, record in facts["exercises"].items()
    }
    for record in records.values():
        record.attempts, record.hints = int(record.attempts), int(record.hints)
        record.mistakes = dict(record.mistakes)
    return Progress(records, facts["interviews"])


def free_path(folder: Path, pattern: str) -> Path:
    """The first path of this pattern that no file has."""
    return next(path for n in count(1) if not (path := folder / pattern.format(n)).exists())
