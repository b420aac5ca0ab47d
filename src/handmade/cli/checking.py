"""What `check` and `watch` share: find the file, judge it, record it, show the verdict.

One waits for the verdict: what the usual one can do without is imported where it is needed.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import typer

from handmade.cli.screen import prompted, say
from handmade.cli.verdicts import show, show_all
from handmade.errors import InputError, JudgeError
from handmade.terminal import redraws
from handmade.workshop.exercise import Exercise
from handmade.workshop.exercises import NAMES, exercise_named
from handmade.workshop.judging.judge import Judge
from handmade.workshop.judging.verdict import Verdict
from handmade.workshop.naming import exercise_meant, meant, named_in
from handmade.workshop.workspace import WORKSHOP, Workspace, start, workspace_around


def check_one(
    judge: Judge,
    name: str | None,
    file: Path | None,
    as_json: bool,
    seed: int | None,
    case: str | None,
    every: bool,
) -> bool:
    """Judge one file, on one case or all, say what came of it, and whether it passed."""
    workspace = workspace_around(Path.cwd())
    exercise, path = which(name, file, workspace)
    if case is not None:
        from handmade.workshop.trying import only_case

        exercise, workspace = only_case(exercise, case), None
    with searching(judge):
        verdict = judge.check(path, exercise, seed)
    if workspace is not None and not saved(partial(workspace.record_check, path, verdict)):
        workspace = None  # what it says next would come from its record
    if as_json:
        print(json.dumps(verdict.as_json(), indent=1))
    else:
        show(verdict, exercise, path, workspace, every)
    return verdict.passed


@contextmanager
def searching(judge: Judge) -> Iterator[None]:
    """While the judge looks for the line of a mistake, which can take seconds, a terminal says so."""
    if not redraws(sys.stderr):
        yield
        return

    def said(what: str) -> None:
        sys.stderr.write(f"\r{what} ...\033[K")
        sys.stderr.flush()

    judge.saying = said
    try:
        yield
    finally:
        sys.stderr.write("\r\033[K")


def which(name: str | None, file: Path | None, workspace: Workspace | None) -> tuple[Exercise, Path]:
    """The exercise and the file that are meant: by an exercise, or by a file in its place."""
    if name is not None and file is None and _is_a_file(name):
        file, name = Path(name), None
    if name is None:
        assert file is not None
        name = exercise_of(file)
    name = meant(name)
    path = file or here(workspace).file(name)
    if file is None and not path.exists():
        raise InputError(f"{path} does not exist any more: `handmade reset {name}` writes its stub.")
    return exercise_named(name), path


def _is_a_file(name: str) -> bool:
    return name.endswith((".py", ".ipynb")) and Path(name).is_file()


def check_all(judge: Judge, as_json: bool, seed: int | None) -> bool:
    """Judge every exercise of the workspace, two at a time. Ctrl-C leaves the verdicts that there are recorded."""
    from handmade.workshop.checking import judge_workspace

    workspace = here(workspace_around(Path.cwd()))
    outcomes: list[Verdict | JudgeError] = []
    try:
        outcomes.extend(judge_workspace(judge, workspace, seed))
    finally:
        verdicts = [outcome for outcome in outcomes if isinstance(outcome, Verdict)]
        saved(partial(workspace.record, verdicts))
    if missing := workspace.missing():
        listed = ", ".join(map(workspace.where, missing[:5])) + (", ..." if missing[5:] else "")
        say(f"Missing: {listed}. `handmade reset NAME` writes one stub, `handmade start` all.", error=True)
    if as_json:
        print(json.dumps([verdict.as_json() for verdict in verdicts], indent=1))
    else:
        show_all(verdicts, workspace)
    failures = [outcome for outcome in outcomes if isinstance(outcome, JudgeError)]
    for failure in failures:
        from handmade.cli.reporting import keep_for_a_report

        keep_for_a_report(failure)
    if failures:
        raise typer.Exit(3)
    return all(verdict.passed for verdict in verdicts)


def here(workspace: Workspace | None) -> Workspace:
    """The workspace, or the sentence that says how to get one."""
    if workspace is None:
        raise InputError(
            "this folder is not a workspace: create one with `handmade start`, or name a file with --file."
        )
    return workspace


def here_or_started() -> Workspace:
    """The workspace; where there is none, who sits at a terminal is asked whether to start one."""
    workspace = workspace_around(Path.cwd())
    if workspace is None and sys.stdin.isatty():
        question = prompted(f"There is no workspace here. Start one in ./{WORKSHOP}? [Y/n] ")
        try:
            answer = input(question).strip().lower()
        except EOFError:
            answer = "n"
            print()
        if answer in ("", "y", "yes"):
            return start(Path(WORKSHOP)).workspace
    return here(workspace)


def chosen(name: str | None) -> tuple[Workspace, Exercise]:
    """The workspace, and in it the exercise of this name, or the first that is not passed yet."""
    workspace = here(workspace_around(Path.cwd()))
    return workspace, exercise_meant(name or workspace.upcoming() or NAMES[-1])


def exercise_of(file: Path) -> str:
    """The exercise that a file's name is made of: self_attention.py, self_attention.1.py, 35_self_attention.py."""
    name = named_in(str(file))
    if name is not None:
        return name
    raise InputError(f"which exercise is {file} for? Name it: handmade check NAME --file {file}.")


def saved(remember: Callable[[], None]) -> bool:
    """Let a workspace remember something; where that cannot be written, say so, go on, and give False."""
    try:
        remember()
        return True
    except InputError as error:
        say(f"Your progress could not be saved: {error}", error=True)
        return False
