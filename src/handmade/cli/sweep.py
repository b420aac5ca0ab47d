"""handmade sweep: train a network with many settings, and compare."""

import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handmade.cli.screen import fitted, say
from handmade.errors import InputError

if TYPE_CHECKING:
    from handmade.sweep import Result, Sweep, Trial

REASONS = 5
"""Why trials diverged or failed is told of so many; sweep.csv has all."""


def sweep(
    model: Annotated[str, typer.Argument(help="What to train, for example lenet5.")],
    over: Annotated[
        list[str] | None,
        typer.Option(
            "--over", metavar="KEY=VALUES", help="Values to try, KEY=1,2,3, or a range, KEY=1e-4..1e-2. Repeatable."
        ),
    ] = None,
    trials: Annotated[int | None, typer.Option(help="How many trials to draw from ranges; 10 by default.")] = None,
    data: Annotated[str | None, typer.Option(help="The data set to train on; 'handmade data' lists them.")] = None,
    epochs: Annotated[int | None, typer.Option(help="How many passes over the training set.")] = None,
    steps: Annotated[int | None, typer.Option(help="How many steps (batches) to train for, instead of epochs.")] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting in all trials; may be repeated."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The seed of the random numbers, of the draws too.")] = None,
    out: Annotated[Path | None, typer.Option(help="The folder of the sweep; by default sweeps/MODEL-N.")] = None,
    workers: Annotated[int | None, typer.Option(help="Trials at a time; by default one a core.")] = None,
    address: Annotated[
        str | None, typer.Option(help="A Ray cluster, for example ray://head:10001, that sees the folder of the sweep.")
    ] = None,
    whole: Annotated[bool, typer.Option("--to-the-end", help="Train every trial to its end: stop none early.")] = False,
) -> None:
    """Train a network with every combination of some settings, and compare.

    --over takes what --set takes, as `handmade train MODEL --show` lists it; --trials N draws from ranges. Trials that
    fall behind are stopped early (ASHA). Each is a run folder. Needs Ray: pip install 'handmade[ray]'.

    An interrupted sweep is resumed by the same command, and runs nothing again that has ended.
    """
    from handmade.recipes import recipe_of
    from handmade.sweep import folder_for, read_axes, sweep_in, trials_of
    from handmade.tasks import changed

    if workers is not None and workers < 1:
        raise InputError(f"--workers is {workers}, expected at least 1.")
    if workers is not None and address is not None:
        raise InputError("--workers is for this machine, --address for a cluster: name one of them.")
    if epochs is not None and steps is not None:
        raise InputError("--epochs and --steps both set the length of training: give only one.")
    options = {"data": data, "epochs": epochs, "steps": steps, "seed": seed}
    settings = [f"{name}={value}" for name, value in options.items() if value is not None] + (changes or [])
    recipe = changed(recipe_of(_with_stages(model, over or [])), settings)
    axes = read_axes(recipe, over or [])
    _check_apart(axes, settings)
    values = trials_of(axes, trials, recipe.seed)
    found = sweep_in(out or folder_for(recipe, values), recipe, values)
    _run(found, workers, address, not whole)


def _check_apart(axes: Iterable[str], settings: list[str]) -> None:
    given = {one.partition("=")[0].strip() for one in settings}
    for key in axes:
        if key in given:
            raise InputError(f"{key} is swept by --over, and set for all trials, too: give only one of them.")


def _with_stages(model: str, over: list[str]) -> str:
    """The recipe that has a stage to sweep: gpt's stages have one of their own."""
    swept = any(one.partition("=")[0].strip() == "stage" for one in over)
    return "gpt-stage" if model == "gpt" and swept else model


def _run(found: "Sweep", workers: int | None, address: str | None, early_stopping: bool) -> None:
    """Run what is left of the sweep, and say what came of it."""
    import os

    from handmade.files import locked
    from handmade.ray_session import LOCAL
    from handmade.sweep import reopened

    with locked(found.folder, f"{found.folder} is in use: another `handmade sweep` runs it."):
        found = reopened(found)
        left = len(found.left)
        if left < len(found.trials):
            say(f"{len(found.trials) - left} of {len(found.trials)} trials have ended already, in {found.folder}.")
        if left:
            settings = "1 setting" if left == 1 else f"{left} settings"
            say(f"{found.recipe.model} learns with {settings}; the runs are saved in {found.folder}")
            at_a_time = workers or min(os.cpu_count() or 1, left)
            _with_progress(found, address or LOCAL, at_a_time, early_stopping)
        found = reopened(found)
        _say_all(found)
    states = {found.results[trial.number].state for trial in found.trials}
    if "waiting" in states:
        raise typer.Exit(130)
    raise typer.Exit(1 if "failed" in states else 0)


def _with_progress(found: "Sweep", address: str, workers: int, early_stopping: bool) -> None:
    """Run it, with a bar and a line for each trial that ends."""
    from tqdm import tqdm

    from handmade.sweep import run_sweep
    from handmade.terminal import redraws

    with tqdm(
        total=len(found.trials),
        initial=len(found.trials) - len(found.left),
        desc="Sweeping",
        unit="trial",
        disable=not redraws(sys.stderr),
        leave=False,
    ) as bar:

        def told(trial: "Trial", result: "Result") -> None:
            with tqdm.external_write_mode():
                say(_line(trial, result), error=True)
            bar.update()

        run_sweep(found, address, workers, early_stopping, told)


def _line(trial: "Trial", result: "Result") -> str:
    """'3  learning_rate=0.001, n_layer=4: stopped early at epoch 1, test loss 2.103'."""
    from handmade.sweep import shown
    from handmade.train.display import measures_text

    values = ", ".join(f"{name}={shown(value)}" for name, value in trial.values.items())
    measured = f" at epoch {result.epoch:.3g}, test: {measures_text(result.measures)}" if result.measures else ""
    why = f". {result.error}" if result.error else ""
    return f"{trial.number}  {values}: {result.state}{measured}{why}"


def _say_all(found: "Sweep") -> None:
    """The table, the best run and what to do with it, and how to resume what is left."""
    from handmade.cli.train import usage
    from handmade.sweep import changes_of, draw_sweep, result_rows, shown
    from handmade.train import open_run

    found.write()
    picture = draw_sweep(found)
    say(fitted(*result_rows(found)))
    for trial in [trial for trial in found.trials if found.results[trial.number].error][:REASONS]:
        say(f"Trial {trial.number}: {found.results[trial.number].error}")
    files = ["sweep.csv", "sweep.json", *([picture.name] if picture else [])]
    say(f"Written to {found.folder}: {', '.join(files)}.")
    best = found.best
    if best is not None:
        folder, model = shlex.quote(str(best.folder)), found.recipe.model
        settings = "".join(f" --set {shlex.quote(f'{name}={shown(value)}')}" for name, value in changes_of(best.recipe))
        say(f"The best is trial {best.number}; this trains it again, and this uses it as it is:")
        say(f"  handmade train {model}{settings}")
        say(f"  {usage(open_run(best.folder).task(), folder)}")
        if found.results[best.number].state != "finished":
            say(f"It has not come to its end; this trains it on:\n  handmade train --resume {folder}")
    waiting = sum(result.state == "waiting" for result in found.results.values())
    if waiting:
        say(f"Stopped; {waiting} of {len(found.trials)} trials are left. To resume:")
        say(f"  handmade {shlex.join(sys.argv[1:])}")
