"""Our blocks in a user's note: found, written, updated; nothing else in the note is ever touched.

    %% handmade ID HASH ITEM... %%      a comment, which Obsidian hides; HASH is of the body as we wrote it, ITEM... are
                                        the items that we ticked in it
    the body, between blank lines, so that the marks are no part of a card
    %% /handmade ID %%

A body that was not edited by hand is replaced when we have a new one. An edited body is left as it is, and the user is
told that there is a new one. Schedules that a plugin writes (<!--SR:...-->) and ticks do not count as edits; schedules
are kept.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from handmade.errors import InputError

_OPEN = re.compile(r"%% handmade (?P<id>\S+) (?P<hash>[0-9a-f]{8})(?P<ticked>(?: \S+)*) %%[ \t]*\r?\n?")
_CLOSE = re.compile(r"%% /handmade (?P<id>\S+) %%[ \t]*\r?\n?")
_SCHEDULE = re.compile(r"[ \t]*<!--SR:.*?-->")
_TICK = re.compile(r"^(?P<before>[ \t]*[-*+] \[)(?P<mark>.)(?P<after>\].* \^handmade-(?P<item>[\w-]+)[ \t]*\r?)$", re.M)
_HEADING = re.compile(r"(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*\r?\n?")
_DATE = re.compile(r"<!--SR:[^>]*?(\d{4}-\d\d-\d\d)")


@dataclass(frozen=True)
class Wanted:
    """A block as we would write it. heading: under which a new one belongs; None: at the note's end."""

    id: str
    body: str
    heading: str | None = None


@dataclass
class Merged:
    """A note with our blocks in it. kept: those edited by hand, which we would have changed; doubled: second ones."""

    text: str
    kept: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Block:
    """One that was found. ticked: the items that we had ticked. raw: as it stands in the note."""

    id: str
    hash: str
    ticked: tuple[str, ...]
    body: str
    raw: str

    @property
    def ticks(self) -> dict[str, bool]:
        """The items of the checklist, and whether each is ticked."""
        return {match["item"]: match["mark"] in "xX" for match in _TICK.finditer(self.body)}

    @property
    def due(self) -> str | None:
        """The day on which a plugin will ask the card again."""
        found = _DATE.search(self.body)
        return found[1] if found else None


def read(text: str) -> list[Block | str]:
    """The note as blocks and what lies between. InputError where marks are nested, crossed or not closed."""
    parts: list[Block | str] = []
    outside: list[str] = []
    opened: re.Match[str] | None = None
    inside: list[str] = []
    for line in text.splitlines(keepends=True):
        is_mark = line.startswith("%% ")
        begin = _OPEN.fullmatch(line) if is_mark else None
        end = _CLOSE.fullmatch(line) if is_mark and not begin else None
        if opened is None:
            if end:
                raise InputError(f"the mark of {end['id']} closes what was not opened")
            if begin:
                parts.append("".join(outside))
                opened, outside, inside = begin, [], [line]
            else:
                outside.append(line)
            continue
        if begin:
            raise InputError(f"{begin['id']} begins within {opened['id']}")
        inside.append(line)
        if end:
            if end["id"] != opened["id"]:
                raise InputError(f"{end['id']} ends within {opened['id']}")
            body = "".join(inside[1:-1])
            parts.append(Block(opened["id"], opened["hash"], tuple(opened["ticked"].split()), body, "".join(inside)))
            opened = None
    if opened is not None:
        raise InputError(f"the mark of {opened['id']} is not closed")
    return [*parts, "".join(outside)]


def merge(text: str, wanted: Iterable[Wanted]) -> Merged:
    """The note with our blocks updated and added. InputError where its marks are in disorder.

    Merging twice gives the same as merging once, and the text between blocks stays as it is, byte by byte.
    """
    ending = "\r\n" if "\r\n" in text else "\n"
    by_id = {block.id: block for block in wanted}
    merged, seen, parts = Merged(""), set(), []
    for part in read(text):
        if isinstance(part, Block) and part.id in seen:
            merged.doubled.append(part.id)
            part = part.raw
        elif isinstance(part, Block):
            seen.add(part.id)
            part = _renewed(part, by_id[part.id], merged, ending) if part.id in by_id else part.raw
        parts.append(part)
    merged.text = "".join(parts)
    for block in by_id.values():
        if block.id not in seen:
            merged.text = _added(merged.text, block, ending)
    return merged


