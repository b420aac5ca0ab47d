"""Verdicts on the screen."""

import shlex
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from handmade.terminal import for_stream
from handmade.workshop.exercise import Exercise
from handmade.workshop.judging.shown import fit
from handmade.workshop.judging.verdict import COMPUTES_ONLY, Finding, Verdict
from handmade.workshop.workspace import DRILLS, Workspace


def show(verdict: Verdict, exercise: Exercise, path: Path, workspace: Workspace | None, every: bool = False) -> None:
    """One verdict and what to do next. every: show all that was found, not the first finding only."""
    console = Console(highlight=False, soft_wrap=True)  # lines come wrapped, so that a path is not cut
    if verdict.printed:
        console.print(Text("Your file printed:", "dim"))
        console.print(_indented(verdict.printed.rstrip()[:1000], "dim"), end="\n\n")
    console.print(_headline(verdict, exercise))
    for followed in verdict.conventions:
        console.print(_indented(f"Convention: {followed.name}. {followed.message}", "cyan"))
    if verdict.findings and _is_drill(verdict, exercise, path):
        console.print(_indented("\nThe mistake is still in it. (`--json` gives it away.)"))
    else:
        for finding in verdict.findings if every else verdict.findings[:1]:
            console.print()
            for part in _finding(finding):
                console.print(part)
            _show_lines(console, finding, path)
        if (more := len(verdict.findings) - 1) > 0 and not every:
            words = "one more thing" if more == 1 else f"{more} more things"
            again = _check_again(verdict, path, workspace)
            console.print(_indented(f"\nMend this first; `{again} --all` shows {words}.", "dim"))
    console.print()
    if len({test.status for test in verdict.tests if test.name != COMPUTES_ONLY}) > 1:
        for line in _tests(verdict):
            console.print(line)
        console.print()
    console.print(Text(for_stream(_next_step(verdict, path, workspace), sys.stdout, 0), "dim"))


def _indented(text: str, style: str = "", by: int = 2) -> Text:
    return Text(for_stream(textwrap.indent(text, " " * by), sys.stdout, 0), style)


def show_all(verdicts: list[Verdict], workspace: Workspace) -> None:
    """A line for each verdict, and what to do next."""
    from rich.table import Table

    console = Console(highlight=False)
    table = Table.grid(padding=(0, 2))
    high = console.is_terminal and len(verdicts) > console.height - 5
    left_out = 0
    for verdict in verdicts:
        unwritten = bool(verdict.findings) and verdict.findings[0].name == "not written yet"
        if unwritten and high:
            left_out += 1
            continue
        mark, style = ("✓", "green") if verdict.passed else ("·", "dim") if unwritten else ("✗", "red")
        names = ", ".join(finding.name for finding in verdict.findings)
        table.add_row(Text(mark, style), Text(verdict.exercise, style), Text(names, "dim" if unwritten else ""))
    console.print(table)
    if left_out:
        console.print(Text(f"·  {left_out} not written yet", "dim"))
    passed = sum(verdict.passed for verdict in verdicts)
    console.print(f"\n{passed} of {len(verdicts)} passed.")
    upcoming = workspace.upcoming()
    if upcoming:
        console.print(Text(f"Next: {workspace.where(upcoming)}; then `handmade check {upcoming}`.", "dim"))


def _headline(verdict: Verdict, exercise: Exercise) -> Text:
    time = f"  ({verdict.seconds:.2f} s)"
    if verdict.passed:
        return Text.assemble(("✓ ", "bold green"), (f"{exercise.title}: passed", "bold green"), (time, "dim"))
    return Text.assemble(("✗ ", "bold red"), (f"{exercise.title}: not yet", "bold red"), (time, "dim"))


def _is_drill(verdict: Verdict, exercise: Exercise, path: Path) -> bool:
    """Whether to keep the mistakes' names and lines to ourselves: they are what `handmade drill` asks for."""
    return path.parent.name == DRILLS and all(
        finding.name in exercise.faults or finding.name.startswith(_OF_DRILLS) for finding in verdict.findings
    )


_OF_DRILLS = (
    "wrong", "raises", "nan in", "inf in", "-inf in", "returns None", "results in another order",
    "right on the known cases only", "a second mistake", "changes its arguments", "random output", "time limit",
    "endless recursion", "memory limit",
)  # fmt: skip
"""How the findings on a right solution with one edit begin, beside the exercise's own faults."""


