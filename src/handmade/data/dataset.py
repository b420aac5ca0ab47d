"""Sets of labelled images: in memory, or a folder of files that are decoded on demand.

N images, C channels, H height, W width, B images of a batch
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int64, UInt8

from handmade.data.images import EXTENSIONS, read_image
from handmade.errors import InputError

Images = np.ndarray | list[np.ndarray]
"""Images of equal size as one array (B, C, H, W), of different sizes as a list of arrays (C, H, W)."""


@runtime_checkable
class Dataset(Protocol):
    """What the DataLoader needs from a data set."""

    def __len__(self) -> int: ...

    def batch(self, indices: np.ndarray) -> tuple[Images, np.ndarray]:
        """The images at `indices`, uint8, and their labels, int64."""
        ...


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images in memory, with the class of each.

    `labels[i]` is an index into `classes`; `split` is 'train' or 'test'; `source` says where the images were found.
    Raises ValueError for arrays that do not fit together.
    """

    images: np.ndarray  # uint8, N C H W
    labels: np.ndarray  # int64, N
    classes: Sequence[str]
    name: str = ""
    split: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        images, labels = self.images, self.labels
        if images.ndim != 4 or images.dtype != np.uint8:
            raise ValueError(f"images are {images.dtype} of shape {images.shape}, expected uint8 (N, C, H, W)")
        if labels.shape != images.shape[:1] or labels.dtype != np.int64:
            expected = f"int64 of shape ({len(images)},), one label per image"
            raise ValueError(f"labels are {labels.dtype} of shape {labels.shape}, expected {expected}")
        if len(labels) and not (labels.min() >= 0 and labels.max() < len(self.classes)):
            found = f"from {labels.min()} to {labels.max()}"
            raise ValueError(
                f"labels go {found}, expected 0 to {len(self.classes) - 1} for {len(self.classes)} classes"
            )

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: np.ndarray) -> tuple[UInt8[np.ndarray, "B C H W"], Int64[np.ndarray, "B"]]:
        """The images and labels at `indices`."""
        return self.images[indices], self.labels[indices]


class ImageFolder:
    """A folder in ImageNet's layout, ROOT/train/<class>/*.jpg and ROOT/test/<class>/*.jpg (or ROOT/val).

    The classes are the folders under ROOT/train, in alphabetical order. `batch` decodes the files, with `channels` =
    3 or 1; images of different sizes are returned as a list, which Resize or RandomResizedCrop makes equal in size.
    """

    def __init__(self, root: str | Path, split: str = "train", channels: int = 3) -> None:
        root = Path(root)
        self.name, self.split, self.channels = f"folder:{root}", split, channels
        self.classes = _folders(root / "train")
        folder = root / split
        if split == "test" and not folder.is_dir():
            folder = root / "val"
        self.source = str(folder)
        unknown = set(_folders(folder)) - set(self.classes)
        if unknown:
            raise InputError(f"{folder} has classes that {root / 'train'} lacks: {', '.join(sorted(unknown))}.")
        self.paths: list[Path] = []
        labels: list[int] = []
        for label, name in enumerate(self.classes):
            files = _images(folder / name)
            if split == "train" and not files:
                raise InputError(f"{folder / name} holds no image ({' '.join(EXTENSIONS)}).")
            self.paths += files
            labels += [label] * len(files)
        self.labels = np.array(labels, np.int64)

    def __len__(self) -> int:
        return len(self.paths)

    def batch(self, indices: np.ndarray) -> tuple[Images, Int64[np.ndarray, "B"]]:
        """The images and labels at `indices`, decoded now; one array if all have the same size, otherwise a list."""
        images = [read_image(self.paths[index], self.channels) for index in indices]
        return stacked(images), self.labels[indices]


def _folders(folder: Path) -> list[str]:
    """The names of the folders in `folder`, sorted."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: expected DIR/train/<class>/*.jpg and DIR/test/<class>/*.jpg.")
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not _hidden(entry))
    if not names:
        raise InputError(f"{folder} holds no folders: expected one for each class, with its images in it.")
    return names


def _images(folder: Path) -> list[Path]:
    """The image files in `folder`, sorted; none if it does not exist."""
    if not folder.is_dir():
        return []
    files = (path for path in folder.iterdir() if path.suffix.lower() in EXTENSIONS and not _hidden(path))
    return sorted(path for path in files if path.is_file())


def _hidden(path: Path) -> bool:
    """Whether it was left there by the operating system or a notebook (._1.jpg, .ipynb_checkpoints)."""
    return path.name.startswith(".")


def stacked(images: list[np.ndarray]) -> Images:
    """`images` as one array if all have the same shape."""
    return np.stack(images) if len({image.shape for image in images}) == 1 else images


def channel_statistics(images: UInt8[np.ndarray, "N C H W"]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel, for values scaled to 0..1, as `Normalize` takes them."""
    total = np.zeros(images.shape[1])
    squares = np.zeros(images.shape[1])
    for start in range(0, len(images), 1000):
        part = images[start : start + 1000] / np.float64(255)
        total += part.sum(axis=(0, 2, 3))
        squares += (part * part).sum(axis=(0, 2, 3))
    count = images.size // images.shape[1]
    mean = total / count
    variance = np.maximum(squares / count - mean**2, 0)  # rounding may take it below 0 if a channel is constant
    return tuple(mean.tolist()), tuple(np.sqrt(variance).tolist())
