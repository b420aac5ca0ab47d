"""Right solutions with one small edit: does the judge refuse them all, and does it show the line that was edited?

    python -m benchmarks mutants [--each 4 | --all] [--seed 0] [--kept FILE] [EXERCISE ...]
    python -m benchmarks mutants --passing [EXERCISE ...]
    python -m benchmarks mutants --pairs [--each 2] [EXERCISE ...]

At each place of each right solution that needs no PyTorch one edit of each of the judge's own kinds is drawn with the
seed, some 30,000 in all. The first form judges `--each` of an exercise, or all of them (hours); with `--kept` verdicts
are appended to that file, and what is in it is not judged again. `--passing` runs every one on all cases and prints
those that pass. `--pairs` puts two of one solution together. `--people` takes the mistakes of
tests/workshop/single_mistakes.py, which are people's, instead; `--candidates` those of benchmarks/candidates, in
solutions whose styles no variant has.
"""

import argparse
import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import candidates
from handmade.workshop.cell.job import Limits
from handmade.workshop.exercises import NAMES, exercise_named
from handmade.workshop.judging.judge import Judge
from handmade.workshop.mutants import mutants_of, pairs_of, passing
from handmade.workshop.mutation import COLUMNS, HEAD, told
from handmade.workshop.source import solution
from tests.workshop.single_mistakes import MISTAKES

CANDIDATES = Path(candidates.__file__).parent

Wrong = tuple[str, str, tuple[int, ...]]
"""A wrong source, what was changed, and the lines that were."""

Maker = Callable[[str, int], Iterator[Wrong]]


def mutants(name: str, seed: int) -> Iterator[Wrong]:
    """The mutants of an exercise, in an order drawn with the seed: the first few of them are a sample."""
    draw = random.Random(f"{seed} {name}")
    found = list(mutants_of(exercise_named(name), draw))
    for mutant in draw.sample(found, len(found)):
        yield mutant.source, f"{mutant.style}, {mutant.kind}, line {mutant.line}", (mutant.line, *mutant.changed)


def pairs(name: str, seed: int) -> Iterator[Wrong]:
    """Pairs of mutants of one solution, drawn with the seed."""
    for pair in pairs_of(exercise_named(name), random.Random(f"{seed} {name}")):
        yield pair.source, f"{pair.style}, {pair.kind}", pair.lines


def peoples(name: str, seed: int) -> Iterator[Wrong]:
    """The solution shown with each of the listed single mistakes."""
    source = solution(exercise_named(name))
    body = source.index('"""\n', 3) + 4
    for other, old, new in MISTAKES:
        if other == name:
            wrong = source[:body] + source[body:].replace(old, new, 1)
            yield wrong, f"{old} -> {new}", (source[: source.index(old, body)].count("\n") + 1,)


def of_candidates(name: str, seed: int) -> Iterator[Wrong]:
    """A candidate's right solution with each of the candidate's mistakes; nothing where no candidate wrote one."""
    for other, old, new in candidates.MISTAKES:
        if other == name:
            source = (CANDIDATES / f"{name}.py").read_text("utf-8")
            yield source.replace(old, new, 1), f"{old} -> {new}", (source[: source.index(old)].count("\n") + 1,)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--each", type=int, default=4)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kept", type=Path)
    for kind in ("pairs", "people", "candidates", "passing"):
        parser.add_argument(f"--{kind}", action="store_true")
    options = parser.parse_args()
    with Judge(Limits(seconds=5.0)) as judge:
        if options.passing:
            print_passing(judge, options.names, options.seed)
            return
        made = pairs if options.pairs else peoples if options.people else mutants
        if options.candidates:
            options.people, made = True, of_candidates
        print_table(judge, options, made)


def print_table(judge: Judge, options: argparse.Namespace, made: Maker) -> None:
    """Judge the mutants that are not in the kept file, and print a row an exercise."""
    totals: Counter[str] = Counter()
    known = _read(options.kept)
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in options.names:
            counts: Counter[str] = Counter()
            for number, (source, what, lines) in enumerate(made(name, options.seed)):
                if number >= options.each and not options.all and not options.people:
                    break
                key = f"{name} {what} {number}"
                if key not in known:
                    path = Path(folder) / f"{name}.py"
                    path.write_text(source, "utf-8")
                    known[key] = told(judge.check(path, exercise_named(name), seed=1), exercise_named(name), set(lines))
                    _keep(options.kept, key, known[key])
                if "refused" not in known[key]:
                    print(f"passes: {name}: {what}: {source.splitlines()[lines[0] - 1].strip()}", flush=True)
                counts.update(known[key])
            totals += counts
            print(_row(name, counts), flush=True)
    print(_row("all", totals))


def print_passing(judge: Judge, names: list[str], seed: int) -> None:
    """Every mutant that passes the judge, by exercise."""
    total = count = 0
    for name in names:
        exercise = exercise_named(name)
        found = list(mutants_of(exercise, random.Random(f"{seed} {name}")))
        passed = passing(judge, exercise, found)
        for mutant in passed:
            before, after = solution_line(mutant.right, mutant.line), solution_line(mutant.source, mutant.line)
            print(f"{name}: {mutant.style}: {mutant.kind}: {before}  =>  {after}", flush=True)
        total, count = total + len(passed), count + len(found)
        print(f"{name}: {len(passed)} of {len(found)} pass", flush=True)
    print(f"{total} of {count} pass")


def solution_line(source: str, number: int) -> str:
    return source.splitlines()[number - 1].strip()


def _read(kept: Path | None) -> dict[str, list[str]]:
    if kept is None or not kept.exists():
        return {}
    return dict(json.loads(line) for line in kept.read_text("utf-8").splitlines())


def _keep(kept: Path | None, key: str, true: list[str]) -> None:
    if kept is not None:
        with kept.open("a", encoding="utf-8") as file:
            file.write(json.dumps([key, true]) + "\n")


def _row(name: str, counts: Counter[str]) -> str:
    return f"| {name} | {' | '.join(str(counts[what]) for what in COLUMNS)} |"


if __name__ == "__main__":
    main()
