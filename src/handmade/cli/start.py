"""handmade start: a workspace with one file an exercise."""

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handmade.cli.screen import prompted, say
from handmade.errors import InputError

if TYPE_CHECKING:
    from handmade.workshop.workspace import Workspace


def start(
    folder: Annotated[Path | None, typer.Argument(help="The folder; by default ./handmade-workshop.")] = None,
    interview: Annotated[str | None, typer.Option(help="The date of your interview, for example 2026-12-14.")] = None,
    notebooks: Annotated[
        bool, typer.Option("--notebooks", help="Write the exercises as notebooks, too: one a topic, in notebooks/.")
    ] = False,
) -> None:
    """Create a workspace of exercises, or add the new ones to yours; what you have written stays as it is.

    The plan begins today. The command asks for the date of your interview, so that the plan ends before it.

    The numbered files of an older workspace (37_causal_mask.py) move into their topics' folders."""
    from handmade.cli.verdicts import shown_from_here
    from handmade.workshop.exercises import NAMES, exercise_named
    from handmade.workshop.workspace import WORKSHOP, workspace_around
    from handmade.workshop.workspace import start as make

    around = workspace_around(Path.cwd()) if folder is None else None
    started = make(around.folder if around else folder or Path(WORKSHOP))
    workspace = started.workspace
    first = workspace.upcoming() or NAMES[0]
    inside = Path.cwd().resolve() == workspace.folder.resolve()
    shown = shown_from_here(workspace.folder)
    if started.moved:
        old, now = started.moved[0]
        say(
            f"{len(started.moved)} files moved into the folders of their topics, as they are: {old.name} is now "
            f"{workspace.shown(now)}."
        )
    count = len(started.written)
    place = "this folder" if inside else shown
    new = f"{count} new file{'s' if count > 1 else ''}" if count else "Nothing new"
    say(f"{new} in {place}: {len(NAMES)} exercises, in the order of study.\n")
    exercise = exercise_named(first)
    steps = [
        *([] if inside else [f"cd {shown}"]),
        f"Open {workspace.where(first)} in your editor. It says what to write: {exercise.title.lower()}, about "
        f"{exercise.minutes} minutes.\n     Replace `raise NotImplementedError` with your code, and save.",
        f"handmade check {first}",
    ]
    if activation := _activation():
        say(f"Your shell does not know `handmade` yet: {activation}\n")
    for number, step in enumerate(steps, 1):
        say(f"  {number}. {step}")
    if notebooks:
        from handmade.workshop.notebooks import FOLDER, write_notebooks

        made_now = write_notebooks(workspace.folder)
        folder = shown_from_here(workspace.folder / FOLDER)
        say(f"\n{len(made_now)} notebooks are new in {folder}: open them in Jupyter or Colab.")
    _set_the_dates(workspace, interview)
    say(
        f"\nIf you are stuck: handmade hint {first}. To check every time you save: handmade watch.\n"
        "Every day: handmade plan shows what is next; handmade review asks what you have learned.\n"
        "Later: handmade progress; handmade drill (find the mistake in our code); handmade interview (timed).\n"
        "The cards in Obsidian: handmade vault FOLDER\n"
        "The cards in Anki: handmade cards --anki handmade.apkg"
    )


def _activation() -> str | None:
    """How the shell gets to know `handmade`, where that was called by its path in a virtual environment."""
    if shutil.which("handmade") or sys.prefix == sys.base_prefix:
        return None
    if os.name == "nt":
        return str(Path(sys.prefix, "Scripts", "activate"))
    return f"source {shlex.quote(str(Path(sys.prefix, 'bin', 'activate')))}"


def _set_the_dates(workspace: "Workspace", interview: str | None) -> None:
    """Remember when the plan begins and when the interview is; as long as that is not known, it is asked for."""
    from datetime import UTC, datetime

    from handmade.cli.plan import day_of, set_dates
    from handmade.study.standing import standing_here

    standing = standing_here(workspace.folder, datetime.now(UTC))[0]
    asking = interview is None and standing.interview is None and sys.stdin.isatty()
    while asking:
        try:
            question = "\nWhen is your interview? (for example 2026-12-14; Enter if there is none yet) "
            typed = input(prompted(question)).strip()
            if typed:
                set_dates(workspace.folder, None, day_of(typed, "the date").isoformat())
                return
            asking = False
        except EOFError:
            asking = False
        except InputError as error:
            say(f"That does not work: {error}")
    if interview is not None or standing.start is None:
        set_dates(workspace.folder, None, interview)
