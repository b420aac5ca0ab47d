"""handmade train: train a network by its recipe."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handmade.cli.screen import say
from handmade.errors import InputError

if TYPE_CHECKING:
    from handmade.tasks import Recipe, Task
    from handmade.train import Run, Trainer


def train(
    model: Annotated[
        str | None,
        typer.Argument(help="What to train, for example lenet5; 'handmade models' marks what can be trained."),
    ] = None,
    data: Annotated[str | None, typer.Option(help="The data set to train on; 'handmade data' lists them.")] = None,
    epochs: Annotated[int | None, typer.Option(help="How many passes over the training set.")] = None,
    steps: Annotated[int | None, typer.Option(help="How many steps (batches) to train for, instead of epochs.")] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting of the recipe; may be repeated."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The folder for the run; by default runs/MODEL-N.")] = None,
    resume: Annotated[
        Path | None,
        typer.Option(help="Resume the run in this folder; with --steps or --epochs to that length, finished or not."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The seed of the random numbers.")] = None,
    stage: Annotated[
        int | None, typer.Option(help="For gpt: which of the seven stages from a bigram model (1) to GPT (7) to train.")
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Print the recipe, what its settings mean and how long it takes here; exit.")
    ] = False,
    yours: Annotated[
        Path | None,
        typer.Option("--with", metavar="FILE", help="Train with the function in FILE instead of the built-in one."),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="What computes the steps: handmade, or torch (PyTorch), for GPUs and several processes.")
    ] = "handmade",
    device: Annotated[
        str | None, typer.Option(help="With torch: cpu, cuda or cuda:1; by default a GPU if there is one.")
    ] = None,
    precision: Annotated[
        str | None, typer.Option(help="With torch: fp32, or bf16, which computes products in bfloat16.")
    ] = None,
    nproc: Annotated[
        int | None,
        typer.Option(
            help="With torch: how many processes train together. A new run takes the recipe's batch_size for each, so "
            "N train as one does with N times the batch; a resumed run keeps its batch, which they share."
        ),
    ] = None,
) -> None:
    """Train a network by its recipe. Ctrl-C saves a checkpoint, stops and prints how to resume.

    --with FILE trains gpt with your causal_attention, resnet20 with your residual_block, or char-lstm with your
    lstm_step, if it passes `handmade check`. It then runs outside the judge's sandbox: train with
    files that you trust.
    """
    from handmade.train import Trainer, display_of

    if resume and any(length is not None and length < 1 for length in (steps, epochs)):
        raise InputError("--steps and --epochs are the whole length of the run, at least 1.")
    if epochs is not None and steps is not None:
        raise InputError("--epochs and --steps both set the length of training: give only one.")
    if stage is not None:
        model = _stage(model, stage)
    options = {"data": data, "epochs": epochs, "steps": steps, "seed": seed}
    if model == "gpt-stage":
        options["stage"] = stage
    settings = [f"{name}={value}" for name, value in options.items() if value is not None] + (changes or [])
    if resume and (data or seed is not None or changes or out or yours):
        raise InputError("--resume continues a run with its own settings: beside it only --steps or --epochs go.")
    if engine not in ("handmade", "torch"):
        raise InputError(f"--engine is {engine!r}, expected handmade or torch.")
    if engine == "handmade" and (device or precision or nproc is not None):
        raise InputError("--device, --precision and --nproc are for PyTorch: give --engine torch, too.")
    if engine == "torch" and (yours or show):
        raise InputError("--with and --show are for handmade's own engine: leave out --engine torch.")
    if show:
        _show(model, settings)
        return

    def open_run(fitted: "Callable[[Recipe], Recipe] | None" = None) -> "tuple[Run, Task]":
        return resumed(resume, model, steps, epochs) if resume else begun(model, settings, out, yours, fitted)

    longer = resume is not None and bool(steps or epochs)
    if engine == "torch":
        from handmade.cli.torch_training import train_with_torch

        train_with_torch(open_run, out, resume is not None, longer, (device, precision, nproc))
        return
    run, task = open_run()
    if resume:
        say_resumed(run)
    trainer = Trainer(task, run, display_of(task))
    if longer:
        keep_length(trainer)
    if trainer.train():
        if stage is not None:
            _compare_stages(stage, run)
        say_what_next(run, task)
    else:
        say_how_to_resume(run)
        raise typer.Exit(130)


def say_resumed(run: "Run") -> None:
    say(f"{run.recipe.model} resumes training on {run.recipe.data} in {run.folder}")


def keep_length(trainer: "Trainer") -> None:
    """Have a resumed run remember its new length."""
    made, total = trainer.keep_length(), trainer.task.total_steps
    say(f"It has made {made:,} steps and trains up to {total:,}; the learning rate goes by the new length.")


def say_how_to_resume(run: "Run", options: str = "") -> None:
    folder = shlex.quote(str(run.folder))
    say(f"Stopped, and saved in {run.folder}. To resume:\n  handmade train --resume {folder}{options}")


def _stage(model: str | None, stage: int) -> str:
    """The recipe that trains a stage; the last is gpt's own."""
    from handmade.models.gpt_stages import STAGES

    if model != "gpt":
        raise InputError("--stage is only for gpt, for example: handmade train gpt --stage 3")
    return "gpt" if stage == len(STAGES) else "gpt-stage"


