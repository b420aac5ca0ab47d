"""handmade progress: what has been done in this workspace."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from handmade.workshop.progress import Progress


def progress(
    topic: Annotated[
        str | None, typer.Argument(help="Show the exercises of this topic, one by one, for example attention.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show every exercise.")] = False,
) -> None:
    """Show which exercises you have passed and which is next, by topic; and your most frequent mistakes.

    With a topic, or --all: each exercise with its number, attempts and hints. Numbers stand for names everywhere:
    `handmade check 2`.
    """
    from pathlib import Path

    from handmade.cli.checking import here
    from handmade.cli.screen import page, say
    from handmade.workshop.exercises import NAMES, names_of
    from handmade.workshop.interviews import known
    from handmade.workshop.workspace import workspace_around

    if topic is not None:
        known(topic)
    workspace = here(workspace_around(Path.cwd()))
    done = workspace.progress()
    if topic is not None or every:
        page(_each(done, names_of(topic)))
    else:
        print(_by_topic(done))
    say(f"\n{sum(done.of(name).passed is not None for name in NAMES)} of {len(NAMES)} passed.")
    for line in _mistakes_and_more(done):
        say(line)
    upcoming = workspace.upcoming()
    if upcoming:
        say(f"Next: {workspace.where(upcoming)}. Then: handmade check {upcoming}")


def _by_topic(done: "Progress") -> str:
    """A line a topic: how many are passed, and which is next there."""
    from handmade.cli.screen import fitted
    from handmade.workshop.exercises import NAMES, TOPICS, names_of

    rows = []
    for topic in TOPICS:
        names = names_of(topic)
        left = [name for name in names if done.of(name).passed is None]
        if names:
            upcoming = f"{NAMES.index(left[0]) + 1} {left[0]}" if left else ""
            rows.append((topic, f"{len(names) - len(left)} of {len(names)}", upcoming))
    return fitted(("topic", "passed", "next"), rows)


def _each(done: "Progress", names: list[str]) -> str:
    """A line an exercise."""
    from handmade.cli.screen import fitted
    from handmade.workshop.exercises import NAMES

    entries = [(name, done.of(name)) for name in names]
    rows = [
        (f"{NAMES.index(name) + 1:2} {name}", entry.status, entry.attempts, entry.hints, (entry.passed or "")[:10])
        for name, entry in entries
    ]
    return fitted(("exercise", "", "attempts", "hints", "passed on"), rows)


def _mistakes_and_more(done: "Progress") -> list[str]:
    """What was wrong most often, and how drills and interviews went."""
    lines = []
    if mistakes := done.mistakes():
        listed = ", ".join(f"{name} ({number})" for name, number in mistakes.most_common(5))
        lines.append(f"Your most frequent mistakes: {listed}.")
    if done.drills:
        lines.append(f"Drills: {sum(drill.fixed is not None for drill in done.drills)} of {len(done.drills)} fixed.")
    if done.diagnoses:
        right = sum(diagnosis.said == diagnosis.fault for diagnosis in done.diagnoses)
        lines.append(f"Runs with a mistake: {right} of {len(done.diagnoses)} diagnosed rightly.")
    if done.interviews:
        good = sum(bool(interview.get("passed")) for interview in done.interviews)
        lines.append(f"Interviews: {good} of {len(done.interviews)} passed.")
    return lines
