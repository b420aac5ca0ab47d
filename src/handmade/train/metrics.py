"""metrics.jsonl: one JSON object a line, for every tenth step and every epoch."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from handmade.errors import InputError
from handmade.files import cannot_write, free_path, write_bytes, write_text
from handmade.reading import cannot_read, parse_json, read_bytes, require

Line = dict[str, Any]


class MetricsLog:
    """The file, open for more lines.

    resume_from: the step that training continues from; what a killed run wrote of later steps, and a last line that it
        did not finish, are taken out.
    say: is told of damaged lines, which are left out; the file as it was is kept beside this one.
    """

    def __init__(self, path: Path, resume_from: int, say: Callable[[str], None]) -> None:
        self.path = path
        lines, damage = _read(path) if path.exists() else ([], [])
        if damage:
            aside = free_path(path.parent, "metrics.damaged-{}.jsonl")
            write_bytes(aside, read_bytes(path))
            more = f" So are {len(damage) - 1} more lines." if damage[1:] else ""
            say(f"{damage[0]}{more} Training goes on without; the file as it was is now {aside.name}.")
        self.lines = [line for line in lines if line["step"] <= resume_from]
        self._open()

    def _open(self) -> None:
        write_text(self.path, "".join(json.dumps(line) + "\n" for line in self.lines))
        self._file = self.path.open("a", encoding="utf-8")

    def write_again(self) -> None:
        """Write all lines to the path anew, where the file was removed."""
        self._file.close()
        self._open()

    def append(self, line: Line) -> None:
        """Write a line; InputError when the disk is full."""
        self.lines.append(line)
        with self._reported():
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()

    def sync(self) -> None:
        """Wait until all lines are on the disk."""
        with self._reported():
            os.fsync(self._file.fileno())

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def close(self) -> None:
        self._file.close()


def read_metrics(path: Path) -> list[Line]:
    """The lines of a metrics file; damaged ones, and one that a killed run was writing, are left out."""
    return _read(path)[0]


def _read(path: Path) -> tuple[list[Line], list[str]]:
    """The lines of a metrics file, and a sentence on each that is damaged; one that has no end is neither."""
    try:
        content = read_bytes(path)
    except OSError as error:
        raise cannot_read(path, error) from error
    lines, damage = [], []
    for number, text in enumerate(content.split(b"\n")[:-1], start=1):
        source = f"{path}, line {number},"
        try:
            line = parse_json(text, source)
            require(line, {"step": int}, source)
            require(line, {name: str if name == "sample" else float for name in line}, source)
            lines.append(line)
        except InputError as error:
            damage.append(str(error))
    return lines, damage
