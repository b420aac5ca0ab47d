"""handmade sample: a trained language model writes."""

from pathlib import Path
from typing import Annotated

import typer

from handmade.errors import InputError


def sample(
    run: Annotated[Path, typer.Argument(help="The folder of a run, as runs/char-lstm-1.")],
    prompt: Annotated[str, typer.Option(help="How the text begins; each line, for a model of lines.")] = "",
    length: Annotated[int, typer.Option("--length", "--max-tokens", help="How many characters to write.")] = 500,
    temperature: Annotated[
        float, typer.Option(help="0 takes the likeliest character always; above 1 dares more.")
    ] = 1.0,
    top_k: Annotated[int | None, typer.Option(help="Draw from the so many likeliest characters.")] = None,
    top_p: Annotated[
        float | None, typer.Option(help="Draw from the fewest characters that have this probability together.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Draw the same text again.")] = None,
) -> None:
    """Write text with a trained language model, character by character."""
    import numpy as np

    from handmade.train import LanguageModelling, open_run

    trained = open_run(run)
    task = trained.recipe.task(trained.facts)
    if not isinstance(task, LanguageModelling):
        raise InputError(f"{run} holds a run of {trained.recipe.model}, which does not write text.")
    if seed is not None and seed < 0:
        raise InputError(f"--seed is {seed}, expected 0 or more.")
    trained.load_model(task.model)
    rng = np.random.default_rng(seed)
    text = "\n"
    for text in task.write(prompt, length, rng, temperature=temperature, top_k=top_k, top_p=top_p):
        print(text, end="", flush=True)
    print(end="" if text == "\n" else "\n")
