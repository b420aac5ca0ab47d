"""handmade reset: begin an exercise again."""

from typing import Annotated

import typer


def reset(name: Annotated[str, typer.Argument(help="The exercise.")]) -> None:
    """Restore an exercise's stub; what you wrote is kept in a file beside it."""
    from handmade.cli.checking import chosen

    workspace, exercise = chosen(name)
    backup = workspace.reset(exercise.name)
    typer.echo(f"{workspace.file(name)} is the stub again.")
    if backup is not None:
        typer.echo(f"What you had written is in {workspace.shown(backup)}.")
