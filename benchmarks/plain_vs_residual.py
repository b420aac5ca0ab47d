"""The experiment that explains ResNet: a deep plain network and a residual one of the same layers learn side by side.

    python -m benchmarks plain_vs_residual [--depth 56] [--data cifar10] [--epochs 5] [--steps N] [--batch 128]

Trains plain<depth> and resnet<depth> by their recipe into runs/plain-vs-residual, measures the norm of the gradient in
each layer over the first steps, prints both, and draws docs/pictures/resnet-cifar-plain-vs-residual.png. A depth of 56
takes two to three times as long as 20; plain networks fall behind from about 32 layers on.
"""

import argparse
import shutil
from pathlib import Path

from handmade.lens.training_curves import draw_training_curves, gradient_norms
from handmade.recipes import recipe_of
from handmade.tasks import Recipe, changed
from handmade.train import Trainer, display_of, new_run
from handmade.train.metrics import read_metrics


def trained(recipe: Recipe, folder: Path) -> Path:
    """The folder of a new run of `recipe`, in place of an older one."""
    shutil.rmtree(folder, ignore_errors=True)
    task = recipe.task()
    Trainer(task, new_run(recipe, task.facts, folder), display_of(task)).train()
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--depth", type=int, default=56, choices=(20, 32, 44, 56))
    parser.add_argument("--data", default="cifar10", help="or fashion-mnist, which is packaged")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--steps", type=int, help="end after so many steps instead")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, help="the learning rate, if not the recipe's")
    parser.add_argument("--gradient-steps", type=int, default=20, help="over so many steps norms are averaged")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures/resnet-cifar-plain-vs-residual.png"))
    arguments = parser.parse_args()

    options = {"data": arguments.data, "epochs": arguments.epochs, "steps": arguments.steps}
    options |= {"batch_size": arguments.batch, "learning_rate": arguments.rate}
    settings = [f"{name}={value}" for name, value in options.items() if value is not None]
    names = [f"plain{arguments.depth}", f"resnet{arguments.depth}"]
    recipes = {name: changed(recipe_of(name), settings) for name in names}
    runs = {name: trained(recipe, Path("runs/plain-vs-residual", name)) for name, recipe in recipes.items()}
    norms = {name: gradient_norms(recipe.task(), arguments.gradient_steps) for name, recipe in recipes.items()}

    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    title = f"{arguments.depth} layers on {arguments.data}, without shortcuts and with them"
    draw_training_curves(arguments.out, runs, norms, title)
    for name, run in runs.items():
        end = [line for line in read_metrics(run / "metrics.jsonl") if "test_accuracy" in line][-1]
        first, *_, last = norms[name].values()
        errors = f"errors: training {1 - end['train_accuracy']:.1%}, test {1 - end['test_accuracy']:.1%}"
        print(f"{name}: {errors}; gradient norm {first:.3g} in the first layer, {last:.3g} in the last")
    print(arguments.out)


if __name__ == "__main__":
    main()
