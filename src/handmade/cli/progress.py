"""handmade progress: what has been done in this workspace."""

from collections import Counter

import typer


def progress() -> None:
    """Show which exercises you have passed, with attempts and hints, and your most frequent mistakes."""
    from pathlib import Path

    from handmade.cli.checking import here
    from handmade.tables import table
    from handmade.workshop.exercises import NAMES, exercise_named
    from handmade.workshop.progress import Record
    from handmade.workshop.workspace import workspace_around

    workspace = here(workspace_around(Path.cwd()))
    done = workspace.progress()

    def status(entry: Record) -> str:
        if entry.passed:
            return "passed, after giving up" if entry.gave_up and entry.gave_up < entry.passed else "passed"
        return "gave up" if entry.gave_up else "begun" if entry.attempts or entry.hints else ""

    entries = {name: done.of(name) for name in NAMES}
    rows = [
        (name, exercise_named(name).topic, status(entry), entry.attempts, entry.hints, (entry.passed or "")[:10])
        for name, entry in entries.items()
    ]
    typer.echo(table(("exercise", "topic", "", "attempts", "hints", "passed on"), rows))
    passed = sum(entry.passed is not None for entry in entries.values())
    typer.echo(f"\n{passed} of {len(NAMES)} passed.")
    mistakes = sum((Counter(entry.mistakes) for entry in entries.values()), Counter[str]())
    mistakes.pop("not written yet", None)
    if mistakes:
        listed = ", ".join(f"{name} ({number})" for name, number in mistakes.most_common(5))
        typer.echo(f"Your most frequent mistakes: {listed}.")
    if done.interviews:
        good = sum(bool(interview.get("passed")) for interview in done.interviews)
        typer.echo(f"Interviews: {good} of {len(done.interviews)} passed.")
    upcoming = workspace.upcoming()
    if upcoming:
        typer.echo(f"Next: {workspace.where(upcoming)}.")
