"""handmade similar: the lines of a file nearest in meaning to a sentence."""

from pathlib import Path
from typing import Annotated

import typer

from handmade.errors import InputError


def similar(
    text: Annotated[str, typer.Argument(help="The sentence to compare with.")],
    file: Annotated[Path, typer.Argument(help="A text file, one sentence a line.")],
    count: Annotated[int, typer.Option(help="How many lines to show.")] = 5,
    weights: Annotated[
        str, typer.Option(help="A weights file for MiniLM's architecture, or the name of published weights.")
    ] = "minilm",
) -> None:
    """Find the lines of a file closest in meaning to a sentence, by the cosine similarity of embeddings."""
    from handmade.cli.screen import say
    from handmade.data import read_text
    from handmade.weights import sentence_encoder

    if not text.strip():
        raise InputError("the sentence is empty: give some words to compare the lines with.")
    if count < 1:
        raise InputError(f"--count is {count}, expected at least 1.")
    lines = [line.strip() for line in read_text(file).split("\n") if line.strip()]
    for cosine, line in sentence_encoder(weights).nearest(text, lines, count):
        say(f"{cosine:7.4f}  {line}")
