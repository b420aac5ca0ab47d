"""handmade predict: what a trained model makes of images, of sounds, or of texts with masks."""

from pathlib import Path
from typing import Annotated

import typer

from handmade.errors import InputError


def predict(
    source: Annotated[
        str, typer.Argument(metavar="RUN|MODEL", help="The folder of a run, as runs/lenet5-1, or a model, as resnet50.")
    ],
    inputs: Annotated[
        list[str],
        typer.Argument(help="Files like those that the model learned from: images or WAV; texts with [MASK]."),
    ],
    weights: Annotated[
        str | None, typer.Option(help="For a model: a weights file, or the name of published weights.")
    ] = None,
) -> None:
    """Name the likeliest classes of images or of spoken words, say when a trigger word is heard, or fill in masks."""
    from handmade.cli.classifier import open_classifier
    from handmade.cli.filler import filled
    from handmade.models import ZOO
    from handmade.tasks import MaskedLanguageModelling, MaskedRecipe
    from handmade.tasks.likeliest import likeliest
    from handmade.tasks.speech.task import SpeechClassification, SpeechRecipe
    from handmade.tasks.trigger.task import TriggerDetection, TriggerRecipe
    from handmade.train import open_run

    if weights is None and source in ZOO and not Path(source).is_dir():
        raise InputError(f"{source} knows nothing without weights: give a file or a published name as --weights.")
    is_run = weights is None and Path(source, "config.json").exists()
    run = open_run(Path(source)) if is_run else None
    if run and isinstance(run.recipe, MaskedRecipe):
        filler = run.trained_task("fill in masks", MaskedLanguageModelling)
        lines = [line for text in inputs for line in filled(filler, text)]
    elif run and isinstance(run.recipe, SpeechRecipe | TriggerRecipe):
        listener = run.trained_task("listen", SpeechClassification, TriggerDetection)
        lines = [f"{file}: {listener.describe(Path(file))}" for file in inputs]
    else:
        classifier = open_classifier(source, weights)
        images = [classifier.read(Path(file)) for file in inputs]
        named = [likeliest(classifier.classes, classifier.probabilities(image)) for image in images]
        lines = [f"{file}: {names}" for file, names in zip(inputs, named, strict=True)]
    for line in lines:
        typer.echo(line)
