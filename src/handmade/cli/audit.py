"""handmade audit: does the judge refuse every mistake by name, and nothing that is right?"""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from handmade.workshop.judging.audit import Audit

GOALS = {"faults refused": 1.0, "faults named": 0.97, "pairs refused": 1.0, "pairs named": 0.85, "right accepted": 1.0}


def audit(names: Annotated[list[str] | None, typer.Argument(help="The exercises; by default all.")] = None) -> None:
    """Run the judge on every listed fault, every pair of faults, and every right solution.

    For named exercises it prints the whole matrix. The exit code is 1 if a goal is missed.
    """
    from handmade.workshop.exercises import NAMES, exercise_named
    from handmade.workshop.judging.audit import audit as run

    totals: dict[str, list[bool]] = {goal: [] for goal in GOALS}
    for name in names or NAMES:
        one = run(exercise_named(name))
        counts = _counts(one)
        typer.echo(f"{name:22} " + "  ".join(f"{goal} {_share(counts[goal])}" for goal in GOALS))
        if names:
            typer.echo(_matrix(one))
        typer.echo("".join(f"    {line}\n" for line in _off(one)), nl=False)
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


def _counts(one: "Audit") -> dict[str, list[bool]]:
    """For each goal, of each thing that counts, whether it is as it should be. The stub counts as a fault."""
    return {
        "faults refused": [named != () for named in one.singles.values()] + [one.stub_refused],
        "faults named": [named == fault for fault, named in one.singles.items()],
        "pairs refused": [named != () for named in one.pairs.values()],
        "pairs named": [named is not None and set(named) == set(pair) for pair, named in one.pairs.items()],
        "right accepted": list(one.accepted.values()),
    }


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


def _off(one: "Audit") -> list[str]:
    """What is not as it should be, but for pairs of which one is named."""
    lines = [f"fault {fault[0]!r} is named {named}" for fault, named in one.singles.items() if named != fault]
    lines += [f"faults {' and '.join(pair)} together are accepted" for pair, named in one.pairs.items() if named == ()]
    lines += [f"fault {fault!r} is not the only one that gives its results" for fault in one.ambiguous]
    lines += [f"right, and refused: {style}" for style, accepted in one.accepted.items() if not accepted]
    return lines + ([] if one.stub_refused else ["the empty stub is accepted"])
