"""handmade grade: the submissions of a class, judged and reported."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from handmade.errors import InputError

if TYPE_CHECKING:
    from handmade.classroom.summary import Summary

Service = Literal["gradescope", "github"]


def grade(
    submissions: Annotated[
        Path | None, typer.Argument(help="A folder with a folder, a zip or flat files for each student.")
    ] = None,
    roster: Annotated[
        Path | None, typer.Option(help="A CSV of the class: who is expected, and their other names.")
    ] = None,
    exercises: Annotated[str | None, typer.Option(help="Grade these exercises only, separated by commas.")] = None,
    to: Annotated[
        Path | None, typer.Option(help="The folder for the results; by default SUBMISSIONS-graded, beside it.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes on this machine; by default one a core.")] = None,
    address: Annotated[
        str | None, typer.Option(help="A Ray cluster, for example ray://head:10001; `local` starts one here.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="Time limit for a file, in seconds.")] = 10.0,
    form: Annotated[
        Service | None, typer.Option("--for", help="SUBMISSIONS is one student's: print the result in this form.")
    ] = None,
    setup: Annotated[
        Service | None, typer.Option(help="Write the file that this service needs into SUBMISSIONS, and exit.")
    ] = None,
) -> None:
    """Grade a class: judge every file once, and write a table, a page and JSON.

    Each student has a folder or a zip; exports of Canvas, Moodle and GitHub Classroom are understood as they are. Files
    are found by their names (self_attention.py), and run in the sandbox.

    An interrupted run is resumed by the same command. The exit code is 0 when everything was graded, 1 when a file
    could not be judged, 2 when the command cannot be carried out.
    """
    if submissions is None:
        raise InputError("which submissions? Name their folder: handmade grade SUBMISSIONS.")
    names = _exercises(exercises)
    if setup is not None:
        _set_up(setup, submissions, names if exercises else [])
        return
    if not 0 < seconds < float("inf"):
        raise InputError(f"--seconds is {seconds:g}, expected a number above 0.")
    if workers is not None and workers < 1:
        raise InputError(f"--workers is {workers}, expected at least 1.")
    if workers is not None and address is not None:
        raise InputError("--workers is for this machine, --address for a cluster: name one of them.")
    if form is not None:
        _print_for(form, submissions, names if exercises else None, seconds)
        return
    complete = _grade_class(submissions, roster, names, to, workers, address, seconds)
    raise typer.Exit(0 if complete else 1)


def _exercises(given: str | None) -> list[str]:
    from handmade.workshop.exercises import NAMES
    from handmade.workshop.naming import meant

    if given is None:
        return list(NAMES)
    names = [meant(name) for name in given.split(",") if name.strip()]
    if not names:
        raise InputError("--exercises names none; expected for example softmax,self_attention.")
    return names


def _set_up(service: Service, folder: Path, exercises: list[str]) -> None:
    from handmade.classroom.autograders import set_up
    from handmade.cli.screen import say

    path = set_up(service, folder, exercises)
    say(f"Written: {path}")
    if service == "gradescope":
        say("Upload it under Configure Autograder.")
    else:
        say("Commit it to the repository that your students' repositories are made from.")


def _print_for(form: Service, folder: Path, exercises: list[str] | None, seconds: float) -> None:
    """One student's result. Nothing is kept."""
    from tempfile import TemporaryDirectory

    from handmade.classroom.autograders import as_github, as_gradescope
    from handmade.classroom.grading import grade
    from handmade.classroom.submissions import collected_of_one
    from handmade.classroom.workers import judged_here
    from handmade.workshop.exercises import NAMES

    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; expected one student's.")
    found = collected_of_one(folder, exercises or NAMES)
    with TemporaryDirectory() as record:
        grades = grade(found, Path(record), lambda papers: judged_here(papers, 1), seconds)
    expected = exercises or [one.exercise for one in grades.grades]
    if form == "github":
        print(as_github(grades.grades, expected))
    else:
        print(as_gradescope(grades.grades, expected, [note.text for note in grades.notes]))


def _grade_class(
    submissions: Path,
    roster: Path | None,
    exercises: list[str],
    to: Path | None,
    workers: int | None,
    address: str | None,
    seconds: float,
) -> bool:
    """Grade all and say what came of it; whether every file was judged."""
    import os
    from functools import partial

    from tqdm import tqdm

    from handmade.classroom.cluster import judged_on_ray
    from handmade.classroom.grading import grade
    from handmade.classroom.reports import write_reports
    from handmade.classroom.roster import read_roster
    from handmade.classroom.submissions import collected
    from handmade.classroom.summary import summary
    from handmade.classroom.workers import judged_here

    folder = to or submissions.absolute().with_name(f"{submissions.absolute().name}-graded")
    if folder.resolve().is_relative_to(submissions.resolve()):
        raise InputError(f"--to is {folder}, within the submissions, where it would be taken for one: name another.")
    found = collected(submissions, read_roster(roster) if roster else None, exercises)
    if address is not None:
        spread = partial(judged_on_ray, address=address)
    else:
        spread = partial(judged_here, workers=workers or os.cpu_count() or 1)
    with tqdm(desc="Grading", unit="file", disable=None, leave=False) as bar:

        def progress(done: int, of: int) -> None:
            bar.total = of
            bar.update(done - bar.n)

        grades = grade(found, folder, spread, seconds, progress)
    whole = summary(grades)
    _say_all(whole, write_reports(whole, folder))
    return all(one.judged for one in grades.grades)


def _say_all(summary: "Summary", paths: list[Path]) -> None:
    """The class in a few lines, and where the rest is."""
    from handmade.cli.screen import say

    grades = summary.grades
    passed = sum(one.passed for one in grades.grades)
    files = "1 file" if len(grades.grades) == 1 else f"{len(grades.grades)} files"
    students = "1 student" if len(grades.students) == 1 else f"{len(grades.students)} students"
    say(f"{files} of {students}: {passed} passed. {grades.judged_now} judged now.")
    for frequent in summary.frequent[:5]:
        say(f"  {frequent.students:4}  {frequent.mistake} ({frequent.exercise})")
    if summary.alike:
        pairs = "1 pair of solutions is" if len(summary.alike) == 1 else f"{len(summary.alike)} pairs of solutions are"
        say(f"{pairs} alike: look at them.")
    for note in grades.notes[:10]:
        say(f"Note: {note.student}: {note.text}.")
    if (more := len(grades.notes) - 10) > 0:
        say(f"... and {more} more notes in {paths[-1].name}.")
    say(f"Written to {paths[0].parent}: {', '.join(path.name for path in paths)}.")
