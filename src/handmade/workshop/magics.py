"""Jupyter and Colab: `%load_ext handmade`, then `%%check NAME` above a cell judges it."""

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from handmade.errors import InputError
from handmade.workshop import asking
from handmade.workshop.answer import Answer
from handmade.workshop.exercise import Exercise
from handmade.workshop.gathering import with_surroundings
from handmade.workshop.naming import exercise_meant
from handmade.workshop.trying import Tried
from handmade.workshop.workspace import workspace_around


class Magics:
    """The magics of one notebook. They are registered as functions: handmade needs no IPython to be imported."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        for name in ("check", "try"):
            shell.register_magic_function(getattr(self, f"cell_{name}"), "cell", name)
        for name in ("hint", "solution"):
            shell.register_magic_function(getattr(self, f"line_{name}"), "line", name)

    def cell_check(self, line: str, cell: str) -> Answer | None:
        """%%check NAME: judge the cell, run it in the notebook, and record the verdict in the workspace, if any."""
        exercise = self._exercise(line)
        if exercise is None:
            return None
        answer = asking.judged(exercise, with_surroundings(cell, self.shell.user_ns))
        workspace = workspace_around(Path.cwd())
        if workspace is not None:
            try:
                workspace.change(lambda progress: progress.add(answer.verdict))
            except InputError as error:
                print(f"Your progress could not be saved: {error}", file=sys.stderr)
        self._run(cell)
        return answer

    def cell_try(self, line: str, cell: str) -> Tried | None:
        """%%try NAME: run the cell's function on the exercise's first case."""
        exercise = self._exercise(line)
        if exercise is None:
            return None
        self._run(cell)
        return asking.tried_source(exercise, with_surroundings(cell, self.shell.user_ns))

    def line_hint(self, line: str) -> None:
        """%hint NAME, %hint NAME 2: the first, second or third hint."""
        name, _, number = line.strip().partition(" ")
        self._say(lambda: asking.hint(name, int(number) if number.strip().isdecimal() else 1))

    def line_solution(self, line: str) -> None:
        """%solution NAME: our source."""
        self._say(lambda: asking.solution(line.strip()))

    def _run(self, cell: str) -> None:
        """Run the cell in the notebook: what it defines is there then. What it raises is in the verdict."""
        with suppress(Exception):
            source = self.shell.transform_cell(cell)
            exec(compile(source, self.shell.compile.cache(source), "exec"), self.shell.user_ns)

    def _exercise(self, line: str) -> Exercise | None:
        try:
            return exercise_meant(line.strip())
        except InputError as error:
            print(f"handmade: {error}", file=sys.stderr)
            return None

    @staticmethod
    def _say(words: Callable[[], str]) -> None:
        try:
            print(words())
        except InputError as error:
            print(f"handmade: {error}", file=sys.stderr)
