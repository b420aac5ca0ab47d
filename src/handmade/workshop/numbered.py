"""Workspaces as they were before: all files in one folder, with numbers in their names, as 37_causal_mask.py."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from handmade.files import cannot_write
from handmade.workshop.exercises import NAMES, topic_of
from handmade.workshop.progress import free_path

_NUMBERED = re.compile(r"\d\d_(\w+?)(\.backup-\d+)?\.py")


class Move(NamedTuple):
    """A file that was moved."""

    old: Path
    new: Path


def numbered_file(folder: Path, name: str) -> Path | None:
    """The exercise's file, where it still has a number."""
    found = sorted(folder.glob(f"[0-9][0-9]_{name}.py"))
    return found[0] if found else None


def has_numbered_files(folder: Path) -> bool:
    """Whether any exercise's file still has a number here."""
    return any(match[2] is None for _, match in _numbered(folder))


def _numbered(folder: Path) -> Iterator[tuple[Path, re.Match[str]]]:
    """The files of exercises with numbers in their names, and the copies that `reset` kept, in order."""
    for path in sorted(folder.glob("[0-9][0-9]_*.py")):
        match = _NUMBERED.fullmatch(path.name)
        if match is not None and match[1] in NAMES and path.is_file():
            yield path, match


def carry_over(folder: Path) -> list[Move]:
    """Move each numbered file, and the copies that `reset` kept, into the folder of its topic.

    No file takes another's place: one whose place is taken becomes a further copy beside it. Killed half-way, it
    leaves each file under its old name or its new one. InputError where the folder cannot be written.
    """
    moves = []
    for old, match in _numbered(folder):
        topic = folder / topic_of(match[1])
        try:
            topic.mkdir(exist_ok=True)
            new = topic / f"{match[1]}{match[2] or ''}.py"
            if new.exists():
                new = free_path(topic, f"{match[1]}.backup-{{}}.py")
            old.rename(new)
        except OSError as error:
            raise cannot_write(topic, error) from error
        moves.append(Move(old, new))
    return moves