NEIGHBOURS = 2
"""How many lines are shown before and after the one that a mistake is in."""


def _show_lines(console: Console, finding: Finding, path: Path) -> None:
    """The line that a mistake is in, marked, with its neighbours; without colours where there are none."""
    line = finding.line
    try:
        lines = path.read_text("utf-8").split("\n") if line is not None else []
    except (OSError, UnicodeDecodeError):
        return
    if line is None or line > len(lines):
        return
    shown = [fit(text, 200) for text in lines]
    first, last = max(line - NEIGHBOURS, 1), min(line + NEIGHBOURS, len(lines))
    console.print()
    if console.color_system is None or console.no_color:
        for number in range(first, last + 1):
            mark = ">" if number == line else " "
            code = f"  {mark} {number:{len(str(last))}}  {shown[number - 1]}"
            console.print(Text(for_stream(code, sys.stdout, 6)))
        return
    from rich.syntax import Syntax  # loads the colouring of every language there is

    coloured = Syntax(
        "\n".join(shown),
        "python",
        line_numbers=True,
        line_range=(first, last),
        highlight_lines={line},
        theme="ansi_dark",
        background_color="default",
        word_wrap=True,
    )
    console.print(Padding(coloured, (0, 0, 0, 2)), soft_wrap=False)


def _finding(finding: Finding) -> Iterator[Text]:
    where = f"  line {finding.line}" if finding.line else ""
    yield Text.assemble("  ", (finding.name, "bold"), (where, "bold yellow"))
    yield _indented(finding.message)
    if finding.evidence:
        yield _indented(finding.evidence, "yellow", 4)


def _tests(verdict: Verdict) -> Iterator[Text]:
    for test in verdict.tests:
        mark, style = {"passed": ("✓", "green"), "failed": ("✗", "red")}.get(test.status, ("·", "dim"))
        name = for_stream(f"   {test.name}", sys.stdout, 0)[3:]
        yield Text.assemble((f"{mark}  ", style), (name, "" if test.status == "failed" else "dim"))


def _next_step(verdict: Verdict, path: Path, workspace: Workspace | None) -> str:
    if verdict.passed and path.parent.name == DRILLS:
        held = workspace.progress().drills if workspace is not None else []
        line = next((drill.line for drill in reversed(held) if drill.file == path.name), 0)
        return f"Fixed.{f' It was line {line}.' if line else ''} `handmade drill` writes another."
    name = verdict.exercise
    if verdict.passed and workspace is not None and workspace.progress().of(name).passed is None:
        return f"That is right. Your own file is {workspace.where(name)}.\nNext: `handmade check {name}`."
    if verdict.passed and workspace is not None:
        upcoming = workspace.upcoming()
        after = (
            f"Next: {workspace.where(upcoming)}; then `handmade check {upcoming}`"
            if upcoming
            else "That was the last one: all are passed"
        )
        return f"`handmade solution {name}` shows how we write it.\n{after}."
    if path.parent.name in ("interviews", "from-memory"):
        return "That was your try." if not verdict.passed else "That is right."
    if verdict.passed:
        return "That is right."
    mended = any(finding.mend for finding in verdict.findings)
    gives = "leads to the mend" if mended and _is_own(path, verdict, workspace) else "gives a hint"
    hint = f" `handmade hint {name}` {gives}." if workspace is not None else ""
    seed = verdict.seed
    again = "" if seed is None else f" `{_check_again(verdict, path, workspace)} --seed {seed}` draws the same cases."
    return f"Edit {shown_from_here(path)} and check it again.{hint}{again}"


def _check_again(verdict: Verdict, path: Path, workspace: Workspace | None) -> str:
    """The command that checks this file."""
    file = "" if _is_own(path, verdict, workspace) else f" --file {shlex.quote(str(shown_from_here(path)))}"
    return f"handmade check {verdict.exercise}{file}"


def _is_own(path: Path, verdict: Verdict, workspace: Workspace | None) -> bool:
    """Whether it is the exercise's own file in the workspace, whose verdict is remembered."""
    return workspace is not None and path.resolve() == workspace.file(verdict.exercise).resolve()


def shown_from_here(path: Path) -> Path:
    """As seen from here, where it lies below."""
    here, real = Path.cwd(), path.absolute()
    return real.relative_to(here) if real.is_relative_to(here) else path
