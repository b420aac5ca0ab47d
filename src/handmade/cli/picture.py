"""handmade picture: what happens inside a model when it looks at an image, or reads a text."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handmade.errors import InputError

if TYPE_CHECKING:
    from handmade.lens.readings import Pictures
    from handmade.tasks import Use


def picture(
    source: Annotated[
        str, typer.Argument(metavar="RUN|MODEL", help="The folder of a run, as runs/lenet5-1, or a model, as resnet50.")
    ],
    image: Annotated[Path | None, typer.Option(help="The image file to look at.")] = None,
    text: Annotated[str | None, typer.Option(help="The text to read, for a model of language.")] = None,
    weights: Annotated[
        str | None,
        typer.Option(help="For a model: a weights file, the name of published weights, or a folder with a tokenizer."),
    ] = None,
    layer: Annotated[
        str | None, typer.Option(help="Draw the maps of this layer, as layer4.1; otherwise an early and a late one.")
    ] = None,
    class_: Annotated[
        str | None, typer.Option("--class", help="Explain this class, by name or number; otherwise the likeliest.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The folder for the pictures; pictures/MODEL-IMAGE or pictures/MODEL-text.")
    ] = None,
    what: Annotated[str | None, typer.Option(help="What to draw, with commas between; otherwise all there is.")] = None,
) -> None:
    """Draw what happens inside a model.

    Of a classifier of images: filters, features, grad-cam, occlusion. Of a model of language: attention, logit-lens
    and loss, as far as it has them.
    """
    if (image is None) == (text is None):
        raise InputError("give either --image, for a model of images, or --text, for one of language.")
    if text is not None:
        if layer or class_:
            raise InputError("--layer and --class explain images; of a text, every layer is drawn.")
        used, pictures = _of_text(source, weights, text)
        name = f"{used.name}-text"
    elif image is not None:
        used, pictures = _of_image(source, weights, image, layer, class_)
        name = f"{used.name}-{image.stem}"
    kinds = chosen_kinds(what, tuple(pictures))
    folder = out or Path("pictures", name)
    folder.mkdir(parents=True, exist_ok=True)
    for kind in kinds:
        for file, draw_to in pictures[kind].items():
            draw_to(folder / file)
            typer.echo(folder / file)


def _of_text(source: str, weights: str | None, text: str) -> "tuple[Use, Pictures]":
    from handmade import lens
    from handmade.opening import open_as
    from handmade.tasks import Encoder, Filler, Translator, Writer

    if not text.strip():
        raise InputError("--text is empty: give a few words for the model to read.")
    used = open_as((Writer, Filler, Encoder, Translator), source, weights, purpose="read text")
    _say_if_untrained(used)
    return used, lens.reading(used, text)


def _of_image(
    source: str, weights: str | None, image: Path, layer: str | None, class_: str | None
) -> "tuple[Use, Pictures]":
    from handmade import lens
    from handmade.opening import open_as
    from handmade.tasks import Classifier
    from handmade.tasks.likeliest import worded

    used = open_as(Classifier, source, weights)
    pixels = used.read(image)
    _say_if_untrained(used)
    number = None if class_ is None else used.class_number(class_)
    pictures = lens.looking(used, pixels, number, layer)
    typer.echo(f"{image}: {worded(used.classify(pixels, count=1))}")
    return used, pictures


def _say_if_untrained(used: "Use") -> None:
    if not used.trained:
        typer.echo(f"{used.name} is untrained: what it sees means nothing. Trained weights are given as --weights.")


def chosen_kinds(what: str | None, known: Sequence[str]) -> list[str]:
    """The kinds of pictures in a list with commas, all for None. InputError for one that is not `known`."""
    from handmade.errors import suggestion

    kinds = list(known) if what is None else [kind.strip() for kind in what.split(",")]
    for kind in kinds:
        if kind not in known:
            raise InputError(f"--what: there is no {kind!r}{suggestion(kind, known)} There are {', '.join(known)}.")
    return kinds
