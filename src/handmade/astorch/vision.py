"""What PyTorch's examples take from torchvision: MNIST and its relatives, and the transforms of one image.

N images, C channels, H height, W width. The images are found as `handmade data` finds them, or were packaged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from handmade import data
from handmade.data.samples import Dataset
from handmade.engine import Tensor

DATASETS = ("MNIST", "FashionMNIST", "CIFAR10")
TRANSFORMS = ("Compose", "ToTensor", "Normalize", "Lambda")


class _Images(Dataset):
    """Pairs of an image, which `transform` turns into a tensor, and the number of its class."""

    name: str

    def __init__(
        self,
        root: Any = None,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
    ) -> None:
        found: Any = data.load(self.name, "train" if train else "test")
        self.images, self.targets, self.classes = found.images, Tensor(found.labels), list(found.classes)
        self.transform, self.target_transform = transform, target_transform

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image, target = self.images[index].transpose(1, 2, 0), int(self.targets.array[index])
        image = image if self.transform is None else self.transform(image)
        return image, target if self.target_transform is None else self.target_transform(target)

    def __len__(self) -> int:
        return len(self.images)


class MNIST(_Images):
    """28 x 28 handwritten digits."""

    name = "mnist"


class FashionMNIST(_Images):
    """28 x 28 pictures of clothes."""

    name = "fashion-mnist"


class CIFAR10(_Images):
    """32 x 32 photographs of ten kinds."""

    name = "cifar10"


class Compose:
    """One transform after another."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = transforms

    def __call__(self, image: Any) -> Any:
        for transform in self.transforms:
            image = transform(image)
        return image


class ToTensor:
    """Bytes (H, W, C) as a tensor (C, H, W) of numbers from 0 to 1."""

    def __call__(self, image: Any) -> Tensor:
        pixels = np.asarray(image)
        pixels = pixels[..., None] if pixels.ndim == 2 else pixels
        return Tensor(np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32) / np.float32(255))


class Normalize:
    """(x - mean) / std, a number of each for each channel."""

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        self.mean, self.std = (np.reshape(np.asarray(x, np.float32), (-1, 1, 1)) for x in (mean, std))

    def __call__(self, image: Tensor) -> Tensor:
        return Tensor((image.array - self.mean) / self.std)


class Lambda:
    """A function as a transform."""

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        self.lambd = lambd

    def __call__(self, image: Any) -> Any:
        return self.lambd(image)
