"""Damaged files of every format that handmade reads: refused in a clear sentence, or read rightly; soon.

    python -m benchmarks fuzz --minutes 5                     as many cases as there is time for
    python -m benchmarks fuzz --cases 8000                    the same number on every machine, as in CI
    python -m benchmarks fuzz --only npz:123 --keep found     one case again: what it raises, and its files

Cases are drawn from the seed: the same seed, format and number is the same file, for ever. In torch's old format and in
checkpoints alone the same damage meets a file that is written a little differently in each process: with addresses, or
with two entries in another order. Cases are read in a process of their own, with limits of time and memory. The exit
code is 1 where anything but "refused" and "read" was found.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the program forks
os.environ.setdefault("HANDMADE_KERNELS", "numpy")  # ... and reads; nothing is to be compiled for that

import argparse
import sys
import time
from collections import defaultdict
from pathlib import Path

from benchmarks.fuzzing import data, runs, study, weights
from benchmarks.fuzzing.format import Format, write
from benchmarks.fuzzing.watching import OUTCOMES, Found, Watched

FORMATS: list[Format] = [*weights.FORMATS, *data.FORMATS, *runs.FORMATS, *study.FORMATS]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="benchmarks fuzz", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=None)
    parser.add_argument("--cases", type=int, default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default=None, help="a format, or a case of it as format:number")
    parser.add_argument("--keep", type=Path, default=None, help="folder for the first file of each kind that is found")
    options = parser.parse_args()
    name, _, number = (options.only or "").partition(":")
    formats = [form for form in FORMATS if name in ("", form.name)]
    if not formats:
        parser.error(f"no format is called {name!r}; there are {', '.join(form.name for form in FORMATS)}")
    if number:
        _again(formats[0], options.seed, int(number), options.keep or Path("found"))
        return
    watched = Watched(formats, options.seed)
    begun = time.monotonic()
    minutes = options.minutes if options.cases or options.minutes else 1.0
    watched.run(options.cases or sys.maxsize, 60 * (minutes or float("inf")))
    print(table(watched))
    print(f"\n{watched.done:,} cases in {time.monotonic() - begun:.0f} s, seed {options.seed}")
    kinds = by_kind(watched.found)
    for (form, what), found in kinds.items():
        first = found[0]
        print(
            f"\n{form}: {first.outcome}, {len(found)} times: {what}\n    --only '{form}:{first.number}'\n{first.told}"
        )
        if options.keep:
            _keep(next(one for one in formats if one.name == form), options.seed, first.number, options.keep)
    sys.exit(1 if kinds else 0)


def table(watched: Watched) -> str:
    """The counts as a table in Markdown."""
    lines = [f"| format | cases | {' | '.join(OUTCOMES)} |", "|---" * (2 + len(OUTCOMES)) + "|"]
    for form, counts in zip(watched.formats, watched.counts, strict=True):
        cells = [f"{count:,}" for count in (counts.sum(), *counts)]
        if not form.checked:
            cells[-1] = ""  # nothing in the file tells right data from wrong
        lines.append(f"| {form.name} | {' | '.join(cells)} |")
    sums = watched.counts.sum(axis=0)
    lines.append(f"| all | {' | '.join(f'{count:,}' for count in (sums.sum(), *sums))} |")
    return "\n".join(lines)


def by_kind(found: list[Found]) -> dict[tuple[str, str], list[Found]]:
    """What was found, by format and what it is."""
    kinds = defaultdict(list)
    for one in found:
        kinds[one.format, one.what].append(one)
    return dict(kinds)


def _again(form: Format, seed: int, number: int, folder: Path) -> None:
    _keep(form, seed, number, folder)
    print(f"its files are in {folder / f'{form.name}-{number}'}")
    print(form.read(folder / f"{form.name}-{number}"))


def _keep(form: Format, seed: int, number: int, folder: Path) -> None:
    folder = folder / f"{form.name}-{number}"
    folder.mkdir(parents=True, exist_ok=True)
    write(folder, form.case(seed, number)[1])


if __name__ == "__main__":
    main()
