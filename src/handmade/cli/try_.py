"""handmade try: one's own function on one case, without a verdict."""

from pathlib import Path
from typing import Annotated

import typer


def try_(
    name: Annotated[str | None, typer.Argument(help="The exercise; by default the first one not yet passed.")] = None,
    case: Annotated[str | None, typer.Option(help="The case, by its label; by default the first.")] = None,
    file: Annotated[Path | None, typer.Option(help="Run this file instead of the one in the workspace.")] = None,
) -> None:
    """Run your function on one case: what it is given and what it returns, in full.

    The right answer is not shown and nothing is recorded: for that there is `handmade check`.
    """
    from handmade.cli.checking import chosen, which
    from handmade.cli.screen import say, width
    from handmade.workshop.trying import tried
    from handmade.workshop.workspace import workspace_around

    if name is None and file is None:
        name = chosen(None)[1].name
    exercise, path = which(name, file, workspace_around(Path.cwd()))
    made = tried(path, exercise, case)
    say(made.shown(width() or 105))
    if case is None:
        labels = dict.fromkeys(one.label for one in exercise.all_cases())
        say(f"\nOther cases, for --case: {'; '.join(list(labels)[1:])}.")
    raise typer.Exit(0 if made.result is not None and made.result.outputs is not None else 1)
