"""The loop of `handmade watch`: saved files and pressed keys."""

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from io import TextIOWrapper

from handmade.cli.checking import saved, searching
from handmade.cli.hinting import next_in_words
from handmade.cli.reporting import keep_for_a_report
from handmade.cli.screen import say
from handmade.cli.verdicts import show
from handmade.errors import InputError, JudgeError
from handmade.workshop.exercises import NAMES, exercise_named
from handmade.workshop.judging.judge import Judge
from handmade.workshop.workspace import Workspace

KEYS = "h hint · l list · n next · c check again · q quit"


class Watch:
    """Watches a workspace until q, Ctrl-C or the end of the input."""

    def __init__(self, workspace: Workspace, judge: Judge) -> None:
        self.workspace = workspace
        self.judge = judge
        self.current = workspace.upcoming() or NAMES[0]

    def run(self) -> None:
        """Check what is saved and obey the keys."""
        from watchfiles import watch

        terminal = sys.stdin.isatty()
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(line_buffering=True)  # a pipe, too, gets each verdict at once
        say(f"Watching {self.workspace.folder}. Each file is checked when you save it.")
        say(KEYS if terminal else "This is not a terminal, so no keys are read; Ctrl-C quits.")
        self.introduce()
        with _keys_as_pressed() if terminal else nullcontext():
            for changes in watch(self.workspace.folder, debounce=100, step=20, rust_timeout=100, yield_on_timeout=True):
                for name in self._saved({os.path.realpath(path) for _, path in changes}):
                    self.check(name)
                if terminal and not self._obey():
                    return

    def check(self, name: str) -> None:
        """Judge an exercise's file, show and record the verdict, and move on when it passed."""
        exercise, path = exercise_named(name), self.workspace.file(name)
        self.current = name
        try:
            with searching(self.judge):
                verdict = self.judge.check(path, exercise)
        except InputError as error:  # it was removed meanwhile
            say(str(error))
            return
        except JudgeError as error:
            keep_for_a_report(error)
            return
        saved(partial(self.workspace.record, [verdict]))
        say()
        show(verdict, exercise, path, self.workspace)
        if verdict.passed:
            self.current = self.workspace.upcoming() or name

    def introduce(self) -> None:
        """Say which exercise is at hand."""
        exercise = exercise_named(self.current)
        say(f"\n{exercise.title}, about {exercise.minutes} minutes: {self.workspace.file(self.current)}")

    def next(self) -> None:
        """Go to the next exercise that is not passed."""
        progress, after = self.workspace.progress(), NAMES.index(self.current) + 1
        open_ones = [name for name in (*NAMES[after:], *NAMES[:after]) if not progress.of(name).passed]
        self.current = open_ones[0] if open_ones else self.current
        self.introduce()

    def list_all(self) -> None:
        """All exercises in a few lines; the one at hand is marked."""
        progress = self.workspace.progress()
        for name in NAMES:
            mark = "✓" if progress.of(name).passed else "·"
            say(f" {'>' if name == self.current else ' '} {mark} {self.workspace.where(name)}")

    def press(self, key: str) -> bool:
        """Do what a key stands for; whether to go on."""
        match key:
            case "h":
                say(next_in_words(self.workspace, exercise_named(self.current)))
            case "l":
                self.list_all()
            case "n":
                self.next()
            case "c":
                self.check(self.current)
            case "q" | "\x04":
                return False
            case _:
                say(KEYS)
        return True

    def _obey(self) -> bool:
        while select.select([sys.stdin], [], [], 0)[0]:
            pressed = os.read(sys.stdin.fileno(), 1).decode("latin-1")
            if not pressed or not self.press(pressed):
                return False
        return True

    def _saved(self, files: set[str]) -> list[str]:
        paths = {name: self.workspace.file(name) for name in NAMES}
        return [name for name, path in paths.items() if path.exists() and os.path.realpath(path) in files]


@contextmanager
def _keys_as_pressed() -> Iterator[None]:
    """The terminal hands on each key at once, and is afterwards as it was."""
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
