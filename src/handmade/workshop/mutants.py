"""Right solutions with one small edit each, or two: fresh bugs, of which the lines are known."""

import ast
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path

from handmade.workshop.cell.cases import Raised, Result
from handmade.workshop.cell.versions import edited
from handmade.workshop.exercise import Exercise
from handmade.workshop.judging.counterfactuals import Counterfactuals
from handmade.workshop.judging.edits import Edit, Editor
from handmade.workshop.judging.judge import Judge
from handmade.workshop.judging.reading import read
from handmade.workshop.judging.repair import with_few_brackets
from handmade.workshop.judging.trial import Trial
from handmade.workshop.source import solution
from handmade.workshop.variants import variants_of

SHOWN = "the solution shown"
"""The style of the exercise's own solution; the variants have theirs."""

DRAWS = 1000
"""How often a mutant is drawn before there is none."""

AT_ONCE = 200
"""How many mutants are run in one process."""


@dataclass(frozen=True)
class Mutant:
    """A right solution of this style, its source with edits, and their kind."""

    style: str
    right: str
    source: str
    kind: str
    edits: tuple[Edit, ...]

    @property
    def lines(self) -> tuple[int, ...]:
        """The lines that the edits are about."""
        return tuple(edit.line for edit in self.edits)

    @property
    def changed(self) -> set[int]:
        """The lines that differ from the right solution's, and those that the edits are about: a statement that was
        moved is wrong where it stands now."""
        before, after = self.right.split("\n"), self.source.split("\n")
        steps = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
        return {*self.lines, *(n + 1 for tag, _, _, begin, end in steps if tag != "equal" for n in range(begin, end))}

    @property
    def line(self) -> int:
        return self.lines[0]


def styles_of(exercise: Exercise) -> dict[str, str]:
    """The right solutions that need no PyTorch, by style."""
    variants = {style: source for style, source in variants_of(exercise.name).items() if "torch" not in source}
    return {SHOWN: solution(exercise), **variants}


def mutants_of(exercise: Exercise, draw: random.Random) -> Iterator[Mutant]:
    """At each place of each right solution one edit of each kind, drawn; without those that change nothing."""
    for style, source in styles_of(exercise).items():
        tree = ast.parse(source)
        editor, same = Editor(source, tree), ast.dump(tree)
        for number in range(len(editor.nodes)):
            kinds: dict[str, list[Edit]] = {}
            for edit in editor.narrow(number):
                kinds.setdefault(edit.kind, []).append(edit)
            for kind, edits in kinds.items():
                edit = draw.choice(edits)
                wrong = edited(source, edit.parts)
                if _dumped(wrong) not in ("", same):
                    yield Mutant(style, source, wrong, kind, (edit,))


def drawn_mutant(judge: Judge, exercise: Exercise, draw: random.Random) -> Mutant | None:
    """One mutant that the judge refuses, of any style; without those that leave a `pass` or such in sight. None where
    DRAWS draws bring none."""
    styles = styles_of(exercise)
    for _ in range(DRAWS):
        style = draw.choice(list(styles))
        source = styles[style]
        editor = Editor(source, ast.parse(source))
        edits = [edit for edit in editor.narrow(draw.randrange(len(editor.nodes))) if edit.kind not in _IN_SIGHT]
        if not edits:
            continue
        edit = with_few_brackets(source, draw.choice(edits))
        wrong = edited(source, edit.parts)
        if _dumped(wrong) in ("", ast.dump(ast.parse(source))):
            continue
        mutant = Mutant(style, source, wrong, edit.kind, (edit,))
        if not passing(judge, exercise, [mutant]):
            return mutant
    return None


_IN_SIGHT = ("a statement too many", "a condition", "brackets")


def pairs_of(exercise: Exercise, draw: random.Random) -> Iterator[Mutant]:
    """Two mutants of one solution in one, at different lines; drawn, without end."""
    found = list(mutants_of(exercise, draw))
    by_style = {style: [mutant for mutant in found if mutant.style == style] for style in styles_of(exercise)}
    while True:
        first = draw.choice(found)
        second = draw.choice(by_style[first.style])
        parts = sorted((*first.edits[0].parts, *second.edits[0].parts))
        apart = all(a[1] < b[0] for a, b in pairwise(parts))
        one_each = "\n" not in "".join(part[2] for part in parts)
        wrong = edited(first.right, parts)
        if first.line != second.line and apart and one_each and _dumped(wrong):
            kinds = f"{first.kind} in line {first.line}, {second.kind} in line {second.line}"
            yield replace(first, source=wrong, kind=kinds, edits=(*first.edits, *second.edits))


def passing(judge: Judge, exercise: Exercise, mutants: Sequence[Mutant]) -> list[Mutant]:
    """Those of the mutants that the judge accepts: first all are run on the known cases, many in one process."""
    reference = Counterfactuals(exercise, exercise.all_cases())
    limits = replace(judge.limits, seconds=600.0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{exercise.name}.py"
        maybe: list[Mutant] = []
        for right in dict.fromkeys(mutant.right for mutant in mutants):
            path.write_text(right, "utf-8")
            job = read(path, exercise, reference.cases).job(exercise, reference.cases, limits, torch=False)
            some = [mutant for mutant in mutants if mutant.right == right]
            while some:
                edits = tuple(mutant.edits[0].parts for mutant in some[:AT_ONCE])
                outcome = judge.sandbox.run(replace(job, edits=edits))
                done = outcome.edits or [[]]  # one that ends the process is refused
                maybe += [m for m, outputs in zip(some, done, strict=False) if _is_accepted(outputs, reference)]
                some = some[len(done) + (len(done) < len(edits) and bool(outcome.edits)) :]
        return [mutant for mutant in maybe if _passes(judge, exercise, path, mutant)]


def _is_accepted(outputs: list[object], reference: Counterfactuals) -> bool:
    """Whether no fault explains the results, and a convention does."""
    if len(outputs) < len(reference.cases):
        return False
    results = [Result(one) if isinstance(one, dict) else Result(None, Raised("", "")) for one in outputs]
    trial = Trial.of(reference, results)
    accepted = [which for which in reference.candidates() if which.isdisjoint(reference.exercise.faults)]
    return any(trial.is_explained_by(which) for which in accepted)


def _passes(judge: Judge, exercise: Exercise, path: Path, mutant: Mutant) -> bool:
    path.write_text(mutant.source, "utf-8")
    return judge.check(path, exercise, seed=1).passed


def _dumped(source: str) -> str:
    """The syntax tree as text; empty where it is no Python."""
    try:
        return ast.dump(ast.parse(source))
    except SyntaxError:
        return ""
