"""One file to be judged, as it goes to whoever judges it, and the verdict that comes back: plain data, both ways."""

import hashlib
import json
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from handmade import __version__
from handmade.errors import InputError, JudgeError
from handmade.workshop.cell.job import Limits
from handmade.workshop.exercises import exercise_named
from handmade.workshop.judging.judge import Judge

Verdict = dict[str, Any]
"""A verdict as `handmade check --json` prints it."""


@dataclass(frozen=True)
class Paper:
    """A file's content, its name, the student's modules that it imports, and how it is judged: one seed for all."""

    exercise: str
    name: str
    source: bytes
    helpers: tuple[tuple[str, bytes], ...]
    seed: int
    seconds: float

    @property
    def key(self) -> str:
        """The same for papers on which the verdict is the same, and for this version of the judge alone."""
        parts = [__version__.encode(), self.exercise.encode(), self.name.encode(), self.source]
        parts += [part for name, content in self.helpers for part in (name.encode(), content)]
        parts += [str(self.seed).encode(), str(self.seconds).encode()]
        lengths = json.dumps([len(part) for part in parts]).encode()
        return hashlib.sha256(lengths + b"".join(parts)).hexdigest()


def verdict_on(paper: Paper) -> Verdict:
    """The verdict, in this process's judge, which stays warm. Mends are not searched for at length."""
    with tempfile.TemporaryDirectory(prefix="handmade-paper-") as folder:
        for name, content in (*paper.helpers, (paper.name, paper.source)):
            Path(folder, name).write_bytes(content)
        try:
            verdict = _judge(paper.seconds).check(Path(folder, paper.name), exercise_named(paper.exercise), paper.seed)
        except (JudgeError, InputError) as error:
            return not_judged(paper, f"the judge failed on it: {error.__cause__ or error}")
    return verdict.as_json()


def not_judged(paper: Paper, why: str) -> Verdict:
    """What stands in a verdict's place where there is none."""
    mistake = {"name": NOT_JUDGED, "message": f"{why}.", "evidence": "", "line": None, "mend": None}
    return {"exercise": paper.exercise, "passed": False, "mistakes": [mistake], "conventions": [], "tests": []}


def is_judged(verdict: Verdict) -> bool:
    """Whether it is one at all."""
    return all(mistake["name"] != NOT_JUDGED for mistake in verdict["mistakes"])


NOT_JUDGED = "not judged"
"""The name of the only mistake of a file on which there is no verdict."""


@cache
def _judge(seconds: float) -> Judge:
    return Judge(Limits(seconds=seconds), thorough=False)
