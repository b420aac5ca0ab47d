"""The journal of study: one event a line, only ever appended. All that is known of a learner is replayed from it.

Since nothing is stored but events, two machines' journals are merged by laying one beside the other: `study.jsonl` and
every other `study*.jsonl` of the folder are read together, in the order of time, each event once. An event is known by
its number, a hash of its line.

    {"at": "2026-12-01T08:30:11.250134Z", "what": "review", "card": "relu-why", "rating": 3, "seconds": 9, ...}
    {"at": ..., "what": "watched", "item": "cs231n-5"}
    {"at": ..., "what": "undone", "of": "3f2a9c1b07d4"}                     an event that is to count no more
    {"at": ..., "what": "seen", "card": "resnet-why", "due": "2026-12-04"}  reviewed elsewhere, due there on that day
    {"at": ..., "what": "start", "day": "2026-12-01", "interview": "2026-12-14"}
    {"at": ..., "what": "emptied"}                                          a day's queue was done
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from handmade.files import cannot_write, flush, locked, write_bytes
from handmade.reading import cannot_read
from handmade.workshop.progress import free_path
from handmade.workshop.workspace import Workspace, workspace_around

NAME = "study.jsonl"
DAY_BEGINS = timedelta(hours=4)  # who studies past midnight is still in the same day


@dataclass(frozen=True)
class Event:
    """Something that happened. at: in UTC. facts: what else its line says. number: by which it can be undone."""

    at: datetime
    what: str
    facts: dict[str, Any] = field(hash=False)
    number: str = ""

    def __getitem__(self, key: str) -> Any:
        return self.facts[key]


@dataclass(frozen=True)
class Journal:
    """The files. `path` is written to; `others` are folders whose journals are read as well.

    said: what there is to tell about a file, for example that it was damaged.
    """

    path: Path
    others: tuple[Path, ...] = ()
    said: Callable[[str], None] = print

    def events(self) -> list[Event]:
        """What happened, in the order of time, without what was undone."""
        lines: dict[str, Event] = {}
        for folder in dict.fromkeys((self.path.parent, *self.others)):
            for path in sorted(folder.glob("study*.jsonl")):
                lines.update(self._read(path))
        undone = {event["of"] for event in lines.values() if event.what == "undone"}
        kept = [(event.at, line) for line, event in lines.items() if event.number not in undone]
        return [lines[line] for _, line in sorted(kept)]

    def append(self, what: str, at: datetime | None = None, **facts: Any) -> Event:
        """Write an event down; it is on the disk when this returns. InputError where it cannot be written."""
        at = at or datetime.now(UTC)
        stamp = at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        line = json.dumps({"at": stamp, "what": what, **facts}, ensure_ascii=False)
        event = _event(line)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with locked(self.path.parent):  # a line that another process is writing looks as if it were cut off
                _append(self.path, line.encode())
        except OSError as error:
            raise cannot_write(self.path, error) from error
        return event

    def undo(self, event: Event) -> None:
        """Let an event count no more."""
        self.append("undone", of=event.number)

    def _read(self, path: Path) -> dict[str, Event]:
        """A file's events by their lines. A file with damage is put aside, and what can be read of it goes on."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise cannot_read(path, error) from error
        whole, _, cut = content.rpartition(b"\n")
        found, damaged = {}, 0
        for raw in whole.split(b"\n"):
            event = _event_or_none(raw)
            if event is not None:
                found[raw.decode().strip()] = event
            elif raw.strip():
                damaged += 1
        if cut.strip():
            event = _event_or_none(cut)
            if event is not None:
                found[cut.decode().strip()] = event
            else:
                self.said(f"The last line of {path} was cut off, as when a machine stops; it is left out.")
        if damaged:
            self._put_aside(path, found, damaged)
        return found

    def _put_aside(self, path: Path, found: Iterable[str], damaged: int) -> None:
        aside = free_path(path.parent, f"{path.name}.damaged-{{}}")
        try:
            write_bytes(aside, path.read_bytes())
        except OSError as error:
            raise cannot_write(aside, error) from error
        write_bytes(path, "".join(f"{line}\n" for line in found).encode())
        lines = "line that cannot" if damaged == 1 else "lines that cannot"
        self.said(f"{path} had {damaged} {lines} be read. It is kept as {aside.name}; all other lines count on.")


def journal_around(folder: Path, said: Callable[[str], None] = print) -> tuple[Journal, Workspace | None]:
    """The journal of the workspace that a folder is or lies in, or the user's own where there is none."""
    workspace, home = workspace_around(folder), home_folder()
    if workspace is None:
        return Journal(home / NAME, said=said), None
    return Journal(workspace.folder / NAME, (home,), said), workspace


def home_folder() -> Path:
    """Where the journal lies without a workspace: $HANDMADE_STUDY, or the user's data folder as the platform has it."""
    if named := os.environ.get("HANDMADE_STUDY"):
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("handmade", appauthor=False))


def study_day(at: datetime) -> date:
    """The day of study in which a moment lies: the local date, from 4 o'clock to 4 o'clock."""
    return (at.astimezone().replace(tzinfo=None) - DAY_BEGINS).date()


def end_of_day(day: date) -> datetime:
    """When that day of study ends, in UTC."""
    local = datetime.combine(day + timedelta(days=1), datetime.min.time()) + DAY_BEGINS
    return local.astimezone(UTC)


def _event_or_none(line: bytes) -> Event | None:
    """The event of a line of the file; None where it is damaged."""
    try:
        return _event(line.decode().strip())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _event(line: str) -> Event:
    facts = json.loads(line)
    at, what = datetime.fromisoformat(facts.pop("at")), facts.pop("what")
    if at.tzinfo is None or not 2000 <= at.year < 2200:
        raise ValueError("not a time of ours")
    check = _CHECKS.get(what)
    if check is not None and not check(facts):
        raise ValueError(f"not a {what}")
    return Event(at.astimezone(UTC), what, facts, hashlib.sha256(line.encode()).hexdigest()[:12])


def _is_day(text: Any) -> bool:
    return text is None or bool(date.fromisoformat(text))


_CHECKS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "review": lambda facts: isinstance(facts["card"], str) and facts["rating"] in (1, 2, 3, 4),
    "watched": lambda facts: isinstance(facts["item"], str),
    "undone": lambda facts: isinstance(facts["of"], str),
    "seen": lambda facts: isinstance(facts["card"], str) and _is_day(facts["due"]),
    "start": lambda facts: _is_day(facts["day"]) and _is_day(facts["interview"]),
}


def _append(path: Path, line: bytes) -> None:
    """Add a line in one write. A last line that was cut off goes, so that the new one stands on its own."""
    new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        begin = b""
        if size and _read_at(descriptor, size - 1, 1) != b"\n":
            tail = _read_at(descriptor, max(0, size - 10_000), 10_000).rpartition(b"\n")[2]
            if _event_or_none(tail) is None:
                os.ftruncate(descriptor, size - len(tail))
            else:
                begin = b"\n"  # whole, but for its end
        os.write(descriptor, begin + line + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if new:
        flush(path.parent)


def _read_at(descriptor: int, place: int, size: int) -> bytes:
    os.lseek(descriptor, place, os.SEEK_SET)
    return os.read(descriptor, size)
