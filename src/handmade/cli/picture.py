"""handmade picture: what happens inside a model when it looks at an image, or reads a text."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handmade.cli.screen import say
from handmade.errors import InputError

if TYPE_CHECKING:
    from handmade.lens.readings import Pictures
    from handmade.tasks import Use


OF_A_LOSS = {"loss", "gradients", "head-ablation"}
"""Pictures for which something must be said of the text."""


def picture(
    source: Annotated[
        str,
        typer.Argument(
            metavar="RUN|MODEL", help="A run's folder, for example runs/lenet5-1, or a network, for example resnet50."
        ),
    ],
    image: Annotated[Path | None, typer.Option(help="The image file.")] = None,
    text: Annotated[str | None, typer.Option(help="The text, for a language model.")] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            help="For a network: a weights file, the name of published weights, or a folder with weights and tokenizer."
        ),
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option(
            help="The layer whose maps and field to draw, for example layer4.1; by default an early and a late one."
        ),
    ] = None,
    class_: Annotated[
        str | None,
        typer.Option("--class", help="The class to explain, by name or number; by default the most likely one."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The folder for the pictures; by default pictures/MODEL-IMAGE or pictures/MODEL-TEXT."),
    ] = None,
    what: Annotated[str | None, typer.Option(help="What to draw, separated by commas; by default everything.")] = None,
) -> None:
    """Draw what happens inside a model.

    For an image classifier: filters, features, grad-cam, receptive-field, gradients, occlusion, and of a ResNet
    branches. For a language model, where it has them: attention, logit-lens, contributions, branches, gradients, loss
    and head-ablation.
    """
    if (image is None) == (text is None):
        raise InputError(
            "give either --image, for an image classifier, or --text, for a language model. "
            f"For example: `handmade picture {source} --image photo.jpg`, or `--text 'To be'` in its place"
        )
    from handmade.lens.folders import own_folder, slug

    if text is not None:
        if layer or class_:
            raise InputError("--layer and --class are for images; for a text every layer is drawn.")
        used, pictures = _of_text(source, weights, text, what)
        name = f"{used.name}-{slug(text)}"
    elif image is not None:
        used, pictures = _of_image(source, weights, image, layer, class_)
        name = f"{used.name}-{image.stem}"
    kinds = chosen_kinds(what, tuple(pictures), used.name)
    shown = {"source": source, "weights": weights, "image": image and str(image), "text": text}
    folder = out or own_folder(Path("pictures", name), shown | {"layer": layer, "class": class_})
    folder.mkdir(parents=True, exist_ok=True)
    for kind in kinds:
        for file, draw_to in pictures[kind].items():
            draw_to(folder / file)
            print(folder / file)


def _of_text(source: str, weights: str | None, text: str, what: str | None) -> "tuple[Use, Pictures]":
    from handmade import lens
    from handmade.opening import open_as
    from handmade.tasks import Encoder, Filler, Translator, Writer

    if not text.strip():
        raise InputError("--text is empty: give a few words for the model to read.")
    used = open_as((Writer, Filler, Encoder, Translator), source, weights, purpose="read text")
    pictures = lens.reading(used, text)
    if "loss" not in pictures and isinstance(used, Writer):
        told = "the text has 1 token, and loss needs two at least: what follows the first?"
        if what and OF_A_LOSS & {kind.strip() for kind in what.split(",")}:
            raise InputError(f"--what: {told}")
        say(told)
    _say_if_untrained(used)
    return used, pictures


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
    say(f"{image}: {worded(used.classify(pixels, count=1))}")
    return used, pictures


def _say_if_untrained(used: "Use") -> None:
    if not used.trained:
        say(f"{used.name} is untrained, so its pictures mean nothing: give trained weights with --weights.")


def chosen_kinds(what: str | None, known: Sequence[str], name: str) -> list[str]:
    """The kinds of pictures in a list with commas, all for None. InputError for one that this model does not have."""
    from handmade.errors import suggestion
    from handmade.lens.readings import KINDS

    kinds = list(known) if what is None else [kind.strip() for kind in what.split(",")]
    for kind in kinds:
        if kind not in known:
            why = f" of {name}: it is drawn of {KINDS[kind]}." if kind in KINDS else suggestion(kind, known)
            raise InputError(f"--what: there is no {kind!r}{why} There are {', '.join(known)}.")
    return kinds
