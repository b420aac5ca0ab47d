"""The images that classifiers look at on the pages: files given at the start, and those dropped on a page."""

import threading
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from handmade.data import ImageSet, load, read_image
from handmade.data.images import decode_image
from handmade.errors import InputError

KEPT = 8
"""How many dropped images are kept, the newest."""

KEPT_BYTES = 256 << 20
"""How much their pixels may take together; the newest is kept in any case."""

PACKAGED_DATA, PACKAGED = "fashion-mnist", 20
"""The data set, and how many of its test images the pages can show without a file: those of the numbers -1, -2 ..."""

MOST_GIVEN = 200
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


class Images:
    """Images by number: the given files count up from 1, the dropped ones on from there, the packaged down from -1."""

    def __init__(self, given: Sequence[Path] = ()) -> None:
        self.given = list(given)
        self._dropped: dict[int, np.ndarray] = {}
        self._last = len(self.given)
        self._lock = threading.Lock()

    def add(self, content: bytes) -> int:
        """Decode a file and keep it; its number. InputError for what is no image, or too large a one."""
        pixels = decode_image(content, "the file")
        with self._lock:
            self._last += 1
            self._dropped[self._last] = pixels
            while len(self._dropped) > 1 and self._too_much():
                del self._dropped[next(iter(self._dropped))]
            return self._last

    def _too_much(self) -> bool:
        return len(self._dropped) > KEPT or sum(image.nbytes for image in self._dropped.values()) > KEPT_BYTES

    def first(self, number: int) -> int:
        """The number; for 0 that of the first image there is: a given one, or a packaged one."""
        return number or (1 if self.given else -1)

    def image(self, number: int, channels: int = 3) -> np.ndarray:
        """The image of a number, uint8 C H W, in colours (3 channels) or grey (1). InputError where there is none."""
        if 1 <= number <= len(self.given):
            return read_image(self.given[number - 1], channels)
        if -PACKAGED <= number <= -1:
            return np.repeat(garments()[0][-1 - number], channels, axis=0)
        image = self._dropped.get(number)
        if image is None:
            raise InputError("there is no such image here, or no longer: drop one on the page.")
        return image if channels == 3 else _grey(image)

    def strange(self, number: int, classes: Sequence[str]) -> bool:
        """Whether it is a packaged image of a class that is none of these: a network that knows them guesses."""
        return -PACKAGED <= number <= -1 and garments()[1][-1 - number] not in classes

    def label(self, number: int) -> str:
        """What a given image's folder is called, often its class, and what a packaged one is. Empty if dropped."""
        if -PACKAGED <= number <= -1:
            return garments()[1][-1 - number]
        return self.given[number - 1].parent.name if 1 <= number <= len(self.given) else ""


@cache
def garments() -> tuple[np.ndarray, list[str]]:
    """The packaged images, uint8 N 1 28 28, and what each is."""
    found = load(PACKAGED_DATA, "test")
    assert isinstance(found, ImageSet)
    return found.images[:PACKAGED], [found.classes[int(label)] for label in found.labels[:PACKAGED]]


def _grey(image: np.ndarray) -> np.ndarray:
    """A colour image, C H W, as Pillow makes it grey: of one channel."""
    from PIL import Image

    return np.asarray(Image.fromarray(image.transpose(1, 2, 0)).convert("L"))[None]


def images_at(path: Path) -> list[Path]:
    """The file, or the images of a folder and those below it, the first of each folder first.

    InputError where there is none.
    """
    if path.is_file():
        read_image(path)
        return [path]
    found = sorted(file for file in path.rglob("*") if file.suffix.lower() in ENDINGS and file.is_file())
    if not found:
        raise InputError(f"{path} holds no images: expected a file, or a folder of {', '.join(ENDINGS)}.")
    before: Counter[Path] = Counter()  # in its folder
    place: dict[Path, int] = {}
    for file in found:
        place[file] = before[file.parent]
        before[file.parent] += 1
    return sorted(place, key=lambda file: (place[file], file))[:MOST_GIVEN]
