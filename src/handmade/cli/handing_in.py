"""An answer against the clock: it is tried, handed in, or left; nothing is handed in by mistake."""

import math
import os
import select
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from handmade.cli.screen import prompted, say, width
from handmade.terminal import redraws
from handmade.workshop import source
from handmade.workshop.exercise import Exercise
from handmade.workshop.judging.sandbox import Sandbox
from handmade.workshop.trying import tried

KEYS = "Enter hands in (you are asked first), t tries your code on a case, q ends without a record."

OVER, CLOSED, INTERRUPTED = "the time is over", "the input has ended", "Ctrl-C"
"""What may come in place of a line."""


@dataclass
class Clock:
    """So many seconds, from now on."""

    seconds: float

    def __post_init__(self) -> None:
        self.begun = time.monotonic()

    @property
    def used(self) -> float:
        return min(time.monotonic() - self.begun, self.seconds)

    @property
    def left(self) -> float:
        return self.seconds - self.used

    def __str__(self) -> str:
        seconds = math.ceil(self.left)
        return f"{seconds // 60}:{seconds % 60:02} left"


def hand_in(exercise: Exercise, path: Path, seconds: float, sandbox: Sandbox) -> float | None:
    """Wait until the answer in the file at `path` is handed in, at most so long: the seconds used.

    None where it was left: by q, or by the end of the input or Ctrl-C while the file is still the stub; that file is
    removed.
    """
    clock = Clock(seconds)
    say(f"{KEYS} {clock}.\n")
    while True:
        typed = _line(clock, "")
        if typed in ("", INTERRUPTED):
            typed = _asked(clock, path, exercise)
        if typed == OVER:
            print("\nThe time is over.")
            return clock.used
        if typed == "y" or (typed == CLOSED and not _is_unwritten(path, exercise)):
            print("Handed in.")
            return clock.used
        if typed in ("q", CLOSED, INTERRUPTED):  # who presses Ctrl-C at the question, too, wants to leave
            return _left(path, exercise)
        if typed == "t":
            say(f"\n{tried(path, exercise, sandbox=sandbox).shown(width() or 105)}\n\n{clock}.")
        else:
            say(f"{KEYS if typed else 'It goes on.'} {clock}.")


def _asked(clock: Clock, path: Path, exercise: Exercise) -> str:
    """What to do about an answer that may have been handed in by mistake; "" to go on."""
    empty = "Nothing is written yet. " if _is_unwritten(path, exercise) else ""
    return _line(clock, f"{empty}Hand it in? y hands in, t tries it first, q ends without a record, Enter goes on: ")


def _is_unwritten(path: Path, exercise: Exercise) -> bool:
    try:
        return path.read_text("utf-8", "replace") == source.stub(exercise)
    except OSError:
        return False


def _left(path: Path, exercise: Exercise) -> None:
    if _is_unwritten(path, exercise):
        path.unlink()
    say("It has ended. Nothing was handed in, and nothing is recorded.")


def _line(clock: Clock, prompt: str) -> str:
    """What is typed until Enter, in small letters, or why no line comes. In a terminal the time left is seen."""
    shown = redraws(sys.stdout) and not prompt
    print(prompted(prompt) if prompt else "", end="", flush=True)
    line = b""
    try:
        while clock.left > 0:
            if shown:
                print(f"\r{clock!s:>13}  ", end="", flush=True)
            if select.select([sys.stdin], [], [], min(clock.left, 1.0))[0]:
                byte = os.read(sys.stdin.fileno(), 1)  # no further: what follows is for the next question
                if byte in (b"", b"\x04"):
                    return CLOSED
                if byte == b"\n":
                    return line.decode("utf-8", "replace").strip().lower()
                line += byte
        return OVER
    except KeyboardInterrupt:
        print()
        return INTERRUPTED
