"""ResNet-20 on CIFAR-10 by its recipe: the test accuracy after each epoch, and at the end whether it reached 70 %.

    HANDMADE_DATA=FOLDER python -m benchmarks resnet20_cifar10 [--epochs 5] [--out FOLDER]

The folder holds the images as one of the archives that `handmade data` names. A run that was stopped goes on.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from handmade.recipes import recipe_of
from handmade.train import Run, Trainer, display_of, new_run, open_run

BAR = 0.70
"""Of the test images, after five epochs."""


def run_in(folder: Path, epochs: int) -> Run:
    if (folder / "config.json").exists():
        return open_run(folder)
    recipe = replace(recipe_of("resnet20"), data="cifar10", epochs=epochs)
    return new_run(recipe, recipe.task().facts, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("runs", "resnet20-cifar10"))
    arguments = parser.parse_args()
    run = run_in(arguments.out, arguments.epochs)
    task = run.recipe.task(run.facts)
    if not Trainer(task, run, display_of(task)).train():
        sys.exit(130)
    lines = [json.loads(line) for line in run.metrics.read_text().splitlines()]
    ends = [line for line in lines if "test_accuracy" in line]
    for number, line in enumerate(ends, 1):
        print(f"epoch {number}: {100 * line['test_accuracy']:.2f} % after {line['seconds'] / 60:.1f} min")
    reached = ends[-1]["test_accuracy"]
    print(f"{'reached' if reached >= BAR else 'missed'} {BAR:.0%}")
    sys.exit(reached < BAR)


if __name__ == "__main__":
    main()
