"""The notes vault (Obsidian): ticks and schedules are taken over from it, then our blocks are written into it.

Only the notes that the plan links and those that we began are opened, and in them only our blocks change. Paths are
resolved and must stay in the vault.
"""

import difflib
import re
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from handmade.errors import InputError, printable
from handmade.files import replacing
from handmade.study.blocks import Block, Wanted, merge, read
from handmade.study.journal import Event, Journal
from handmade.study.notes import beginning, front_matter, wanted_notes
from handmade.study.standing import Standing

_TRIES = 5


@dataclass
class Change:
    """How one note would change, or has changed. before: None for a new note; said: what to tell the user."""

    path: Path
    before: bytes | None
    after: bytes | None
    said: list[str] = field(default_factory=list)

    @property
    def changes(self) -> bool:
        return self.after is not None and self.after != self.before

    def diff(self, name: str) -> str:
        """A unified diff."""
        old = (self.before or b"").decode("utf-8-sig").splitlines(keepends=True)
        new = (self.after or b"").decode("utf-8-sig").splitlines(keepends=True)
        lines = difflib.unified_diff(old, new, f"a/{name}", f"b/{name}")
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


@dataclass
class Taken:
    """What the vault knew: items ticked and unticked there, and cards by the day on which it will ask them."""

    watched: list[str] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)
    ticked: dict[str, bool] = field(default_factory=dict)
    first_time: bool = True


class Vault:
    """A folder of notes. Raises InputError for a path that is not a folder."""

    def __init__(self, folder: Path) -> None:
        if not folder.expanduser().is_dir():
            raise InputError(f"{folder} is not a folder: give the folder of your vault.")
        self.folder = folder.expanduser().resolve()

    @property
    def is_known(self) -> bool:
        """Whether Obsidian has opened it."""
        return (self.folder / ".obsidian").is_dir()

    def take_over(self, standing: Standing) -> Taken:
        """What was ticked, unticked and reviewed there since we last wrote; nothing is changed by looking."""
        taken = Taken()
        last_seen = {event["card"]: event["due"] for event in standing.events if event.what == "seen"}
        for name in wanted_notes(standing, {}):
            for block in self._blocks(name):
                taken.first_time = False
                for item, ticked in block.ticks.items():
                    self._take_tick(standing, taken, item, ticked, item in block.ticked)
                due = block.due
                if due and _is_date(due) and last_seen.get(block.id) != due:
                    taken.seen[block.id] = due
        return taken

    def changes(self, standing: Standing, ticked: Mapping[str, bool]) -> list[Change]:
        """What writing would do to each note."""
        return [self._change(name, blocks, standing) for name, blocks in wanted_notes(standing, ticked).items()]

    def write(self, standing: Standing, ticked: Mapping[str, bool]) -> list[Change]:
        """Write the notes, each whole or not at all; one that someone else changes meanwhile is read again."""
        done = []
        for name, blocks in wanted_notes(standing, ticked).items():
            for _ in range(_TRIES):
                change = self._change(name, blocks, standing)
                if not change.changes or _write(change):
                    break
            else:
                change.said.append("it kept changing while we wrote; it is left alone")
                change.after = None
            done.append(change)
        return done

    def name_of(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _take_tick(self, standing: Standing, taken: Taken, item: str, ticked: bool, written: bool) -> None:
        found = next((known for known in standing.plan.items if known.id == item), None)
        if found is None:
            return
        if found.kind != "watch":
            taken.ticked[item] = ticked
        elif ticked and not written and item not in standing.watched:
            taken.watched.append(item)
        elif not ticked and written and item in standing.watched:
            taken.undone.append(item)

    def _blocks(self, name: str) -> list[Block]:
        path = self._path(name)
        try:
            text = path.read_bytes().decode("utf-8-sig") if path else ""
            return [part for part in read(text) if isinstance(part, Block)]
        except (ValueError, OSError):  # said when the note is to be written
            return []

    def _path(self, name: str) -> Path | None:
        """Where the note lies; None where a symbolic link leads out of the vault."""
        path = (self.folder / name).resolve()
        return path if path.is_relative_to(self.folder) else None

    def _change(self, name: str, blocks: list[Wanted], standing: Standing) -> Change:
        shown, path = self.folder / name, self._path(name)
        if path is None:
            return Change(shown, None, None, ["it leads out of the vault; it is left alone"])
        try:
            before = path.read_bytes()
        except FileNotFoundError:
            before = None
        except OSError as error:
            return Change(path, None, None, [f"cannot be read: {error.strerror}"])
        if before is not None and not path.stat().st_mode & stat.S_IWUSR:
            return Change(path, before, None, ["it is read-only; it is left alone"])
        mark = "\ufeff" if before and before.startswith(b"\xef\xbb\xbf") else ""
        try:
            text = beginning(name, standing) if before is None else before.decode("utf-8-sig")
            merged = merge(text, blocks)
        except UnicodeDecodeError:
            return Change(path, before, None, ["it is not UTF-8; it is left alone"])
        except InputError as error:
            return Change(path, before, None, [f"{error}; the note is left alone"])
        text = _with_front_matter(merged.text, front_matter(standing))
        said = [f"{id} was edited by hand and stays; ours is new" for id in merged.kept]
        said += [printable(f"{id} is there twice; the first counts") for id in merged.doubled]
        return Change(path, before, (mark + text).encode(), said)


def after(taken: Taken, standing: Standing) -> Standing:
    """Where the learner would stand when that is taken over."""
    events = [event for event in standing.events if event.what != "watched" or event["item"] not in taken.undone]
    events += [Event(standing.now, "watched", {"item": item}) for item in taken.watched]
    events += [Event(standing.now, "seen", {"card": card, "due": due}) for card, due in taken.seen.items()]
    return replace(standing, events=events)


def keep(taken: Taken, standing: Standing, journal: Journal) -> None:
    """Write down what was taken over."""
    for item in taken.watched:
        journal.append("watched", item=item)
    for event in standing.events:
        if event.what == "watched" and event["item"] in taken.undone:
            journal.undo(event)
    for card, due in taken.seen.items():
        journal.append("seen", card=card, due=due)


class _Changed(Exception):
    """The note is no longer what was read."""


def _write(change: Change) -> bool:
    """Replace the note, unless it is no longer what was read."""
    assert change.after is not None
    change.path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with replacing(change.path) as temporary:
            temporary.write_bytes(change.after)
            if change.before is not None:
                shutil.copymode(change.path, temporary)
            if (change.path.read_bytes() if change.path.exists() else None) != change.before:
                raise _Changed
    except _Changed:
        return False
    return True


def _with_front_matter(text: str, keys: Mapping[str, str]) -> str:
    """The note with the values of our keys, line by line, where its front matter has them."""
    found = re.match(r"---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", text, re.S | re.M)
    if found is None:
        return text
    matter = found[1]
    for key, value in keys.items():
        matter = re.sub(rf"^({key}:)[^\r\n]*", rf"\g<1> {value}", matter, flags=re.M)
    return text[: found.start(1)] + matter + text[found.end(1) :]


def _is_date(text: str) -> bool:
    try:
        return bool(datetime.fromisoformat(text))
    except ValueError:
        return False
