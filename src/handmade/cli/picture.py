"""handmade picture: what happens inside a model when it looks at an image, or reads a text."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handmade.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from handmade.cli.classifier import Classifier

KINDS = ("filters", "features", "grad-cam", "occlusion")


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
        _of_text(source, weights, text, what, out)
    elif image is not None:
        _of_image(source, weights, image, layer, class_, what, out)


def _of_text(source: str, weights: str | None, text: str, what: str | None, out: Path | None) -> None:
    from handmade.cli.readings import open_reading

    reading = open_reading(source, weights, text)
    kinds = chosen_kinds(what, tuple(reading.pictures))
    if not reading.trained:
        typer.echo(f"{source} is untrained: what it sees means nothing. Trained weights are given as --weights.")
    folder = out or Path("pictures", f"{reading.name}-text")
    folder.mkdir(parents=True, exist_ok=True)
    for kind in kinds:
        for name, draw_to in reading.pictures[kind].items():
            draw_to(folder / name)
            typer.echo(folder / name)


def _of_image(
    source: str,
    weights: str | None,
    image: Path,
    layer: str | None,
    class_: str | None,
    what: str | None,
    out: Path | None,
) -> None:
    from handmade.cli.classifier import open_classifier

    kinds = chosen_kinds(what, KINDS)
    classifier = open_classifier(source, weights)
    pixels = classifier.read(image)
    if weights is None and not Path(source).is_dir():
        typer.echo(f"{source} is untrained: what it sees means nothing. Trained weights are given as --weights.")
    probabilities = classifier.probabilities(pixels)
    likeliest = int(probabilities.argmax())
    index = likeliest if class_ is None else chosen_class(class_, classifier.classes)
    typer.echo(f"{image}: {_named(classifier, likeliest, probabilities)}")
    folder = out or Path("pictures", f"{classifier.name}-{image.stem}")
    explained = f"{classifier.classes[index]} ({100 * probabilities[index]:.1f} %)"
    for path in draw(kinds, classifier, pixels, index, explained, layer, folder):
        typer.echo(path)


def draw(
    kinds: Sequence[str],
    classifier: "Classifier",
    pixels: "np.ndarray",
    index: int,
    explained: str,
    layer: str | None,
    folder: Path,
) -> Iterator[Path]:
    """Draw each of `kinds` into `folder`; the paths of the files, as they are done.

    index, explained: the class to explain, and what pictures call it.
    """
    from handmade import lens

    model, seen, taken = classifier.model, classifier.seen(pixels), classifier.input(pixels)
    layers = [layer] if layer else list(dict.fromkeys(lens.early_and_late(model, taken)))
    maps = {name: lens.feature_maps(model, taken, name) for name in layers}  # a layer may have none
    folder.mkdir(parents=True, exist_ok=True)
    if "filters" in kinds:
        lens.draw_filters(path := folder / "filters.png", model, classifier.name)
        yield path
    if "features" in kinds:
        for name in layers:
            lens.draw_feature_maps(path := folder / f"features-{name}.png", maps[name], name, seen, classifier.name)
            yield path
    if "grad-cam" in kinds:
        heat = lens.grad_cam(model, taken, index, layers[-1])
        title = f"Where {classifier.name} sees evidence for {explained}"
        lens.draw_grad_cam(path := folder / "grad-cam.png", heat, seen, layers[-1], title)
        yield path
    if "occlusion" in kinds:
        stride = lens.default_stride(*seen.shape[1:])
        drop = lens.occlusion(model, taken, index, 2 * stride, stride)
        title = f"What {classifier.name} needs to see for {explained}"
        lens.draw_occlusion(path := folder / "occlusion.png", drop, seen, 2 * stride, title)
        yield path


def chosen_kinds(what: str | None, known: Sequence[str]) -> list[str]:
    """The kinds of pictures in a list with commas, all for None. InputError for one that is not `known`."""
    from handmade.errors import suggestion

    kinds = list(known) if what is None else [kind.strip() for kind in what.split(",")]
    for kind in kinds:
        if kind not in known:
            raise InputError(f"--what: there is no {kind!r}{suggestion(kind, known)} There are {', '.join(known)}.")
    return kinds


def chosen_class(text: str, classes: Sequence[str]) -> int:
    """The number of the class that `text` names or counts. InputError for an unknown or an ambiguous one."""
    from handmade.errors import suggestion

    found = [index for index, name in enumerate(classes) if name.lower() == text.lower()]
    if len(found) > 1:
        raise InputError(f"--class: {' and '.join(map(str, found))} are called {text!r}; give the number.")
    if found:
        return found[0]
    if text.isdecimal() and int(text) < len(classes):
        return int(text)
    near = "." if text.isdecimal() else suggestion(text, classes)
    raise InputError(
        f"--class: there is no {text!r}{near} "
        f"There are {len(classes)}, from 0 ({classes[0]}) to {len(classes) - 1} ({classes[-1]})."
    )


def _named(classifier: "Classifier", index: int, probabilities: "np.ndarray") -> str:
    return f"{classifier.classes[index]} {100 * probabilities[index]:.1f} %"
