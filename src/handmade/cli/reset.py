"""handmade reset: begin an exercise again."""

from typing import Annotated

import typer


def reset(name: Annotated[str, typer.Argument(help="The exercise.")]) -> None:
    """Restore an exercise's stub; what you wrote is kept in a file beside it."""
    from handmade.cli.checking import chosen
    from handmade.cli.screen import say

    workspace, exercise = chosen(name)
    backup = workspace.reset(exercise.name)
    say(f"{workspace.file(name)} is the stub again.")
    if backup is not None:
        say(f"What you had written is in {workspace.shown(backup)}.")
