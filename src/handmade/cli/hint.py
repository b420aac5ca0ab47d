"""handmade hint: the next of three hints."""

from typing import Annotated

import typer


def hint(
    name: Annotated[str | None, typer.Argument(help="The exercise; by default the first one not yet passed.")] = None,
) -> None:
    """Show the next hint; each gives more away. Hints are recorded.

    After a check that pointed at a line: first the line, then the kind of mend, then the edit itself, as far as they
    are known. Then the exercise's own three hints.
    """
    from handmade.cli.checking import chosen
    from handmade.cli.hinting import next_in_words
    from handmade.cli.screen import say
    from handmade.workshop.interviews import refuse_while_running

    workspace, exercise = chosen(name)
    refuse_while_running(workspace, exercise.name, "a hint")
    say(next_in_words(workspace, exercise))
    say(f"\nAgain for the next; then: handmade check {exercise.name}")
