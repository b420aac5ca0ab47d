"""handmade interview: an exercise that you have not seen, against the clock."""

from pathlib import Path
from typing import Annotated

import typer

from handmade.errors import InputError


def interview(
    topic: Annotated[str | None, typer.Option(help="The topic, for example attention; by default any.")] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Time limit; by default the usual one for the exercise.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="The seed of the random choice; the same seed gives the same exercise.")
    ] = None,
) -> None:
    """Solve an exercise you have not seen, against the clock and without hints; then read a post-mortem.

    The exit code is 0 if it passed, 1 if not.
    """
    import random

    from handmade.cli.clock import wait_until_handed_in
    from handmade.cli.verdicts import show
    from handmade.files import write_text
    from handmade.workshop.exercises import exercise_named
    from handmade.workshop.interviews import Interview, post_mortem, remember, unseen
    from handmade.workshop.judging.judge import Judge
    from handmade.workshop.progress import free_path, now
    from handmade.workshop.source import stub
    from handmade.workshop.workspace import Workspace, made, workspace_around

    if minutes is not None and minutes <= 0:
        raise InputError(f"--minutes is {minutes:g}, expected more than 0.")
    workspace = workspace_around(Path.cwd()) or Workspace(Path.cwd())
    exercise = exercise_named(random.Random(seed).choice(unseen(workspace.progress(), topic)))
    allowed = minutes or exercise.minutes
    folder = made(workspace.folder / "interviews")
    path = free_path(folder, f"{exercise.name}.{{}}.py")
    write_text(path, stub(exercise))
    typer.echo(f"{exercise.title}, {allowed:g} minutes. The question is in {path}; write your answer there.")
    typer.echo("The clock is running. Save the file and press Enter to hand it in: you have one try and no hints.\n")
    with Judge() as judge:
        used = wait_until_handed_in(allowed * 60)
        verdict = judge.check(path, exercise)
    show(verdict, exercise, path, None)
    held = Interview(exercise.name, now(), round(allowed * 60), round(used), verdict.passed)
    report = path.with_suffix(".md")
    write_text(report, post_mortem(held, verdict, exercise, workspace.progress()))
    remember(workspace, held, verdict)
    typer.echo(f"\nThe post-mortem is in {report}.")
    raise typer.Exit(0 if verdict.passed else 1)
