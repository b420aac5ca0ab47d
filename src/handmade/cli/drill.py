"""handmade drill: find and fix the mistake in our code."""

from typing import Annotated

import typer


def drill(
    name: Annotated[str | None, typer.Argument(help="The exercise; by default one you have passed.")] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="The seed of the random choice; the same seed gives the same exercise and mistake."),
    ] = None,
) -> None:
    """Write a solution with one mistake in it, for you to find and fix. Drills are recorded."""
    import random

    from handmade.cli.checking import here_or_started
    from handmade.cli.screen import say
    from handmade.cli.verdicts import shown_from_here
    from handmade.files import write_text
    from handmade.workshop.exercises import NAMES, exercise_named
    from handmade.workshop.naming import meant
    from handmade.workshop.progress import free_path
    from handmade.workshop.source import faulty
    from handmade.workshop.workspace import made

    given = meant(name) if name else None
    workspace = here_or_started()
    draw = random.Random(seed)
    passed = [one for one in NAMES if workspace.progress().of(one).passed]
    exercise = exercise_named(given or draw.choice(NAMES if seed is not None else passed or NAMES))
    fault = draw.choice(sorted(exercise.faults))
    path = free_path(made(workspace.folder / "drills"), f"{exercise.name}.{{}}.py")
    write_text(path, faulty(exercise, fault))
    workspace.change(lambda progress: progress.begin_drill(exercise.name, path.name))
    shown = shown_from_here(path)
    say(f"{exercise.title}: {shown} has one mistake. Find it, fix it, then run:\n")
    say(f"  handmade check {exercise.name} --file {shown}")
