"""handmade sample: a trained language model writes."""

from pathlib import Path
from typing import Annotated

import typer

from handmade.errors import InputError


def sample(
    run: Annotated[str, typer.Argument(help="A run's folder, for example runs/gpt-1; or gpt2, gpt2-medium, ...")],
    prompt: Annotated[str, typer.Option(help="The beginning of the text (of each line, for a model of lines).")] = "",
    length: Annotated[
        int, typer.Option("--length", "--max-tokens", help="How many characters (tokens, for GPT-2) to write.")
    ] = 500,
    samples: Annotated[int, typer.Option(help="How many texts to write.")] = 1,
    temperature: Annotated[
        float, typer.Option(help="0 always takes the most likely token; higher values make the text more varied.")
    ] = 1.0,
    top_k: Annotated[int | None, typer.Option(help="Sample from the K most likely tokens only.")] = None,
    top_p: Annotated[
        float | None, typer.Option(help="Sample from the smallest set of tokens whose probabilities add up to P.")
    ] = None,
    repetition_penalty: Annotated[
        float, typer.Option(help="Above 1, tokens that have occurred become less likely; 1.2 is usual for words.")
    ] = 1.0,
    stop: Annotated[list[str] | None, typer.Option(help="Stop before this text; may be repeated.")] = None,
    seed: Annotated[
        int | None, typer.Option(help="The seed of the random numbers; the same seed gives the same text.")
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="For GPT-2: the weights file, or its folder.")] = None,
) -> None:
    """Write text with a trained language model, token by token."""
    if seed is not None and seed < 0:
        raise InputError(f"--seed is {seed}, expected 0 or more.")
    from handmade.cli.screen import harmless, say
    from handmade.opening import open_as
    from handmade.tasks import Writer

    writer = open_as(Writer, run, weights)
    if forgotten := writer.forgets(prompt):
        say(forgotten, error=True)
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
            print(harmless(text), end="", flush=True)
        print(end="" if text == "\n" else "\n")
    else:
        print(harmless("\n---\n".join(writer.write_several(prompt, samples, length, seed, **options))))
