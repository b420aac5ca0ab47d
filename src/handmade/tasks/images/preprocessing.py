"""From the images of a data set, or of a person, to what a model takes: one place for training, testing and use.

N images, C channels, H height, W width
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from handmade.data import (
    ImageFolder,
    ImageSet,
    Normalize,
    Pad,
    RandomCrop,
    RandomHorizontalFlip,
    Resize,
    ToFloat,
    channel_statistics,
)
from handmade.data.transforms import IMAGENET_MEAN, IMAGENET_STD, Images, Transform
from handmade.errors import InputError
from handmade.reading import require
from handmade.tasks.images.typical import checked, seen_in

WRITTEN = {"mnist"}
"""Sets of written characters, which are never mirrored: a mirrored digit is another sign, or none."""


@dataclass(frozen=True)
class ImageFacts:
    """What a model's images were like in training.

    shape: (channels, height, width) of an image before it is fitted to the model.
    mean, std: of each channel, of values from 0 to 1.
    seen: what the training images were like (see typical.py); None for the files of a folder, and in earlier runs.
    """

    classes: list[str]
    shape: tuple[int, int, int]
    mean: list[float]
    std: list[float]
    seen: dict[str, list[float]] | None = None

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "ImageFacts":
        """InputError, which names the place, where `values` are not what `to_json` gave."""
        numbers = list[float]
        require(values, {"classes": list[str], "shape": list[int], "mean": numbers, "std": numbers}, "facts")
        classes, shape, mean, std = (values[name] for name in ("classes", "shape", "mean", "std"))
        if not classes or len(shape) != 3 or min(*shape, *std) <= 0 or not len(mean) == len(std) == shape[0]:
            raise InputError(
                "facts: expected classes, a shape of three lengths, and of each channel a mean and a std above 0."
            )
        seen = values.get("seen")
        return cls(classes, (shape[0], shape[1], shape[2]), mean, std, None if seen is None else checked(seen))

    def to_json(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "shape": list(self.shape)}


def image_facts(images: ImageSet | ImageFolder, size: int) -> ImageFacts:
    """The facts of a training set. The files of a folder are brought to `size`, and have ImageNet's statistics."""
    classes = list(images.classes)
    if isinstance(images, ImageFolder):
        return ImageFacts(classes, (3, size, size), list(IMAGENET_MEAN), list(IMAGENET_STD))
    mean, std = channel_statistics(images.images)
    channels, height, width = images.images.shape[1:]
    std = [value if value > 1e-6 else 1.0 for value in std]  # a channel may have one value everywhere
    return ImageFacts(classes, (channels, height, width), list(mean), std, seen_in(images.images))


def preprocessing(facts: ImageFacts, channels: int, size: int, shift: int = 0, flip: bool = False) -> list[Transform]:
    """From uint8 images of any size to float32 (N, channels, size, size).

    Images of the training set's shape are padded with zeros where that is smaller; otherwise they are scaled. For
    training, each image is shifted by up to `shift` pixels, and mirrored with probability 1/2 if `flip` is true.
    """
    _, height, width = facts.shape
    padded = height == width <= size and (size - height) % 2 == 0
    inner = height if padded else size
    border = (size - inner) // 2
    steps: list[Transform] = [Resize((inner, inner))]
    steps.append(RandomCrop(size, border + shift) if shift else Pad(border))
    if flip:
        steps.append(RandomHorizontalFlip())
    return [*steps, ToFloat(), Normalize(facts.mean, facts.std), Channels(channels)]


@dataclass(frozen=True)
class Channels:
    """Grey images for a model that takes colours (three times the same), or their mean grey for one that takes grey."""

    channels: int

    def __call__(self, images: Images, rng: np.random.Generator | None = None) -> Images:
        assert isinstance(images, np.ndarray)
        if images.shape[1] == self.channels:
            return images
        return images.mean(axis=1, keepdims=True) if self.channels == 1 else images.repeat(self.channels, axis=1)
