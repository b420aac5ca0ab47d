"""Drills: our code with one mistake in it, to be found and mended."""

import random
from dataclasses import dataclass
from pathlib import Path

from handmade.files import write_text
from handmade.workshop.exercise import Exercise
from handmade.workshop.exercises import NAMES, exercise_named
from handmade.workshop.judging.judge import Judge
from handmade.workshop.mutants import drawn_mutant
from handmade.workshop.progress import free_path
from handmade.workshop.source import faulty, solution
from handmade.workshop.workspace import DRILLS, Workspace, made

LISTED = 1 / 3
"""The share of drills with a mistake that the exercise lists; the others have a small edit of a right solution."""


@dataclass(frozen=True)
class Drilled:
    """A drill as it was written: the exercise, the file, and the line that the mistake is in."""

    exercise: Exercise
    path: Path
    line: int


def write_drill(workspace: Workspace, name: str | None = None, seed: int | None = None) -> Drilled:
    """Write a right solution with one mistake into drills/ and record it: a listed fault in the solution shown, or an
    edit of that or of a variant in another style, which the judge has refused.

    name: of the exercise; by default one that was passed, or any where none was. seed: draws the same exercise, passed
    or not, and the same mistake each time.
    """
    draw = random.Random(seed)
    progress = workspace.progress()
    passed = [one for one in NAMES if progress.of(one).passed]
    exercise = exercise_named(name or draw.choice(NAMES if seed is not None else passed or NAMES))
    source, line = _listed(exercise, draw) if draw.random() < LISTED else _edited(exercise, draw)
    path = free_path(made(workspace.folder / DRILLS), f"{exercise.name}.{{}}.py")
    write_text(path, source)
    workspace.change(lambda progress: progress.begin_drill(exercise.name, path.name, line))
    return Drilled(exercise, path, line)


def _listed(exercise: Exercise, draw: random.Random) -> tuple[str, int]:
    """The solution shown with one of the listed faults, and the first line that the fault changes."""
    right, wrong = solution(exercise), faulty(exercise, draw.choice(sorted(exercise.faults)))
    pairs = enumerate(zip(right.split("\n"), wrong.split("\n"), strict=False), 1)
    return wrong, next((number for number, (a, b) in pairs if a != b), 1)


def _edited(exercise: Exercise, draw: random.Random) -> tuple[str, int]:
    """A right solution with one edit that makes it wrong, and the line; a listed fault where no edit does."""
    with Judge() as judge:
        mutant = drawn_mutant(judge, exercise, draw)
    return (mutant.source, mutant.line) if mutant is not None else _listed(exercise, draw)
