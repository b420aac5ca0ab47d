"""handmade plan: what is next today, and the progress of each item of the plan."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handmade.errors import InputError

if TYPE_CHECKING:
    from datetime import date

    from handmade.study.standing import Standing


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

    from handmade.cli.screen import say as show
    from handmade.cli.studying import here
    from handmade.study.wording import today_in_lines

    if action is not None:
        _tick(action, item)
        return
    if start is not None or interview is not None:
        set_dates(Path.cwd(), start, interview)
    standing, _, workspace = here()
    if as_json:
        typer.echo(json.dumps(_as_data(standing), indent=1))
    elif all:
        show(_all(standing))
    else:
        show("\n".join(today_in_lines(standing)))
        if workspace is None:
            show("\nThe exercises need a folder: `handmade start` makes one.")


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
    from handmade.cli.screen import say as show
    from handmade.cli.studying import here
    from handmade.study.wording import today_in_lines

    standing, journal, _ = here()
    found = standing.plan.item(item)
    if found.kind == "know":
        raise InputError(f"{item} is known by its cards, not ticked: `handmade review --item {item}` asks them.")
    if found.kind == "build":
        raise InputError(f"{item} is built, not ticked: what passes `handmade check` counts.")
    if item in standing.watched:
        show(f"{found.title} was ticked before.\n")
    else:
        journal.append("watched", item=item)
        show(f"Watched: {found.title}. (`handmade plan undo {item}` takes it back.)\n")
    show("\n".join(today_in_lines(here()[0])))


def _undo(item: str) -> None:
    from handmade.cli.studying import here

    standing, journal, _ = here()
    found = standing.plan.item(item)
    ticks = [event for event in standing.events if event.what == "watched" and event["item"] == item]
    if not ticks:
        raise InputError(f"{item} is not ticked.")
    for event in ticks:
        journal.undo(event)
    typer.echo(f"No longer ticked: {found.title}.")


def set_dates(folder: Path, start: str | None, interview: str | None) -> None:
    """Remember the plan's first day and the interview's for the learner of a folder; what is None stays as it was."""
    from datetime import UTC, datetime

    from handmade.study.standing import standing_here

    standing, journal, _ = standing_here(folder, datetime.now(UTC))
    first = day_of(start, "--start") if start else standing.first_day
    last = day_of(interview, "--interview") if interview else standing.interview
    if last is not None and last < first:
        raise InputError(f"the interview on {last} would be before the plan's first day, {first}.")
    journal.append("start", day=first.isoformat(), interview=last.isoformat() if last else None)


def day_of(text: str, name: str) -> "date":
    """A date as it is typed. InputError where it is none."""
    from datetime import date

    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InputError(f"{name} is {text!r}, expected a date, for example 2026-12-14.") from None


def _all(standing: "Standing") -> str:
    from handmade.study.wording import day_in_words, headline, status_in_words

    lines = [headline(standing)]
    for part in standing.plan.parts:
        lines += ["", part]
        for status in standing.statuses.values():
            item = status.item
            if item.part != part:
                continue
            mark = "✓" if status.complete else "→" if status.first <= standing.today else " "
            star = " (most important)" if item.most_important else ""
            lines.append(f" {mark} {item.title}{star}")
            lines.append(f"     {item.id}; {day_in_words(status.first, standing.today)}; {status_in_words(status)}")
            left = [name for name in item.exercises if not standing.progress.of(name).passed]
            seen = [item.link] if item.link else []
            seen += [f"handmade check {left[0]}"] if left else []
            seen += [item.run] if item.run else []
            lines += [f"     {where}" for where in seen]
    return "\n".join(lines)


def _as_data(standing: "Standing") -> dict[str, Any]:
    due = standing.queue()
    watch = standing.next_watch
    return {
        "today": standing.today.isoformat(),
        "first_day": standing.first_day.isoformat(),
        "interview": standing.interview.isoformat() if standing.interview else None,
        "streak": standing.streak,
        "due": due,
        "next": {"watch": watch.id if watch else None, "exercise": standing.next_exercise},
        "behind": [status.item.id for status in standing.behind],
        "items": [
            {
                "id": status.item.id,
                "part": status.item.part,
                "kind": status.item.kind,
                "title": status.item.title,
                "first_day": status.first.isoformat(),
                "last_day": status.last.isoformat(),
                "watched": status.watched,
                "cards": status.cards,
                "known": status.known,
                "exercises": list(status.item.exercises),
                "passed": [name for name in status.item.exercises if standing.progress.of(name).passed],
                "done": status.done,
                "complete": status.complete,
                "link": status.item.link,
                "look": list(status.item.look),
                "run": status.item.run,
            }
            for status in standing.statuses.values()
        ],
    }
