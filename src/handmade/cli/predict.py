"""handmade predict: what a trained model makes of images."""

from pathlib import Path
from typing import Annotated

import typer

from handmade.errors import InputError

SHOWN = 3
"""How many classes are named for each image."""


def predict(
    run: Annotated[Path, typer.Argument(help="The folder of a run, as runs/lenet5-1.")],
    images: Annotated[list[Path], typer.Argument(help="Image files, like those of the data set the model learned.")],
) -> None:
    """Name the likeliest classes of images."""
    from handmade.data import read_image
    from handmade.train import ImageClassification, open_run

    trained = open_run(run)
    task = trained.recipe.task(trained.facts)
    if not isinstance(task, ImageClassification):
        raise InputError(f"{run} holds a run of {trained.recipe.model}, which does not classify images.")
    arrays = [read_image(path, channels=task.images.shape[0]) for path in images]
    trained.load_model(task.model)
    for path, probabilities in zip(images, task.probabilities(arrays), strict=True):
        order = probabilities.argsort()[::-1][:SHOWN]
        likely = ", ".join(f"{task.images.classes[index]} {probabilities[index]:.1%}" for index in order)
        typer.echo(f"{path}: {likely.replace('%', ' %')}")
