"""A classifier of images in use: a trained run's, or a published network's.

C channels, H height, W width, N images, K classes
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Float, UInt8

from handmade.data import Compose, Normalize, Pad, Resize, ToFloat, catalogue, imagenet_preprocessing, read_image
from handmade.data.transforms import Transform
from handmade.engine import Tensor, no_grad
from handmade.errors import InputError, suggestion
from handmade.models import ZOO
from handmade.nn import Module, init
from handmade.nn.utils import evaluating
from handmade.tasks.images.typical import Seen
from handmade.tasks.likeliest import likeliest, worded
from handmade.weights import imagenet_classes, load

Image = UInt8[np.ndarray, "C _H _W"]  # of several, each has a size of its own


@dataclass(frozen=True)
class Classifier:
    """A model with its classes, and the transforms from uint8 images (C, H, W) of any size to what the model takes.

        handmade.open("runs/lenet5-1").classify("seven.png")    # [("7", 0.98), ("1", 0.01), ...]

    channels: of the images that it was trained on, 1 for grey and 3 for colours.
    seen_images: what these images were like; None where that is not known.
    """

    name: str
    model: Module
    classes: Sequence[str]
    channels: int
    transforms: Sequence[Transform]
    trained: bool = True
    seen_images: Seen | None = None

    purpose: ClassVar[str] = "classify images"

    def classify(self, image: str | Path | Image, count: int = 5) -> list[tuple[str, float]]:
        """The `count` most likely classes of an image, a file or an array, with their probabilities.

        Raises InputError for a file that is no image.
        """
        pixels = image if isinstance(image, np.ndarray) else self.read(Path(image))
        return likeliest(self.classes, self.probabilities([pixels])[0], count)

    def describe(self, file: str | Path, invert: bool = False) -> str:
        """The most likely classes of an image file in words, as '7 98.1 %, 1 0.9 %, ...', and any doubts below.

        invert: whether to exchange light and dark before.
        """
        pixels = self.read(Path(file))
        if invert:
            pixels = 255 - pixels
        return "\n".join([worded(self.classify(pixels)), *(f"    {doubt}" for doubt in self.doubts(pixels))])

    def doubts(self, image: Image) -> list[str]:
        """Sentences on what the image has that no image in training had; none where it is like them, or where it is not
        known what they were like."""
        return self.seen_images.doubts(image) if self.seen_images else []

    def probabilities(self, images: Sequence[Image]) -> Float[np.ndarray, "N K"]:
        """Of each class, for images of any sizes."""
        return Tensor(self.logits(Tensor(_transformed(images, self.transforms)))).softmax(dim=1).array

    @no_grad()
    def logits(self, images: Float[Tensor, "N c h w"]) -> Float[np.ndarray, "N K"]:
        """The scores of each class, for images as the model takes them."""
        with evaluating(self.model):
            return self.model(images).array

    def read(self, path: Path) -> Image:
        """An image file, in the model's colours."""
        return read_image(path, self.channels)

    def seen(self, image: Image) -> Float[np.ndarray, "C h w"]:
        """The image as the model sees it, of values from 0 to 1: before normalisation."""
        return _transformed([image], self.transforms[: self.transforms.index(ToFloat()) + 1])[0]

    def input(self, image: Image) -> Float[Tensor, "1 c h w"]:
        """The image as the model takes it."""
        return Tensor(_transformed([image], self.transforms))

    def class_number(self, text: str) -> int:
        """The number of the class that `text` names or counts. InputError for an unknown or an ambiguous one."""
        found = [index for index, name in enumerate(self.classes) if name.lower() == text.lower()]
        if len(found) > 1:
            raise InputError(f"the classes {' and '.join(map(str, found))} are both called {text!r}; give the number.")
        if found:
            return found[0]
        if text.isdecimal() and int(text) < len(self.classes):
            return int(text)
        near = "." if text.isdecimal() else suggestion(text, self.classes)
        last = len(self.classes) - 1
        raise InputError(
            f"there is no class {text!r}{near} "
            f"There are {last + 1}, from 0 ({self.classes[0]}) to {last} ({self.classes[last]})."
        )


def published_classifier(name: str, weights: str | None = None) -> Classifier:
    """A network of the zoo with published weights: a file or their name. Without, it is untrained.

    Raises InputError for a network that takes no images, and weights that do not fit.
    """
    card = ZOO[name]
    if card.classes is None:
        raise InputError(f"{name} does not take images but an input of shape {card.input_shape}.")
    channels, size, _ = card.input_shape
    classes = imagenet_classes() if card.classes == "imagenet" else catalogue()[card.classes].classes
    if card.classes == "mnist":  # digits of 28 x 28, in a border
        transforms = [Resize((28, 28)), Pad((size - 28) // 2), ToFloat(), Normalize((0.1307,), (0.3081,))]
    else:
        transforms = imagenet_preprocessing(card.resize or size, size).transforms
    with init.drawing(not weights):
        model = card.make()
    if weights:
        load(model, weights)
    return Classifier(name, model, classes, channels, transforms, trained=weights is not None)


def _transformed(images: Sequence[np.ndarray], transforms: Sequence[Transform]) -> np.ndarray:
    made = Compose(transforms)(list(images))
    assert isinstance(made, np.ndarray)
    return made
