"""handmade solution: how we write it."""

from typing import Annotated

import typer

from handmade.errors import InputError


def solution(
    name: Annotated[str, typer.Argument(help="The exercise.")],
    give_up: Annotated[
        bool, typer.Option("--give-up", help="Show it before you have passed the exercise; this is recorded.")
    ] = False,
) -> None:
    """Print our solution to an exercise you have passed."""
    from handmade.cli.checking import chosen
    from handmade.workshop.interviews import refuse_while_running
    from handmade.workshop.source import solution as written

    workspace, exercise = chosen(name)
    name = exercise.name
    refuse_while_running(workspace, name, "the solution")
    if workspace.progress().of(name).passed is None:
        if not give_up:
            raise InputError(
                f"you have not passed {name} yet. `handmade hint {name}` helps; `handmade solution {name} --give-up` "
                "shows it anyway, and this is recorded."
            )
        workspace.change(lambda progress: progress.give_up(name))
    typer.echo(written(exercise), nl=False)
