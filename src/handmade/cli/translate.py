"""handmade translate: a trained sequence-to-sequence model turns texts into their counterparts."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handmade.cli.screen import harmless, say
from handmade.errors import InputError

if TYPE_CHECKING:
    from handmade.tasks import Translator


def translate(
    run: Annotated[Path, typer.Argument(help="The run's folder, for example runs/seq2seq-attention-1.")],
    texts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TEXT]...", help="Texts to translate; by default the lines of standard input."),
    ] = None,
    beam: Annotated[int, typer.Option(help="Beam size; 1 for greedy search.")] = 4,
    alpha: Annotated[float, typer.Option(help="Length penalty; 0 for none.")] = 0.6,
    picture: Annotated[
        Path | None,
        typer.Option(help="Draw the attention of each generated token into this PNG file; for one text."),
    ] = None,
) -> None:
    """Translate with a trained model, one line a text."""
    from handmade.opening import open_as
    from handmade.tasks import Translator

    if picture and len(texts or ()) != 1:
        raise InputError(f"--picture draws one text; got {len(texts or ())} as arguments.")
    translator = open_as(Translator, run)
    for number, text in enumerate(texts or map(str.rstrip, sys.stdin), 1):
        if not text.strip():
            raise InputError(f"text {number} is empty: there is nothing to translate.")
        _say_unknown(translator, text)
        made = translator.translate(text, beam=beam, alpha=alpha)
        if picture:
            _draw(translator, text, made, picture)
        say(harmless(made))


def _say_unknown(translator: "Translator", text: str) -> None:
    unknown = translator.tokenizer.unknown(text)
    if unknown:
        named = ", ".join(map(repr, unknown))
        say(f"handmade: {named} did not occur in the training data; the model reads them as unknown.", error=True)


def _draw(translator: "Translator", text: str, made: str, path: Path) -> None:
    from handmade.tasks.translation.alignment import draw_alignment

    aligned = translator.alignment(text, made)
    if aligned is None:
        raise InputError(f"--picture: {translator.name} has no attention to draw.")
    draw_alignment(path, *aligned)
