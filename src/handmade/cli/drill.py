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
    """Write a solution with one mistake in it, for you to find and fix. Drills are recorded.

    The mistakes never run out: listed ones, and small edits of right solutions in many styles."""
    from handmade.cli.checking import here_or_started
    from handmade.cli.screen import say
    from handmade.cli.verdicts import shown_from_here
    from handmade.workshop.drills import write_drill
    from handmade.workshop.naming import meant

    given = meant(name) if name else None
    drill = write_drill(here_or_started(), given, seed)
    shown = shown_from_here(drill.path)
    say(f"{drill.exercise.title}: {shown} has one mistake. Find it, fix it, then run:\n")
    say(f"  handmade check {drill.exercise.name} --file {shown}")
