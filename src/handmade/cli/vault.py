"""handmade vault: the plan, its cards and numbers in a vault of notes (Obsidian)."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handmade.cli.screen import say
from handmade.errors import InputError

if TYPE_CHECKING:
    from handmade.study.vault import Change, Taken, Vault


def vault(
    folder: Annotated[Path, typer.Argument(help="The vault's folder, for example ~/Notes.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Write without asking, even the first time.")] = False,
) -> None:
    """Take over what you ticked and reviewed in the vault, then write the plan, its cards and numbers into it.

    Cards are written for the plugin Spaced Repetition, in notes of their own. In your own notes only the blocks
    between `%% handmade ... %%` marks are ours: nothing else changes, and a block that you have edited stays as it is.
    Ticks (- [x]) on items to watch count as watched. Cards that the plugin has scheduled wait here until their day.
    """
    from handmade.cli.studying import here
    from handmade.study.vault import Vault, after, keep

    standing, journal, _ = here()
    notes = Vault(folder)
    taken = notes.take_over(standing)
    would_stand = after(taken, standing)
    if dry_run:
        _say_taken(taken, "Would take over")
        for change in notes.changes(would_stand, taken.ticked):
            if change.changes:
                say(change.diff(notes.name_of(change.path)).rstrip())
            _say(notes, change)
        return
    if taken.first_time and not yes:
        _ask(notes, notes.changes(would_stand, taken.ticked))
    keep(taken, standing, journal)
    _say_taken(taken, "Taken over")
    changes = notes.write(here()[0], taken.ticked)
    for change in changes:
        if change.changes:
            say(f"{'Changed' if change.before is not None else 'New'}: {notes.name_of(change.path)}")
        _say(notes, change)
    if not any(change.changes for change in changes):
        say("The vault is up to date.")
    say(
        "In Obsidian, the community plugin Spaced Repetition asks the cards. Tick there what you have watched, and run "
        "this again: it takes over ticks and dates."
    )


def _ask(notes: "Vault", changes: "list[Change]") -> None:
    if not notes.is_known:
        say(f"{notes.folder} has no .obsidian folder: is it a vault?")
    say("The first time in this vault. This would be written:")
    for change in changes:
        if change.changes:
            kind = "changes, at its blocks only" if change.before is not None else "new"
            say(f"  {notes.name_of(change.path)} ({kind})")
        _say(notes, change)
    say("`--dry-run` shows every line.")
    if not sys.stdin.isatty():
        raise InputError("nothing is written: the first time, say --yes.")
    if not typer.confirm("Write it?"):
        raise typer.Exit(1)


def _say_taken(taken: "Taken", word: str) -> None:
    if taken.watched:
        say(f"{word}: watched {', '.join(taken.watched)}.")
    if taken.undone:
        say(f"{word}: no longer ticked {', '.join(taken.undone)}.")
    if taken.seen:
        say(f"{word}: the dates of {len(taken.seen)} cards that you reviewed there.")


def _say(notes: "Vault", change: "Change") -> None:
    for text in change.said:
        say(f"{notes.name_of(change.path)}: {text}.")