def written(block: Wanted, ending: str = "\n") -> str:
    """The block as text, without a line end after it."""
    return _write(block.id, digest(block.body), block.body, ending)


def digest(body: str) -> str:
    """The hash of a body without schedules, ticks and the form of its line ends."""
    plain = _SCHEDULE.sub("", body.replace("\r\n", "\n"))
    plain = _TICK.sub(lambda match: f"{match['before']} {match['after']}", plain)
    return hashlib.sha256(plain.strip().encode()).hexdigest()[:8]


def _renewed(block: Block, wanted: Wanted, merged: Merged, ending: str) -> str:
    new = digest(wanted.body)
    if new == block.hash:
        body, hash = _with_ticks(block.body, wanted), block.hash  # nothing new, but for ticks
    elif digest(block.body) in (block.hash, new):
        body, hash = "\n".join([wanted.body, *(s.strip() for s in _SCHEDULE.findall(block.body))]), new
        return _write(block.id, hash, body, ending) + _end_of(block.raw)
    else:
        merged.kept.append(block.id)
        body, hash = _with_ticks(block.body, wanted), block.hash
    if body == block.body and _ticked(body) == block.ticked:
        return block.raw
    lines = block.raw.splitlines(keepends=True)
    return _open_mark(block.id, hash, body) + _end_of(lines[0]) + body + lines[-1]


def _write(id: str, hash: str, body: str, ending: str) -> str:
    text = f"{_open_mark(id, hash, body)}\n\n{body}\n\n%% /handmade {id} %%"
    return text.replace("\n", ending)


def _open_mark(id: str, hash: str, body: str) -> str:
    return " ".join(["%% handmade", id, hash, *_ticked(body), "%%"])


def _ticked(body: str) -> tuple[str, ...]:
    return tuple(match["item"] for match in _TICK.finditer(body) if match["mark"] in "xX")


def _with_ticks(body: str, wanted: Wanted) -> str:
    """The body with the ticks of the wanted one."""
    ticks = {match["item"]: match["mark"] for match in _TICK.finditer(wanted.body)}

    def tick(match: re.Match[str]) -> str:
        mark = ticks.get(match["item"], match["mark"])
        same = (mark in "xX") == (match["mark"] in "xX")
        return f"{match['before']}{match['mark'] if same else mark}{match['after']}"

    return _TICK.sub(tick, body)


def _end_of(line: str) -> str:
    return "\r\n" if line.endswith("\r\n") else "\n" if line.endswith("\n") else ""


def _added(text: str, block: Wanted, ending: str) -> str:
    """The note with a new block under its heading, which is added where the note has none."""
    if block.heading is None:
        return _joined(text, written(block, ending), "", ending)
    at = _end_of_section(text, block.heading)
    if at is None:
        return _joined(text, f"## {block.heading}{ending}{ending}{written(block, ending)}", "", ending)
    return _joined(text[:at], written(block, ending), text[at:], ending)


def _joined(before: str, new: str, after: str, ending: str) -> str:
    """`new` on lines of its own, with a blank line on both sides."""
    if not before or before == "\ufeff" or before.endswith(2 * ending):
        gap = ""
    else:
        gap = ending if before.endswith("\n") else 2 * ending
    return f"{before}{gap}{new}{ending}" + (f"{ending}{after}" if after else "")


def _end_of_section(text: str, heading: str) -> int | None:
    """Where the section of this heading ends: before the next heading that is not below it."""
    level, fence, at = 0, "", 0
    for line in text.splitlines(keepends=True):
        stripped = line.lstrip()
        if fence:
            fence = "" if stripped.startswith(fence) else fence
        elif stripped.startswith(("```", "~~~")):
            fence = stripped[:3]
        elif found := _HEADING.fullmatch(line):
            if level and len(found[1]) <= level:
                return at
            if not level and found[2] == heading:
                level = len(found[1])
        at += len(line)
    return at if level else None
