"""handmade predict: what a trained model makes of images, of sounds, or of texts with masks."""

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
    from handmade.opening import open_as
    from handmade.tasks import Classifier, Filler, Listener, TriggerListener

    used = open_as((Classifier, Listener, TriggerListener, Filler), source, weights, "classify images")
    if not used.trained:
        raise InputError(f"{source} knows nothing without weights: give a file or a published name as --weights.")
    made = [used.describe(given) for given in inputs]
    lines = made if isinstance(used, Filler) else [f"{file}: {said}" for file, said in zip(inputs, made, strict=True)]
    for line in lines:
        typer.echo(line)
