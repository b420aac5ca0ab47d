"""What `check` and `watch` share: find the file, judge it, record it, show the verdict."""

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import typer

from handmade.cli.reporting import keep_for_a_report
from handmade.cli.verdicts import show, show_all
from handmade.errors import InputError, JudgeError
from handmade.workshop.exercise import Exercise
from handmade.workshop.exercises import NAMES, exercise_named
from handmade.workshop.judging.judge import Judge
from handmade.workshop.judging.verdict import Verdict
from handmade.workshop.progress import Progress
from handmade.workshop.workspace import Workspace, workspace_around


def check_one(judge: Judge, name: str | None, file: Path | None, as_json: bool, seed: int | None) -> bool:
    """Judge one file, say what came of it, and whether it passed."""
    if name is None:
        assert file is not None
        name = exercise_of(file)
    exercise, workspace = exercise_named(name), workspace_around(Path.cwd())
    path = file or here(workspace).file(name)
    if file is None and not path.exists():
        raise InputError(f"{path} does not exist: `handmade reset {name}` writes its stub.")
    verdict = judge.check(path, exercise, seed)
    if workspace is not None and path.resolve() == workspace.file(name).resolve():
        record(workspace, [verdict])
    if as_json:
        print(json.dumps(verdict.as_json(), indent=1))
    else:
        show(verdict, exercise, path, workspace)
    return verdict.passed


def check_all(judge: Judge, as_json: bool, seed: int | None) -> bool:
    """Judge every exercise of the workspace, two at a time."""
    workspace = here(workspace_around(Path.cwd()))
    present = [exercise_named(name) for name in NAMES if workspace.file(name).exists()]
    outcomes = list(_judged(judge, present, workspace, seed))
    verdicts = [outcome for outcome in outcomes if isinstance(outcome, Verdict)]
    record(workspace, verdicts)
    if as_json:
        print(json.dumps([verdict.as_json() for verdict in verdicts], indent=1))
    else:
        show_all(verdicts, workspace)
    failures = [outcome for outcome in outcomes if isinstance(outcome, JudgeError)]
    for failure in failures:
        keep_for_a_report(failure)
    if failures:
        raise typer.Exit(3)
    return all(verdict.passed for verdict in verdicts)


def _judged(
    judge: Judge, exercises: list[Exercise], workspace: Workspace, seed: int | None
) -> Iterator[Verdict | JudgeError]:
    """The verdicts in order, from two judges that work side by side; each file's stands alone."""
    with Judge(judge.limits) as second, ThreadPoolExecutor(2) as pool:
        judges = [judge, second]

        def work(exercise: Exercise) -> Verdict | JudgeError:
            mine = judges.pop()
            try:
                return mine.check(workspace.file(exercise.name), exercise, seed)
            except JudgeError as error:
                return error
            finally:
                judges.append(mine)

        yield from pool.map(work, exercises)


def here(workspace: Workspace | None) -> Workspace:
    """The workspace, or the sentence that says how to get one."""
    if workspace is None:
        raise InputError(
            "this folder is not a workspace: create one with `handmade start`, or name a file with --file."
        )
    return workspace


def chosen(name: str | None) -> tuple[Workspace, Exercise]:
    """The workspace, and in it the exercise of this name, or the first that is not passed yet."""
    workspace = here(workspace_around(Path.cwd()))
    return workspace, exercise_named(name or workspace.upcoming() or NAMES[-1])


def exercise_of(file: Path) -> str:
    """The exercise that a file's name is made of: self_attention.py, self_attention.1.py, 35_self_attention.py."""
    name = file.name.lstrip("0123456789_").partition(".")[0]
    if name in NAMES:
        return name
    raise InputError(f"which exercise is {file} for? Name it: handmade check NAME --file {file}.")


def record(workspace: Workspace, verdicts: list[Verdict]) -> None:
    """Remember attempts, mistakes and what was passed; where that cannot be written, say so and go on."""

    def change(progress: Progress) -> None:
        for verdict in verdicts:
            progress.add(verdict)

    try:
        workspace.change(change)
    except InputError as error:
        print(f"Your progress could not be saved: {error}", file=sys.stderr)
