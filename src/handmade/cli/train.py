"""handmade train: a model learns."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handmade.errors import InputError

if TYPE_CHECKING:
    from handmade.tasks import Task
    from handmade.train import Run


def train(
    model: Annotated[
        str | None,
        typer.Argument(help="What to train, for example lenet5; 'handmade models' marks what can be trained."),
    ] = None,
    data: Annotated[str | None, typer.Option(help="Learn from this set; 'handmade data' lists all.")] = None,
    epochs: Annotated[int | None, typer.Option(help="How many times to go through the training set.")] = None,
    steps: Annotated[int | None, typer.Option(help="How many batches to learn from, instead of epochs.")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe; may be repeated.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The folder of the run; runs/MODEL-N if not given.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue the run in this folder.")] = None,
    seed: Annotated[int | None, typer.Option(help="Decides all that is drawn at random.")] = None,
    stage: Annotated[
        int | None, typer.Option(help="Of gpt: train this of the seven networks from a bigram to GPT.")
    ] = None,
    yours: Annotated[
        Path | None, typer.Option("--with", metavar="FILE", help="Train with your own function in the model's place.")
    ] = None,
) -> None:
    """Train a model by its recipe. Ctrl-C saves, stops and says how to go on.

    --with FILE trains gpt with the causal_attention in FILE, resnet20 with its residual_block, char-lstm with its
    lstm_step, once the judge of `handmade check` lets it pass. It then runs outside the judge's sandbox: train with
    files that you trust.
    """
    from handmade.train import Trainer, display_of

    if epochs is not None and steps is not None:
        raise InputError("--epochs and --steps both say when to end; give one of them.")
    if stage is not None:
        model = _stage(model, stage)
    options = {"data": data, "epochs": epochs, "steps": steps, "seed": seed}
    if model == "gpt-stage":
        options["stage"] = stage
    settings = [f"{name}={value}" for name, value in options.items() if value is not None] + (changes or [])
    if resume:
        if settings or out or yours:
            raise InputError("--resume continues a run as it was begun: give it without other options.")
        run, task = _resumed(resume, model)
    else:
        run, task = _begun(model, settings, out, yours)
    if Trainer(task, run, display_of(task)).train():
        if stage is not None:
            _compare_stages(stage, run)
        _say_what_next(run, task)
    else:
        folder = shlex.quote(str(run.folder))
        typer.echo(f"Stopped, and saved in {run.folder}. To resume:\n  handmade train --resume {folder}")
        raise typer.Exit(130)


def _stage(model: str | None, stage: int) -> str:
    """The recipe that trains a stage; the last is gpt's own."""
    from handmade.models.gpt_stages import STAGES

    if model != "gpt":
        raise InputError("--stage is one of the networks from a bigram to GPT: handmade train gpt --stage 3")
    return "gpt" if stage == len(STAGES) else "gpt-stage"


def _compare_stages(stage: int, run: "Run") -> None:
    from handmade.recipes.gpt_stages import stage_table
    from handmade.train.metrics import read_metrics

    typer.echo(stage_table(stage, read_metrics(run.metrics)[-1]["test_loss"]))


def _begun(model: str | None, settings: list[str], out: Path | None, yours: Path | None) -> "tuple[Run, Task]":
    """A new run. The data are read before its folder is made."""
    from handmade.recipes import recipe_of
    from handmade.tasks import changed
    from handmade.train import new_run

    if model is None:
        raise InputError("name the model to train, as in: handmade train lenet5")
    recipe = changed(recipe_of(model), settings)
    if recipe.model != model:
        typer.echo(f"{model} for small images is called {recipe.model} now.", err=True)
    task = recipe.task()
    if yours is not None:
        from handmade.cli.grafting import passed, put_in

        put_in(task, recipe, *passed(model, yours))
    run = new_run(recipe, task.facts, out)
    typer.echo(f"{recipe.model} learns {recipe.data}; everything goes to {run.folder}")
    return run, task


def _resumed(folder: Path, model: str | None) -> "tuple[Run, Task]":
    from handmade.recipes import FORMER_NAMES
    from handmade.train import open_run

    run = open_run(folder)
    if model is not None and run.recipe.model not in (model, FORMER_NAMES.get(model)):
        raise InputError(f"{folder} holds a run of {run.recipe.model}, not of {model}.")
    typer.echo(f"{run.recipe.model} goes on learning {run.recipe.data} in {run.folder}")
    return run, run.recipe.task(run.facts)


def _say_what_next(run: "Run", task: "Task") -> None:
    pictures = ", ".join(sorted(path.name for path in run.folder.glob("*.png")))
    typer.echo(f"Done. {run.folder} holds the model, its metrics and {pictures}. Next:")
    typer.echo(f"  handmade eval {run.folder}")
    typer.echo(f"  {usage(task, shlex.quote(str(run.folder)))}")


def usage(task: "Task", folder: str) -> str:
    """The command that uses the trained model of the run in `folder`."""
    from handmade.tasks import Classifier, Filler, Listener, TranslationTask, TriggerListener

    if isinstance(task, TranslationTask):
        return f"handmade translate {folder} {shlex.quote(task.test_pairs.sources[0])}"
    inputs: dict[type, str] = {
        Classifier: "IMAGE",
        Listener: "CLIP.wav",
        TriggerListener: "SOUND.wav",
        Filler: "'To be, or n[MASK]t to be'",
    }
    given = inputs.get(type(task.use))
    return f"handmade predict {folder} {given}" if given else f"handmade sample {folder}"
