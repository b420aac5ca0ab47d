"""The images that classifiers look at on the pages: files given at the start, and those dropped on a page."""

import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from handmade.data import read_image
from handmade.data.images import decode_image
from handmade.errors import InputError

LARGEST = 8 << 20
"""Bytes of an image file that is dropped."""

KEPT = 8
"""How many dropped images are kept, the newest."""

KEPT_BYTES = 256 << 20
"""How much their pixels may take together; the newest is kept in any case."""

MOST_GIVEN = 200
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


class Images:
    """Images by number: the given files count up from 1, the dropped ones on from there."""

    def __init__(self, given: Sequence[Path] = ()) -> None:
        self.given = list(given)
        self._dropped: dict[int, np.ndarray] = {}
        self._last = len(self.given)
        self._lock = threading.Lock()

    def add(self, content: bytes) -> int:
        """Decode a file and keep it; its number. InputError for what is no image, or too large a one."""
        pixels = decode_image(content, "that you dropped")
        with self._lock:
            self._last += 1
            self._dropped[self._last] = pixels
            while len(self._dropped) > 1 and self._too_much():
                del self._dropped[next(iter(self._dropped))]
            return self._last

    def _too_much(self) -> bool:
        return len(self._dropped) > KEPT or sum(image.nbytes for image in self._dropped.values()) > KEPT_BYTES

    def image(self, number: int) -> np.ndarray:
        """The image of a number, uint8 C H W in colours. InputError where there is none."""
        if 1 <= number <= len(self.given):
            return read_image(self.given[number - 1])
        image = self._dropped.get(number)
        if image is None:
            raise InputError("there is no such image here, or no longer: drop one on the page.")
        return image

    def label(self, number: int) -> str:
        """What the folder of a given image is called: often its class. Empty for a dropped one."""
        return self.given[number - 1].parent.name if 1 <= number <= len(self.given) else ""


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
