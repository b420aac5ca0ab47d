"""An exercise that was passed, written again from memory against the clock."""

from handmade.cli import handing_in
from handmade.cli.screen import say
from handmade.cli.verdicts import show
from handmade.files import write_text
from handmade.study.deck import minutes_from_memory, rating_from_memory
from handmade.workshop.exercises import exercise_named
from handmade.workshop.judging.judge import Judge
from handmade.workshop.progress import free_path
from handmade.workshop.source import stub
from handmade.workshop.workspace import Workspace, made

LATE = 2  # times the minutes allowed: then the answer is taken as it is


def write_from_memory(workspace: Workspace, name: str) -> tuple[int, float] | None:
    """The rating of FSRS and the seconds used: passed in time is good, passed late is hard, anything else again.

    None where nothing was handed in.
    """
    exercise = exercise_named(name)
    allowed = 60 * minutes_from_memory(exercise.minutes)
    path = free_path(made(workspace.folder / "from-memory"), f"{name}.{{}}.py")
    write_text(path, stub(exercise))
    say(f"The stub is in {path}: write it there.")
    with Judge() as judge:
        used = handing_in.hand_in(exercise, path, LATE * allowed, judge.sandbox)
        if used is None:
            return None
        verdict = judge.check(path, exercise)
    show(verdict, exercise, path, None)
    workspace.change(lambda progress: progress.add(verdict))
    return rating_from_memory(verdict.passed, used <= allowed), used
