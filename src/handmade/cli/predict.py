"""handmade predict: what a trained model makes of images, of sounds, or of texts with masks."""

from typing import Annotated

import typer

from handmade.cli.screen import say
from handmade.errors import InputError


def predict(
    source: Annotated[
        str,
        typer.Argument(
            metavar="RUN|MODEL", help="A run's folder, for example runs/lenet5-1, or a network, for example resnet50."
        ),
    ],
    inputs: Annotated[
        list[str],
        typer.Argument(help="Image or WAV files; for a BERT, texts with [MASK]."),
    ],
    weights: Annotated[
        str | None, typer.Option(help="For a network: a weights file, or the name of published weights.")
    ] = None,
    invert: Annotated[
        bool, typer.Option("--invert", help="Exchange light and dark: for photos of dark things on white.")
    ] = False,
) -> None:
    """Name the most likely classes of images or spoken words, detect a trigger word, or fill in masks."""
    from handmade.opening import open_as
    from handmade.tasks import Classifier, Filler, Listener, TriggerListener

    used = open_as((Classifier, Listener, TriggerListener, Filler), source, weights, "classify images")
    if not used.trained:
        raise InputError(f"{source} is untrained: give a weights file or the name of published weights with --weights.")
    if invert and not isinstance(used, Classifier):
        raise InputError("--invert is for images.")
    made = [used.describe(given, invert) if isinstance(used, Classifier) else used.describe(given) for given in inputs]
    lines = made if isinstance(used, Filler) else [f"{file}: {said}" for file, said in zip(inputs, made, strict=True)]
    for line in lines:
        say(line)
