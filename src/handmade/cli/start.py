"""handmade start: a workspace with one file an exercise."""

from pathlib import Path
from typing import Annotated

import typer


def start(
    folder: Annotated[Path | None, typer.Argument(help="The folder; by default ./handmade-workshop.")] = None,
) -> None:
    """Create a workspace of exercises, or add the new ones to yours; what you have written stays as it is.

    The numbered files of an older workspace (37_causal_mask.py) move into their topics' folders."""
    from handmade.workshop.exercises import NAMES, exercise_named
    from handmade.workshop.workspace import start as make
    from handmade.workshop.workspace import workspace_around

    around = workspace_around(Path.cwd()) if folder is None else None
    started = make(around.folder if around else folder or Path("handmade-workshop"))
    workspace = started.workspace
    first = workspace.upcoming() or NAMES[0]
    inside = Path.cwd().resolve() == workspace.folder.resolve()
    if started.moved:
        old, now = started.moved[0]
        typer.echo(
            f"{len(started.moved)} files moved into the folders of their topics, as they are: {old.name} is now "
            f"{workspace.shown(now)}."
        )
    new = f"{len(started.written)} new files" if started.written else "Nothing new"
    typer.echo(f"{new} in {workspace.folder}: {len(NAMES)} exercises, in the order of study.\n")
    exercise = exercise_named(first)
    steps = [
        *([] if inside else [f"cd {workspace.folder}"]),
        f"Open {workspace.where(first)} in your editor. It says what to write: {exercise.title.lower()}, about "
        f"{exercise.minutes} minutes.\n     Put your code in the place of `raise NotImplementedError`, and save.",
        f"handmade check {first}",
    ]
    for number, step in enumerate(steps, 1):
        typer.echo(f"  {number}. {step}")
    typer.echo(
        f"\nIf you are stuck: handmade hint {first}. To check every time you save: handmade watch.\n"
        "Later: handmade progress; handmade drill (find the mistake in our code); handmade interview (timed)."
    )
