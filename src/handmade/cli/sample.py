"""handmade sample: a trained language model writes."""

from pathlib import Path
from typing import Annotated

import typer

from handmade.errors import InputError


def sample(
    run: Annotated[str, typer.Argument(help="The folder of a run, as runs/gpt-1; or gpt2, gpt2-medium, ...")],
    prompt: Annotated[str, typer.Option(help="How the text begins; each line, for a model of lines.")] = "",
    length: Annotated[
        int, typer.Option("--length", "--max-tokens", help="How many characters (tokens, for GPT-2) to write.")
    ] = 500,
    samples: Annotated[int, typer.Option(help="Write so many texts, at once.")] = 1,
    temperature: Annotated[
        float, typer.Option(help="0 takes the likeliest character always; above 1 dares more.")
    ] = 1.0,
    top_k: Annotated[int | None, typer.Option(help="Draw from the so many likeliest characters.")] = None,
    top_p: Annotated[
        float | None, typer.Option(help="Draw from the fewest characters that have this probability together.")
    ] = None,
    repetition_penalty: Annotated[
        float, typer.Option(help="Above 1 makes likely less what was there before; 1.2 is customary for words.")
    ] = 1.0,
    stop: Annotated[list[str] | None, typer.Option(help="End before this; may be repeated.")] = None,
    seed: Annotated[int | None, typer.Option(help="Draw the same text again.")] = None,
    weights: Annotated[
        Path | None, typer.Option(help="GPT-2's weights: their file, or the folder they are in.")
    ] = None,
) -> None:
    """Write text with a trained language model, piece by piece as it is drawn."""
    if seed is not None and seed < 0:
        raise InputError(f"--seed is {seed}, expected 0 or more.")
    from handmade.opening import open_as
    from handmade.tasks import Writer

    writer = open_as(Writer, run, weights)
    if forgotten := writer.forgets(prompt):
        typer.echo(forgotten, err=True)
    options = {
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "repetition_penalty": repetition_penalty,
        "stop": stop or [],
    }
    if samples == 1:
        text = "\n"
        for text in writer.stream(prompt, length, seed, **options):
            print(text, end="", flush=True)
        print(end="" if text == "\n" else "\n")
    else:
        print("\n---\n".join(writer.write_several(prompt, samples, length, seed, **options)))
