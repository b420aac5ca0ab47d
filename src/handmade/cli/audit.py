"""handmade audit: does the judge refuse every mistake by name, and nothing that is right?"""

import textwrap
from typing import Annotated

import typer


def audit(
    names: Annotated[list[str] | None, typer.Argument(help="The exercises; by default all.")] = None,
    mutants: Annotated[int, typer.Option(help="Judge this many generated wrong solutions of each instead.")] = 0,
    seed: Annotated[int, typer.Option(help="Draws the generated ones.")] = 0,
) -> None:
    """Run the judge on every listed fault, every pair of faults, and every right solution.

    For named exercises it prints the whole matrix. The exit code is 1 if a goal is missed.

    With --mutants it judges right solutions with one small edit each, and prints for how many of each exercise the edit
    is refused and its line shown, and which of them pass: these should change nothing.
    """
    if mutants:
        raise typer.Exit(_mutation(names, mutants, seed))
    from handmade.cli.screen import say
    from handmade.workshop.exercises import NAMES, exercise_named
    from handmade.workshop.judging.audit import GOALS
    from handmade.workshop.judging.audit import audit as run

    totals: dict[str, list[bool]] = {goal: [] for goal in GOALS}
    for name in names or NAMES:
        one = run(exercise_named(name))
        counts = one.counts()
        say(f"{name:22} " + "  ".join(f"{goal} {_share(counts[goal])}" for goal in GOALS))
        if names:
            say(textwrap.indent(one.matrix(), "    "))
        for line in one.failures():
            say(f"    {line}")
        for goal, count in counts.items():
            totals[goal] += count
    say()
    missed = False
    for goal, least in GOALS.items():
        share = sum(totals[goal]) / max(len(totals[goal]), 1)
        if names and goal == "pairs named":
            said = f"goal {least:.0%} of all exercises together"
        else:
            missed |= share < least
            said = f"goal {least:.0%}{'' if share >= least else '  MISSED'}"
        say(f"{goal:15} {_share(totals[goal]):>11}  {share:7.2%}  {said}")
    raise typer.Exit(1 if missed else 0)


def _mutation(names: list[str] | None, each: int, seed: int) -> int:
    """Print the table of mutants; whether a goal is missed."""
    from handmade.cli.screen import say
    from handmade.workshop.exercises import NAMES, exercise_named
    from handmade.workshop.judging.judge import Judge
    from handmade.workshop.mutation import GOALS, HEAD, Tally, tally

    total = Tally()
    say(HEAD)
    with Judge() as judge:
        for name in names or NAMES:
            one = tally(judge, exercise_named(name), each, seed)
            say(one.row(name))
            total.counts.update(one.counts)
            total.passing += [f"{name}: {what}" for what in one.passing]
    say(total.row("all"))
    if total.passing:
        say("\nThese pass. Is each as right as what it was made of?")
    for what in total.passing:
        say(f"    {what}")
    missed = total.missed()
    for column, share in missed.items():
        say(f"{column}: {share:.1%} of those refused, goal {GOALS[column]:.0%}  MISSED")
    return 1 if missed else 0


def _share(values: list[bool]) -> str:
    return f"{sum(values)}/{len(values)}"
