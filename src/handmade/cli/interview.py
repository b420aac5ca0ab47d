"""handmade interview: an exercise that you have not seen, against the clock."""

from pathlib import Path
from typing import Annotated

import typer

from handmade.errors import InputError


def interview(
    topic: Annotated[str | None, typer.Option(help="One topic, as attention; by default any.")] = None,
    minutes: Annotated[float | None, typer.Option(help="By default what an interview gives for it.")] = None,
    seed: Annotated[int | None, typer.Option(help="Draw the same exercise again.")] = None,
) -> None:
    """Solve an unseen exercise against the clock, without hints; a written post-mortem follows.

    The exit code is 0 when it passed, 1 when not.
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
    typer.echo("The clock runs. Save the file and press Enter to hand it in: there is one try, and no hint.\n")
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
