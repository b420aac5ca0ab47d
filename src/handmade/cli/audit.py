"""handmade audit: does the judge refuse every mistake by name, and nothing that is right?"""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from handmade.workshop.judging.audit import Audit


def audit(names: Annotated[list[str] | None, typer.Argument(help="The exercises; by default all.")] = None) -> None:
    """Run the judge on every listed fault, every pair of faults, and every right solution.

    For named exercises it prints the whole matrix. The exit code is 1 if a goal is missed.
    """
    from handmade.workshop.exercises import NAMES, exercise_named
    from handmade.workshop.judging.audit import GOALS
    from handmade.workshop.judging.audit import audit as run

    totals: dict[str, list[bool]] = {goal: [] for goal in GOALS}
    for name in names or NAMES:
        one = run(exercise_named(name))
        counts = one.counts()
        typer.echo(f"{name:22} " + "  ".join(f"{goal} {_share(counts[goal])}" for goal in GOALS))
        if names:
            typer.echo(_matrix(one))
        typer.echo("".join(f"    {line}\n" for line in one.failures()), nl=False)
        for goal, count in counts.items():
            totals[goal] += count
    typer.echo()
    missed = False
    for goal, least in GOALS.items():
        share = sum(totals[goal]) / max(len(totals[goal]), 1)
        if names and goal == "pairs named":
            said = f"goal {least:.0%} of all exercises together"
        else:
            missed |= share < least
            said = f"goal {least:.0%}{'' if share >= least else '  MISSED'}"
        typer.echo(f"{goal:15} {_share(totals[goal]):>11}  {share:7.2%}  {said}")
    raise typer.Exit(1 if missed else 0)


def _share(values: list[bool]) -> str:
    return f"{sum(values)}/{len(values)}"


def _matrix(one: "Audit") -> str:
    """A row a fault: what it is named alone (o), with each other one: both (+), one of them (/), other names or none
    (?), accepted (!)."""
    faults = [fault for (fault,) in one.singles]

    def sign(first: str, second: str) -> str:
        if first == second:
            named, wanted = one.singles[first,], {first}
        else:
            named = one.pairs.get((first, second), one.pairs.get((second, first)))
            wanted = {first, second}
        if named == ():
            return "!"
        if named is None or not set(named) <= wanted:
            return "?"
        return "o" if first == second else "+" if set(named) == wanted else "/"

    width = max(map(len, faults))
    rows = [f"    {fault:{width}}  {' '.join(sign(fault, other) for other in faults)}" for fault in faults]
    return "\n".join(
        [*rows, "    o named alone, + both of a pair named, / one of them, ? other names or none, ! accepted"]
    )
