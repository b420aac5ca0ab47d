"""What is left where handmade itself made a mistake: a sentence, and a file for who reports it."""

import traceback
from pathlib import Path

from handmade.cli.screen import say
from handmade.errors import InputError, JudgeError
from handmade.files import write_text
from handmade.reading import read_start

LARGEST = 1 << 20


def keep_for_a_report(error: JudgeError) -> None:
    """Say that the judge failed, and keep the solution and the error in a file of the current folder."""
    try:
        source = read_start(error.path, LARGEST).decode("utf-8", "backslashreplace")
    except (OSError, InputError) as unreadable:
        source = f"(not to be read any more: {unreadable})"
    kept = next(path for n in range(1, 10_000) if not (path := Path(f"judge-failed.{n}.txt")).exists())
    trace = "".join(traceback.format_exception(error.__cause__))
    write_text(kept, f"{error.path}\n\n{trace}\n{source}")
    say(f"handmade: {error} Both are in {kept}: please report it.", error=True)
