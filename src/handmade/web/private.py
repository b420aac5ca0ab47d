"""Folders that go with the server: this user's alone, and removed at the latest when the next server starts."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

NAME = re.compile(r"handmade-look-(\d+)-\w+")
"""It holds the number of the process that made it."""


def private_folder() -> "tempfile.TemporaryDirectory[str]":
    """An empty folder that only this user reads. Folders of servers that were killed are removed first."""
    for left in _left_behind():
        shutil.rmtree(left, ignore_errors=True)
    return tempfile.TemporaryDirectory(prefix=f"handmade-look-{os.getpid()}-", ignore_cleanup_errors=True)


def _left_behind() -> Iterator[Path]:
    for folder in Path(tempfile.gettempdir()).glob("handmade-look-*"):
        made = NAME.fullmatch(folder.name)
        with suppress(OSError):  # another one's, or it goes just now
            if made and folder.lstat().st_uid == os.getuid() and not _lives(int(made[1])):
                yield folder


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's
        return True
    return True
