"""Agreement with PyTorch by its own test databases, all samples: the tables of docs/pytorch.md.

python -m benchmarks torch_databases                # prints every entry that does not agree, and writes the tables
python -m benchmarks torch_databases add softmax    # some entries alone, with what differs
python -m benchmarks torch_databases --reference    # the larger set of inputs of op_db, printed only
"""

import argparse
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import torch
from torch.testing._internal import common_utils

from tests.support import torch_databases as operations
from tests.support import torch_modules as modules
from tests.support.torch_databases import Tally

PAGE = Path(__file__).parent.parent / "docs" / "pytorch.md"
BEGIN, END = "<!-- tables: python -m benchmarks torch_databases -->\n", "<!-- end of tables -->\n"


def show(name: str, tally: Tally, most: int) -> None:
    if tally.wrong or tally.crash or tally.refused:
        print(f"{name}: {tally.agree} of {tally.samples} agree, {tally.wrong} wrong, {tally.crash} crash")
        for outcome, texts in tally.notes.items():
            for text in texts[:most]:
                print(f"    {outcome}: {text}")


def rows(tallies: dict[str, Tally]) -> Iterable[str]:
    yield "| entry | samples | agree | refused | wrong | crash |"
    yield "|---|---:|---:|---:|---:|---:|"
    for name, tally in tallies.items():
        counts = tally.samples, tally.agree, tally.refused.total(), tally.wrong, tally.crash
        yield f"| {name} | " + " | ".join(map(str, counts)) + " |"


def total(tallies: Iterable[Tally]) -> str:
    tallies = list(tallies)
    samples, agree = sum(t.samples for t in tallies), sum(t.agree for t in tallies)
    refused = sum((t.refused for t in tallies), Counter())
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in refused.most_common()) or "none"
    return (
        f"{samples:,} samples of {len(tallies)} entries: {agree:,} agree ({agree / max(samples, 1):.1%}), "
        f"{sum(t.wrong for t in tallies)} wrong, {sum(t.crash for t in tallies)} crash; refused: {reasons}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks torch_databases", description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--reference", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    common_utils.extract_test_fn = lambda: None  # it looks for a unittest through the whole stack, at every sample
    found: dict[str, dict[str, Tally]] = {"op_db": {}, "module_db": {}, "optim_db": {}}
    for entry in operations.entries():
        if not args.names or entry.name in args.names:
            name = ".".join(filter(None, (entry.name, entry.variant_test_name)))
            found["op_db"][name] = operations.run_entry(entry, reference=args.reference)
    for database, entries, run, name_of in (
        ("module_db", modules.module_entries(), modules.run_module, lambda e: e.module_cls.__name__),
        ("optim_db", modules.optimizer_entries(), modules.run_optimizer, lambda e: e.optim_cls.__name__),
    ):
        for entry in entries:
            if not args.reference and (not args.names or name_of(entry) in args.names):
                found[database][name_of(entry)] = run(entry)
    for tallies in found.values():
        for name, tally in tallies.items():
            show(name, tally, 20 if args.names else 2)
    lines = []
    for database, tallies in found.items():
        print(f"{database}: {total(tallies.values())}")
        lines += [f"## {database}", "", total(tallies.values()), "", *rows(tallies), ""]
    if not args.names and not args.reference and PAGE.exists():
        before, _, rest = PAGE.read_text().partition(BEGIN)
        PAGE.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + rest.partition(END)[2])


if __name__ == "__main__":
    main()
