"""Drills: our code with one mistake in it, to be found and mended."""

import random
from pathlib import Path

from handmade.files import write_text
from handmade.workshop.exercise import Exercise
from handmade.workshop.exercises import NAMES, exercise_named
from handmade.workshop.progress import free_path
from handmade.workshop.source import faulty
from handmade.workshop.workspace import DRILLS, Workspace, made


def write_drill(workspace: Workspace, name: str | None = None, seed: int | None = None) -> tuple[Exercise, Path]:
    """Write a solution with one of its listed faults into drills/ and record it: the exercise, and the file.

    name: of the exercise; by default one that was passed, or any where none was. seed: draws the same exercise, passed
    or not, and the same fault each time.
    """
    draw = random.Random(seed)
    progress = workspace.progress()
    passed = [one for one in NAMES if progress.of(one).passed]
    exercise = exercise_named(name or draw.choice(NAMES if seed is not None else passed or NAMES))
    fault = draw.choice(sorted(exercise.faults))
    path = free_path(made(workspace.folder / DRILLS), f"{exercise.name}.{{}}.py")
    write_text(path, faulty(exercise, fault))
    workspace.change(lambda progress: progress.begin_drill(exercise.name, path.name))
    return exercise, path
