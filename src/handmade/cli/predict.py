"""handmade predict: what a trained model makes of images, of sounds, or of texts with masks."""

from pathlib import Path
from typing import Annotated

import typer

from handmade.errors import InputError

SHOWN = 5
"""How many classes are named for each image."""


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
    from handmade.cli.filler import filled, is_filler, open_filler
    from handmade.cli.listener import is_listener, open_listener
    from handmade.models import ZOO

    if weights is None and source in ZOO and not Path(source).is_dir():
        raise InputError(f"{source} knows nothing without weights: give a file or a published name as --weights.")
    if weights is None and is_filler(Path(source)):
        filler = open_filler(Path(source))
        for line in [line for text in inputs for line in filled(filler, text)]:
            typer.echo(line)
        return
    files = [Path(file) for file in inputs]
    if weights is None and is_listener(Path(source)):
        listener = open_listener(Path(source))
        for line in [f"{path}: {listener.describe(path)}" for path in files]:
            typer.echo(line)
        return
    classifier = open_classifier(source, weights)
    for path, image in [(path, classifier.read(path)) for path in files]:
        probabilities = classifier.probabilities(image)
        order = probabilities.argsort()[::-1][:SHOWN]
        likely = ", ".join(f"{classifier.classes[index]} {100 * probabilities[index]:.1f} %" for index in order)
        typer.echo(f"{path}: {likely}")
