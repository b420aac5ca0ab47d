"""A student's files where they lie: in a folder or in a zip, of which nothing is unpacked to the disk."""

import stat
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from handmade.workshop.judging.reading import LARGEST

MOST_FILES = 5_000
"""Files of one student that are looked at; more than that is a folder of something else."""

SKIPPED = ("__MACOSX", "__pycache__", "node_modules", "site-packages")

Report = Callable[[str], None]
"""Takes a sentence on what was not used, and why."""


@dataclass(frozen=True)
class Place:
    """Where a file is: on the disk, or the member of a zip there.

    changed: which is the newer of two: how often it was handed in anew, then when it was saved, in seconds.
    """

    path: Path
    member: str = ""
    changed: tuple[int, float] = (0, 0.0)

    @cached_property
    def content(self) -> bytes:
        """As much of the file as the judge would read, read once.

        Raises ValueError, with the reason, where it cannot be read.
        """
        try:
            if not self.member:
                with self.path.open("rb") as file:
                    return file.read(LARGEST + 1)
            with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as file:
                return file.read(LARGEST + 1)
        except _UNREADABLE as error:
            raise ValueError(f"cannot be read: {error}") from error

    def __str__(self) -> str:
        return f"{self.path.name}/{self.member}" if self.member else self.path.name


# encrypted members are a RuntimeError, unknown compressions a NotImplementedError
_UNREADABLE = (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError)


def files_in(path: Path, report: Report) -> Iterator[tuple[PurePosixPath, Place]]:
    """The files of a folder or zip, each with its path in there; those of zips in a folder are among them.

    Links are not followed, hidden files are left out.
    """
    found = _in_zip(path, report) if path.is_file() else _in_folder(path, report)
    for number, one in enumerate(found):
        if number == MOST_FILES:
            report(f"holds more than {MOST_FILES:,} files: the others were not looked at")
            return
        yield one


def _in_folder(folder: Path, report: Report) -> Iterator[tuple[PurePosixPath, Place]]:
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            entries = sorted(here.iterdir())
        except OSError as error:
            report(f"{here.relative_to(folder)} cannot be read: {error.strerror}")
            continue
        for entry in entries:
            inside = PurePosixPath(entry.relative_to(folder).as_posix())
            if entry.name.startswith(".") or entry.name in SKIPPED:
                continue
            if entry.is_symlink():
                report(f"{inside} is a link, which is not followed")
            elif entry.is_dir():
                waiting.append(entry)
            elif entry.suffix.lower() == ".zip":
                yield from ((inside.parent / name, place) for name, place in _in_zip(entry, report))
            elif entry.is_file():
                yield inside, Place(entry, changed=(0, entry.stat().st_mtime))


def _in_zip(path: Path, report: Report) -> Iterator[tuple[PurePosixPath, Place]]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except _UNREADABLE as error:
        report(f"{path.name} is not a zip that can be read: {error}")
        return
    for member in members:
        inside = PurePosixPath(member.filename.replace("\\", "/"))
        if member.is_dir() or any((part.startswith(".") and part != "..") or part in SKIPPED for part in inside.parts):
            continue
        if stat.S_ISLNK(member.external_attr >> 16):
            report(f"{inside} is a link, which is not followed")
        elif inside.suffix.lower() == ".zip":
            report(f"{inside} is a zip in a zip, which is not opened")
        else:
            yield inside, Place(path, member.filename, (0, _seconds(member)))


def _seconds(member: zipfile.ZipInfo) -> float:
    try:
        return time.mktime((*member.date_time, 0, 0, -1))
    except (ValueError, OverflowError):  # a zip may say the 31st of February
        return 0.0
