"""Wrong solutions made by single edits of the right ones: how many does the judge refuse, name, and point at?

    python -m benchmarks mutants [--each 4] [--seconds 2.6] [--seed 0] [EXERCISE ...]

Right solutions without PyTorch are changed by single edits of the judge's own kinds, drawn with the seed, `--each` of
them an exercise. One that gives the right results on all cases, drawn anew too, is equivalent as far as the judge can
tell: those are listed. `--dev` takes the mistakes of tests/workshop/single_mistakes.py, which are people's, instead.
"""

import argparse
import ast
import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from handmade.workshop.cell.versions import edited
from handmade.workshop.exercises import NAMES, exercise_named
from handmade.workshop.judging.edits import Editor
from handmade.workshop.judging.judge import Judge
from handmade.workshop.source import solution
from handmade.workshop.variants import variants_of
from tests.workshop.single_mistakes import MISTAKES

Mutant = tuple[str, str, int]
"""A wrong source, what was changed, and the line that was."""

COLUMNS = ("mutants", "refused", "named or line", "line", "mend")


def mutants_of(name: str, count: int, draw: random.Random) -> Iterator[Mutant]:
    """Right solutions of an exercise with one edit each."""
    sources = [solution(exercise_named(name)), *(s for s in variants_of(name).values() if "torch" not in s)]
    for _ in range(count):
        source = draw.choice(sources)
        editor = Editor(source, ast.parse(source))
        edits = [edit for number in range(len(editor.nodes)) for edit in editor.narrow(number)]
        edit = draw.choice(edits)
        yield edited(source, edit.parts), f"{edit.kind}, line {edit.line}", edit.line


def peoples(name: str) -> Iterator[Mutant]:
    """The solution shown with each of the listed single mistakes."""
    source = solution(exercise_named(name))
    body = source.index('"""\n', 3) + 4
    for other, old, new in MISTAKES:
        if other == name:
            wrong = source[:body] + source[body:].replace(old, new, 1)
            yield wrong, f"{old} -> {new}", source[: source.index(old, body)].count("\n") + 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--each", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=2.6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dev", action="store_true")
    options = parser.parse_args()
    totals: Counter[str] = Counter()
    print(f"| exercise | {' | '.join(COLUMNS)} |\n{'|---' * (1 + len(COLUMNS))}|", flush=True)
    with tempfile.TemporaryDirectory() as folder, Judge() as judge:
        judge.pointer.seconds = options.seconds
        for name in options.names:
            draw = random.Random(f"{options.seed} {name}")
            made = peoples(name) if options.dev else mutants_of(name, options.each, draw)
            counts = judged(judge, name, made, Path(folder))
            totals += counts
            if counts:
                print(_row(name, counts), flush=True)
    print(_row("all", totals))


def judged(judge: Judge, name: str, made: Iterator[Mutant], folder: Path) -> Counter[str]:
    """How many were refused, named, pointed at and mended; those that pass are printed."""
    exercise, counts = exercise_named(name), Counter[str]()
    for source, what, line in made:
        path = folder / f"{name}.py"
        path.write_text(source, "utf-8")
        verdict = judge.check(path, exercise, seed=1)
        counts["mutants"] += 1
        if verdict.passed:
            print(f"passes: {name}: {what}: {source.splitlines()[line - 1].strip()}", flush=True)
            continue
        pointed = any(finding.line == line for finding in verdict.findings)
        counts["refused"] += 1
        counts["line"] += pointed
        counts["named or line"] += pointed or any(finding.name in exercise.faults for finding in verdict.findings)
        counts["mend"] += any(finding.mend is not None for finding in verdict.findings)
    return counts


def _row(name: str, counts: Counter[str]) -> str:
    return f"| {name} | {' | '.join(str(counts[what]) for what in COLUMNS)} |"


if __name__ == "__main__":
    main()
