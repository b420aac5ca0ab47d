"""handmade eval: how good a trained model is."""

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    run: Annotated[Path, typer.Argument(help="The run's folder, for example runs/lenet5-1.")],
    data: Annotated[
        str | None, typer.Option(help="Evaluate on this data set instead of the one it was trained on.")
    ] = None,
) -> None:
    """Evaluate a trained model on the test set."""
    from handmade.cli.screen import say
    from handmade.train import open_run
    from handmade.train.display import measures_text

    trained = open_run(run)
    measures = trained.evaluate(data)
    say(f"{trained.recipe.model} on the test set of {data or trained.recipe.data}: {measures_text(measures)}")