def _compare_stages(stage: int, run: "Run") -> None:
    from handmade.recipes.gpt_stages import stage_table
    from handmade.train.metrics import read_metrics

    say(stage_table(stage, read_metrics(run.metrics)[-1]["test_loss"]))


def begun(
    model: str | None,
    settings: list[str],
    out: Path | None,
    yours: Path | None = None,
    fitted: "Callable[[Recipe], Recipe] | None" = None,
) -> "tuple[Run, Task]":
    """A new run, of the recipe as `fitted` changes it. The data are read before its folder is made."""
    from handmade.recipes import recipe_of
    from handmade.tasks import changed
    from handmade.train import new_run

    if model is None:
        raise InputError(
            "name the network to train, for example `handmade train lenet5`; `handmade models` lists them."
        )
    recipe = changed(recipe_of(model), settings)
    if recipe.model != model:
        say(f"{model} for small images is called {recipe.model} now.", error=True)
    if fitted is not None:
        recipe = fitted(recipe)
    task = recipe.task()
    if yours is not None:
        from handmade.cli.grafting import passed, put_in

        put_in(task, recipe, *passed(model, yours))
    run = new_run(recipe, task.facts, out)
    say(f"{recipe.model} trains on {recipe.data}; the run is saved in {run.folder}")
    return run, task


def _show(model: str | None, settings: list[str]) -> None:
    """The recipe of a model, with these settings changed: each with its meaning; the time it takes, what it reaches."""
    import shutil
    import textwrap

    from handmade.recipes import recipe_of
    from handmade.tasks import changed
    from handmade.tasks.meanings import meanings
    from handmade.train.duration import in_words, seconds_a_step
    from handmade.train.reached import REACHED

    if model is None:
        raise InputError("name the network, for example: handmade train lenet5 --show")
    recipe = changed(recipe_of(model), settings)
    width = min(shutil.get_terminal_size().columns, 100)
    say(f"The recipe of {recipe.model}; --set changes a setting, for example --set batch_size=32.\n")
    for name, meaning in meanings(recipe).items():
        say(f"{name} = {getattr(recipe, name)}")
        if meaning:
            say(textwrap.fill(meaning, width, initial_indent="    ", subsequent_indent="    "))
    if recipe.model in REACHED:
        say(f"\nIt reaches: {REACHED[recipe.model]}.")
    try:
        task = recipe.task()
        each = seconds_a_step(task)
    except InputError as error:
        say(f"\nHow long it takes here is not known: {error}")
        return
    say(
        f"\nIt takes about {in_words(each * task.total_steps)} here: {task.total_steps:,} steps of "
        f"{1000 * each:.0f} ms, measured now; tests after each epoch come on top."
    )


def resumed(folder: Path, model: str | None, steps: int | None, epochs: int | None) -> "tuple[Run, Task]":
    from handmade.recipes import FORMER_NAMES
    from handmade.train import open_run

    run = open_run(folder)
    if model is not None and run.recipe.model not in (model, FORMER_NAMES.get(model)):
        raise InputError(f"{folder} holds a run of {run.recipe.model}, not of {model}.")
    if steps or epochs:
        run = run.longer(steps, epochs)
    return run, run.task()


def say_what_next(run: "Run", task: "Task") -> None:
    from handmade.tasks import Classifier

    pictures = ", ".join(sorted(path.name for path in run.folder.glob("*.png")))
    say(f"Done. {run.folder} holds the model, its metrics and {pictures}. Next:")
    say(f"  handmade eval {run.folder}")
    folder = shlex.quote(str(run.folder))
    say(f"  {usage(task, folder)}")
    if shown := looking(task):
        say(f"  handmade picture {folder} {shown}")
    if isinstance(task.use, Classifier):
        say("IMAGE is a file of yours, for example photo.jpg.")


def looking(task: "Task") -> str | None:
    """What `handmade picture` is given to draw what happens inside the trained model; None where it draws nothing."""
    from handmade.tasks import Classifier, Encoder, Filler, Translator, Writer

    if isinstance(task.use, Classifier):
        return "--image IMAGE"
    return "--text TEXT" if isinstance(task.use, (Writer, Filler, Encoder, Translator)) else None


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
