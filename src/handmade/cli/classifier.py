"""A classifier of images with all that it takes to use it, from the folder of a run or from the zoo and a weights file.

C channels, H height, W width, N images, K classes
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from handmade.data import Compose, Normalize, Pad, Resize, ToFloat, catalogue, imagenet_preprocessing, read_image
from handmade.data.transforms import Transform
from handmade.engine import Tensor, no_grad
from handmade.errors import InputError, suggestion
from handmade.models import ZOO
from handmade.nn import Module
from handmade.tasks import ImageClassification
from handmade.tasks.images.preprocessing import preprocessing
from handmade.train import open_run
from handmade.weights import imagenet_classes, load


@dataclass(frozen=True)
class Classifier:
    """A model with its classes, and the transforms from uint8 images (C, H, W) of any size to what the model takes."""

    name: str
    model: Module
    classes: Sequence[str]
    channels: int
    transforms: Sequence[Transform]

    def read(self, path: Path) -> UInt8[np.ndarray, "C H W"]:
        """An image file, in the model's colours."""
        return read_image(path, self.channels)

    def seen(self, image: UInt8[np.ndarray, "C H W"]) -> Float[np.ndarray, "C h w"]:
        """The image as the model sees it, of values from 0 to 1: before normalisation."""
        return self._transformed(image, self.transforms[: self._normalisation])[0]

    def input(self, image: UInt8[np.ndarray, "C H W"]) -> Float[Tensor, "1 c h w"]:
        """The image as the model takes it."""
        return Tensor(self._transformed(image, self.transforms))

    @no_grad()
    def probabilities(self, image: UInt8[np.ndarray, "C H W"]) -> Float[np.ndarray, "K"]:
        """Of each class."""
        return self.model.eval()(self.input(image)).softmax(dim=1).array[0]

    @property
    def _normalisation(self) -> int:
        return self.transforms.index(ToFloat()) + 1

    @staticmethod
    def _transformed(image: np.ndarray, transforms: Sequence[Transform]) -> np.ndarray:
        images = Compose(transforms)([image])
        assert isinstance(images, np.ndarray)
        return images


def open_classifier(source: str, weights: str | None) -> Classifier:
    """The classifier that the command line names: the folder of a run, or a model of the zoo.

    weights: for a model of the zoo, a file or the name of published weights; without them the model is untrained.

    Raises InputError for an unknown name, a run or a model that does not classify images, and weights that do not fit.
    """
    if Path(source, "config.json").exists():
        if weights:
            raise InputError(f"{source} is a run and has weights of its own; --weights goes with the name of a model.")
        return _of_run(Path(source))
    if source in ZOO:
        return _of_zoo(source, weights)
    if Path(source).exists():
        raise InputError(f"{source} holds no run: there is no {Path(source, 'config.json')}.")
    raise InputError(
        f"{source!r} is neither the folder of a run nor a model of the zoo{suggestion(source, ZOO)} "
        "'handmade models' lists the zoo."
    )


def _of_run(folder: Path) -> Classifier:
    task = open_run(folder).trained_task("classify images", ImageClassification)
    channels = task.recipe.channels
    transforms = preprocessing(task.images, channels, task.recipe.size)
    return Classifier(task.recipe.model, task.model, task.images.classes, task.images.shape[0], transforms)


def _of_zoo(name: str, weights: str | None) -> Classifier:
    card = ZOO[name]
    if card.classes is None:
        raise InputError(f"{name} does not take images but an input of shape {card.input_shape}.")
    channels, size, _ = card.input_shape
    classes = imagenet_classes() if card.classes == "imagenet" else catalogue()[card.classes].classes
    if card.classes == "mnist":  # digits of 28 x 28, in a border
        transforms = [Resize((28, 28)), Pad((size - 28) // 2), ToFloat(), Normalize((0.1307,), (0.3081,))]
    else:
        transforms = imagenet_preprocessing(card.resize or size, size).transforms
    model = card.make()
    if weights:
        load(model, weights)
    return Classifier(name, model, classes, channels, transforms)
