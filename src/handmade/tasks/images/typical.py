"""What the images of a training set are like, so that one that is unlike them can be told.

N images, C channels, H height, W width
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from handmade.data import Resize
from handmade.errors import InputError
from handmade.reading import require

MOST = 4000
"""Images of a training set that are measured."""

RARE = 0.001
"""The share of the training images below, and above, what counts as seen."""

MARGIN = 0.25
"""How far beyond that an image may lie, as a share of the range."""

Range = list[float]


def measures(images: Float[np.ndarray, "N C H W"]) -> dict[str, Float[np.ndarray, "N"]]:
    """Numbers that describe each image, of values from 0 to 1.

    brightness: the mean. border: that of the outermost pixels. contrast: the standard deviation. roughness: the mean
    difference between neighbours.
    """
    grey = images.mean(axis=1)  # N H W
    edges = [grey[:, 0], grey[:, -1], grey[:, :, 0], grey[:, :, -1]]
    steps = [np.abs(np.diff(grey, axis=axis)).mean(axis=(1, 2)) if grey.shape[axis] > 1 else 0.0 for axis in (1, 2)]
    return {
        "brightness": grey.mean(axis=(1, 2)),
        "border": np.concatenate(edges, axis=1).mean(axis=1),
        "contrast": grey.std(axis=(1, 2)),
        "roughness": steps[0] + steps[1] + np.zeros(len(grey)),
    }


def seen_in(images: np.ndarray) -> dict[str, Range]:
    """The range of each measure in a training set of uint8 images (N, C, H, W), but for the rarest ones."""
    some = images[:: -(-len(images) // MOST)].astype(np.float32) / 255
    return {
        name: [round(float(value), 5) for value in np.quantile(values, [RARE, 1 - RARE])]
        for name, values in measures(some).items()
    }


def checked(ranges: Any) -> dict[str, Range]:
    """The ranges as they were stored. InputError where they are not what `seen_in` gave."""
    names = ("brightness", "border", "contrast", "roughness")
    require(ranges, dict.fromkeys(names, list[float]), "facts: seen")
    if any(len(ranges[name]) != 2 for name in names):
        raise InputError("facts: seen: expected two numbers of each measure.")
    return ranges


@dataclass(frozen=True)
class Seen:
    """What the training images were like: their height and width, and the range of each measure."""

    size: tuple[int, int]
    ranges: dict[str, Range]

    def doubts(self, pixels: UInt8[np.ndarray, "C _h _w"]) -> list[str]:
        """Sentences on what an image has that no training image had. None where it is like them."""
        (resized,) = Resize(self.size)([pixels])
        image = np.asarray(resized, np.float32)[None] / 255
        found, turned = ({name: float(v[0]) for name, v in measures(one).items()} for one in (image, 1 - image))
        outside = [name for name in self.ranges if not self._has(name, found[name])]
        if "border" in outside and "contrast" not in outside and self._has("border", turned["border"]):
            here, there = ("light", "dark") if turned["border"] < 0.5 else ("dark", "light")
            return [
                f"The training images are {here} on {there}, and this one is the reverse: the brightness of its border "
                f"is {found['border']:.2f}, of theirs {self._shown('border')}. "
                "`handmade predict RUN IMAGE --invert` exchanges light and dark."
            ]
        if not outside:
            return []
        told = "; ".join(f"its {name} is {found[name]:.2f}, theirs {self._shown(name)}" for name in outside)
        return [f"It is unlike all training images, so the answer means little: {told}."]

    def _has(self, name: str, value: float) -> bool:
        """Whether training images have about this value."""
        low, high = self.ranges[name]
        margin = MARGIN * (high - low)
        if low < 0.01:
            floor = 0.0
        else:  # no margin that reaches 0, which an image of one colour has
            floor = low - margin if low > margin else low
        return floor <= value <= high + margin

    def _shown(self, name: str) -> str:
        low, high = self.ranges[name]
        return f"{low:.2f} to {high:.2f}"
