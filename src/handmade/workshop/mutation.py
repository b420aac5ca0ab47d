"""Mutation testing of the judge: does it refuse right solutions with one small edit, and show the line?"""

import random
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from handmade.workshop.exercise import Exercise
from handmade.workshop.judging.judge import Judge
from handmade.workshop.judging.verdict import Verdict
from handmade.workshop.mutants import mutants_of

COLUMNS = ("judged", "refused", "named or line", "line", "line first", "mend")
"""What is counted of each: whether it is refused, a listed mistake is named or the line shown, the line is shown, it is
the first finding's, and a mend is found."""

GOALS = {"line": 0.95, "line first": 0.9}
"""The least share of those that are refused."""


@dataclass
class Tally:
    """What the judge makes of some mutants: how many there are of each of COLUMNS, and those that pass, in words."""

    counts: Counter[str] = field(default_factory=Counter)
    passing: list[str] = field(default_factory=list)

    def row(self, name: str) -> str:
        """A row of the table in Markdown."""
        return f"| {name} | {' | '.join(str(self.counts[column]) for column in COLUMNS)} |"

    def missed(self) -> dict[str, float]:
        """The goals that are not reached, with the shares."""
        refused = max(self.counts["refused"], 1)
        shares = {column: self.counts[column] / refused for column in GOALS}
        return {column: share for column, share in shares.items() if share < GOALS[column]}


HEAD = f"| exercise | {' | '.join(COLUMNS)} |\n{'|---' * (1 + len(COLUMNS))}|"
"""The first two lines of the table."""


def tally(judge: Judge, exercise: Exercise, each: int, seed: int) -> Tally:
    """The judge's verdicts on so many mutants of this exercise, drawn with the seed."""
    draw, found = random.Random(f"{seed} {exercise.name}"), Tally()
    every = list(mutants_of(exercise, draw))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{exercise.name}.py"
        for mutant in draw.sample(every, min(each, len(every))):
            path.write_text(mutant.source, "utf-8")
            true = told(judge.check(path, exercise, seed=1), exercise, mutant.changed)
            found.counts.update(true)
            if "refused" not in true:
                before, after = (
                    source.splitlines()[mutant.line - 1].strip() for source in (mutant.right, mutant.source)
                )
                found.passing.append(f"{mutant.style}: {mutant.kind}: {before}  =>  {after}")
    return found


def told(verdict: Verdict, exercise: Exercise, lines: set[int]) -> list[str]:
    """What of the columns is true of this verdict. lines: those that were changed."""
    if verdict.passed:
        return ["judged"]
    shown = [finding.line for finding in verdict.findings]
    line = not lines.isdisjoint(shown)
    true = {
        "judged": True,
        "refused": True,
        "named or line": line or any(finding.name in exercise.faults for finding in verdict.findings),
        "line": line,
        "line first": bool(shown) and shown[0] in lines,
        "mend": any(finding.mend is not None for finding in verdict.findings),
    }
    return [column for column in COLUMNS if true[column]]
