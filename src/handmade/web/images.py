"""Images that a person dropped on a page: decoded, and kept in memory under a number."""

import io
import threading

import numpy as np
from PIL import Image, UnidentifiedImageError

from handmade.errors import InputError

LARGEST = 8 << 20
"""Bytes of an image file."""

MOST_PIXELS = 1 << 26
KEPT = 8
"""How many images are kept, the newest."""


class Images:
    """The images by their numbers, which count up from 1."""

    def __init__(self) -> None:
        self._images: dict[int, np.ndarray] = {}
        self._last = 0
        self._lock = threading.Lock()

    def add(self, content: bytes) -> int:
        """Decode a file and keep it; its number. InputError for what is no image, or too large a one."""
        try:
            with Image.open(io.BytesIO(content)) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise InputError(f"the image has {image.width} x {image.height} pixels, expected fewer.")
                pixels = np.asarray(image.convert("RGB")).transpose(2, 0, 1).copy()  # C H W
        except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError("the file is no image that can be read: give a PNG or a JPEG.") from None
        with self._lock:
            self._last += 1
            self._images[self._last] = pixels
            while len(self._images) > KEPT:
                del self._images[next(iter(self._images))]
            return self._last

    def image(self, number: int) -> np.ndarray:
        """The image of a number, uint8 C H W. InputError where it is not kept."""
        image = self._images.get(number)
        if image is None:
            raise InputError("the image is no longer kept here: drop it again.")
        return image
