"""handmade plan: what is next today, and the progress of each item of the plan."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handmade.errors import InputError

if TYPE_CHECKING:
    from datetime import date


def plan(
    action: Annotated[str | None, typer.Argument(help="'done' marks an item as watched, 'undo' unmarks it.")] = None,
    item: Annotated[str | None, typer.Argument(help="The item, for example cs231n-5.")] = None,
    all: Annotated[bool, typer.Option("--all", help="List every item of the plan with its progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    start: Annotated[str | None, typer.Option(help="The plan's first day, for example 2026-12-01.")] = None,
    interview: Annotated[str | None, typer.Option(help="The day of the interview, for example 2026-12-14.")] = None,
) -> None:
    """Show what is next today: cards to review, what to watch, what to build, what is behind.

    `handmade plan done ITEM` marks an item as watched, `handmade plan undo ITEM` takes that back. What you know and
    what you have built need no mark: reviews and checks record them. --json prints all items with their state.
    """
    import json

    from handmade.cli.screen import page, say
    from handmade.cli.studying import here
    from handmade.study.overview import plan_as_data, plan_in_lines
    from handmade.study.wording import today_in_lines

    if action is not None:
        _tick(action, item)
        return
    if start is not None or interview is not None:
        set_dates(Path.cwd(), start, interview)
    standing, _, workspace = here()
    if as_json:
        typer.echo(json.dumps(plan_as_data(standing), indent=1))
    elif all:
        page(plan_in_lines(standing))
    else:
        say("\n".join(today_in_lines(standing)))
        if workspace is None:
            say("\nThe exercises need a folder: `handmade start` makes one.")


def _tick(action: str, item: str | None) -> None:
    if action not in ("done", "undo"):
        raise InputError(f"`plan {action}` is not known: `handmade plan done ITEM` and `handmade plan undo ITEM` are.")
    if item is None:
        raise InputError(f"which item is {action}? `handmade plan {action} ITEM`; `handmade plan --all` lists them.")
    if action == "done":
        _done(item)
    else:
        _undo(item)


def _done(item: str) -> None:
    from handmade.cli.screen import say
    from handmade.cli.studying import here
    from handmade.study.standing import tick
    from handmade.study.wording import today_in_lines

    standing, journal, _ = here()
    title = standing.plan.item(item).title
    if tick(standing, journal, item):
        say(f"Watched: {title}. (`handmade plan undo {item}` takes it back.)\n")
    else:
        say(f"{title} was ticked before.\n")
    say("\n".join(today_in_lines(here()[0])))


def _undo(item: str) -> None:
    from handmade.cli.screen import say
    from handmade.cli.studying import here
    from handmade.study.standing import untick

    standing, journal, _ = here()
    untick(standing, journal, item)
    say(f"No longer ticked: {standing.plan.item(item).title}.")


def set_dates(folder: Path, start: str | None, interview: str | None) -> None:
    """Remember the plan's first day and the interview's for the learner of a folder; what is None stays as it was."""
    from datetime import UTC, datetime

    from handmade.study.standing import remember_dates, standing_here

    standing, journal, _ = standing_here(folder, datetime.now(UTC))
    first = day_of(start, "--start") if start else None
    last = day_of(interview, "--interview") if interview else None
    remember_dates(standing, journal, first, last)


def day_of(text: str, name: str) -> "date":
    """A date as it is typed. InputError where it is none."""
    from datetime import date

    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InputError(f"{name} is {text!r}, expected a date, for example 2026-12-14.") from None
