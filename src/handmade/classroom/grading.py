"""A class is graded: every file judged once, however often the grading is interrupted and begun again."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from handmade.classroom.papers import Paper, Verdict, is_judged
from handmade.classroom.submissions import Collected, Handed, Note
from handmade.errors import InputError
from handmade.files import cannot_write, locked, write_text

RECORD, SETTINGS = "graded.jsonl", "grading.json"

Spread = Callable[[Iterable[Paper]], Iterator[tuple[Paper, Verdict]]]
"""Has papers judged, wherever that is."""


@dataclass(frozen=True)
class Grade:
    """The verdict on a student's file. where: the file, as its owner would call it."""

    student: str
    exercise: str
    where: str
    verdict: Verdict
    source: str = field(repr=False, default="")

    @property
    def passed(self) -> bool:
        return bool(self.verdict["passed"])

    @property
    def judged(self) -> bool:
        """Whether there is a verdict at all."""
        return is_judged(self.verdict)


@dataclass
class Grades:
    """What came of it: all grades, the students in the roster's order, notes, and how many files were judged now."""

    grades: list[Grade] = field(default_factory=list)
    students: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    judged_now: int = 0


def grade(
    found: Collected,
    folder: Path,
    spread: Spread,
    seconds: float = 10.0,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Grades:
    """Judge what was handed in; the record in `folder` grows with each verdict, and what is in it is not judged again.

    seconds: the time limit of a file. progress: called with how many files are done, of how many.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    with locked(folder, busy=f"{folder} is in use: another `handmade grade` writes to it."):
        grades = Grades(students=found.students, notes=list(found.notes))
        seed, known = _seed(folder), dict(_recorded(folder / RECORD))
        papers: dict[str, tuple[Paper, list[Handed]]] = {}
        for handed in found.handed:
            try:
                paper = _paper(handed, seed, seconds)
            except ValueError as error:
                grades.notes.append(Note(handed.student, f"{handed.exercise}: {handed.place} {error}"))
                continue
            papers.setdefault(paper.key, (paper, []))[1].append(handed)
        todo = [paper for key, (paper, _) in papers.items() if key not in known]
        progress(len(papers) - len(todo), len(papers))
        with _appended(folder / RECORD) as record:
            for done, (paper, verdict) in enumerate(spread(todo), len(papers) - len(todo) + 1):
                known[paper.key] = verdict
                if is_judged(verdict):
                    record(paper.key, verdict)
                progress(done, len(papers))
        grades.judged_now = len(todo)
        for key, (paper, all_of_it) in papers.items():
            text = paper.source.decode("utf-8", "replace")
            grades.grades += [Grade(h.student, h.exercise, str(h.place), known[key], text) for h in all_of_it]
        order = {student: number for number, student in enumerate(grades.students)}
        grades.grades.sort(key=lambda one: order[one.student])
        return grades


def _paper(handed: Handed, seed: int, seconds: float) -> Paper:
    name = handed.exercise + Path(handed.place.member or handed.place.path).suffix.lower()
    helpers = tuple((name, place.content) for name, place in handed.helpers)
    return Paper(handed.exercise, name, handed.place.content, helpers, seed, seconds)


def _seed(folder: Path) -> int:
    """The seed of the second set of cases: drawn once, and the same for the whole class."""
    path = folder / SETTINGS
    try:
        return int(json.loads(path.read_text())["seed"])
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged: remove it, and all files are judged again.") from error
    seed = int.from_bytes(os.urandom(4))
    write_text(path, json.dumps({"seed": seed}))
    return seed


def _recorded(path: Path) -> Iterator[tuple[str, Verdict]]:
    """The verdicts of earlier runs. A last line that was not written to its end is cut off."""
    if not path.exists():
        return
    content = path.read_bytes()
    whole = content.rpartition(b"\n")[0]
    if len(whole) + 1 < len(content):
        with path.open("r+b") as file:
            file.truncate(len(whole) + bool(whole))
    for line in whole.split(b"\n"):
        try:
            fact: dict[str, Any] = json.loads(line)
            yield fact["key"], fact["verdict"]
        except (ValueError, KeyError, TypeError):
            continue  # judged again


@contextmanager
def _appended(path: Path) -> Iterator[Callable[[str, Verdict], None]]:
    """What adds a verdict to the record: a line, handed to the system before the next paper is judged."""

    def add(key: str, verdict: Verdict) -> None:
        file.write(json.dumps({"key": key, "verdict": verdict}).encode() + b"\n")
        file.flush()

    try:
        with path.open("ab") as file:
            yield add
    except OSError as error:
        raise cannot_write(path, error) from error
