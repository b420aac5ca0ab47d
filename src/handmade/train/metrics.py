"""metrics.jsonl: one JSON object a line, for every tenth step and every epoch."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from handmade.errors import InputError
from handmade.files import cannot_write, write_text

Line = dict[str, Any]


class MetricsLog:
    """The file, open for more lines.

    resume_from: the step that training continues from; what a killed run wrote of later steps, and a last line that it
        did not finish, are taken out.
    """

    def __init__(self, path: Path, resume_from: int) -> None:
        self.path = path
        self.lines = [line for line in read_metrics(path) if line["step"] <= resume_from] if path.exists() else []
        write_text(path, "".join(json.dumps(line) + "\n" for line in self.lines))
        self._file = path.open("a", encoding="utf-8")

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
    """The lines of a metrics file; one that was being written when the run was killed is left out."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}.") from error
    whole = [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
    try:
        return [json.loads(line) for line in whole]
    except ValueError as error:
        raise InputError(f"{path} is damaged: {error}.") from error
