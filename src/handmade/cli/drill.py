"""handmade drill: find and fix the mistake in our code."""

from pathlib import Path
from typing import Annotated

import typer


def drill(
    name: Annotated[str | None, typer.Argument(help="The exercise; by default one you have passed.")] = None,
    seed: Annotated[
        int | None, typer.Option(help="The seed of the random choice; the same seed gives the same mistake.")
    ] = None,
) -> None:
    """Write a solution with one mistake in it, for you to find and fix."""
    import random

    from handmade.files import write_text
    from handmade.workshop.exercises import NAMES, exercise_named
    from handmade.workshop.progress import free_path
    from handmade.workshop.source import faulty
    from handmade.workshop.workspace import made, workspace_around

    draw = random.Random(seed)
    workspace = workspace_around(Path.cwd())
    if name is None:
        passed = [n for n in NAMES if workspace and workspace.progress().of(n).passed]
        name = draw.choice(passed or NAMES)
    exercise = exercise_named(name)
    fault = draw.choice(sorted(exercise.faults))
    folder = made((workspace.folder if workspace else Path.cwd()) / "drills")
    path = free_path(folder, f"{name}.{{}}.py")
    write_text(path, faulty(exercise, fault))
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    typer.echo(f"{exercise.title}: {shown} has one mistake. Find it, fix it, then run:\n")
    typer.echo(f"  handmade check {name} --file {shown}")
