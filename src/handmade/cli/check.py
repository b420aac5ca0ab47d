"""handmade check: the judge's verdict on one exercise, or on all of a workspace."""

from pathlib import Path
from typing import Annotated

import typer

from handmade.errors import InputError


def check(
    name: Annotated[str | None, typer.Argument(help="The exercise; by default all exercises of the workspace.")] = None,
    file: Annotated[Path | None, typer.Option(help="Check this file instead of the one in the workspace.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
    isolation: Annotated[
        bool, typer.Option("--isolation", help="Print how solutions are isolated on this machine, and exit.")
    ] = False,
    seconds: Annotated[float, typer.Option(help="Time limit for a solution, in seconds.")] = 10.0,
    seed: Annotated[
        int | None, typer.Option(help="Draw the second set of cases with the seed of an earlier verdict.")
    ] = None,
    case: Annotated[
        str | None, typer.Option(help="Check this case only, by its label; the result is not recorded.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Show everything that is wrong, not only what to mend first.")
    ] = False,
    plans_code: Annotated[
        bool, typer.Option("--plans-code", help="Check the study plan's own code for this exercise: what is missing?")
    ] = False,
) -> None:
    """Check a solution: is it right, and if not, which mistake is in it?

    The exit code is 0 when everything checked has passed, 1 when not, 2 when the command cannot be carried out, 3 when
    the judge itself failed.

    A solution that passes the fixed cases must also pass a second set, which is drawn anew each time; the verdict names
    its seed.

    --json prints {"exercise", "passed", "mistakes": [{"name", "message", "evidence", "line", "mend"}],
    "conventions": [{"name", "message"}], "tests": [{"name", "status", "message"}], "seconds", "printed", "seed"};
    without NAME a list of these. "line" is the file's line that a mistake is in, from 1, or null; "mend" is
    {"before", "after"}, a change of the file's own lines with which all cases are right, or null.
    """
    from handmade.workshop.judging.isolation import isolation as in_words
    from handmade.workshop.judging.sandbox import Sandbox

    if seconds <= 0:
        raise InputError(f"--seconds is {seconds:g}, expected more than 0.")
    if seed is not None and seed < 0:
        raise InputError(f"--seed is {seed}, expected 0 or more.")
    if case is not None and name is None and file is None:
        raise InputError("--case is for one exercise: handmade check NAME --case LABEL.")
    if every and name is None and file is None:
        raise InputError("--all is for one exercise: handmade check NAME --all.")
    if plans_code:
        file = _plans_code(name)
    with Sandbox() as sandbox:  # its process starts while the rest is loaded
        if isolation:
            from handmade.cli.screen import say

            say(in_words(sandbox.confinement))
            return
        from handmade.cli.checking import check_all, check_one
        from handmade.workshop.cell.job import Limits
        from handmade.workshop.judging.judge import Judge

        judge = Judge(Limits(seconds=seconds), sandbox)
        passed = check_one(judge, name, file, json, seed, case, every) if name or file else check_all(judge, json, seed)
    raise typer.Exit(0 if passed else 1)


def _plans_code(name: str | None) -> Path:
    """The plan's own code, as a file of the learner's."""
    from handmade.files import write_text
    from handmade.study.plan import plans_code, the_plan
    from handmade.workshop.workspace import workspace_around

    with_code = [item.id for item in the_plan().items if item.plans_code]
    if name not in with_code:
        raise InputError(f"the plan has code of its own for {' and '.join(with_code)}, not for {name}.")
    workspace = workspace_around(Path.cwd())
    path = (workspace.folder if workspace else Path.cwd()) / "plans_code.py"
    if not path.exists():
        write_text(path, plans_code())
    return path
