"""One image file as an array."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from handmade.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 89_478_485
"""Pillow's own bound: past it an image is taken for a decompression bomb (a small file that unpacks to gigabytes)."""

PLAIN_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV")
"""Pillow's modes that it turns into RGB itself."""

EXTENSIONS = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")


def read_image(path: str | Path, channels: int = 3) -> UInt8[np.ndarray, "C H W"]:
    """The image file at `path` with `channels` = 3 (red, green, blue) or 1 (grey).

    Upright as a viewer shows it (EXIF orientation), on white where it is transparent, 16-bit grey scaled to 8 bits,
    the first picture of several. Raises InputError, with the file's name, when it is missing, no image, cut short,
    of 32-bit numbers or uncommon colours, or larger than MOST_PIXELS.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"image {path} cannot be read: {error.strerror}.") from error
    return decode_image(content, str(path), channels)


def decode_image(content: bytes, name: str, channels: int = 3) -> UInt8[np.ndarray, "C H W"]:
    """As `read_image`, of a file's bytes; `name` is what errors call it."""
    from PIL import Image, ImageOps

    if channels not in (1, 3):
        raise ValueError(f"channels is {channels}, expected 3 (red, green, blue) or 1 (grey)")
    too_large = f"image {name} has more than {MOST_PIXELS:,} pixels; scale it down first."
    try:
        with Image.open(BytesIO(content)) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise InputError(too_large)
            image = ImageOps.exif_transpose(opened)  # decodes the pixels
            image.load()
    except InputError:
        raise
    except Image.UnidentifiedImageError as error:
        raise InputError(f"{name} is not an image of a kind Pillow knows.") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(too_large) from error
    except Exception as error:  # a decoder may raise anything over a broken file
        raise InputError(f"image {name} is damaged or cut short ({error}).") from error
    pixels = np.array(_eight_bits(image, name).convert("RGB" if channels == 3 else "L"))
    return np.atleast_3d(pixels).transpose(2, 0, 1)  # H W C -> C H W


def _eight_bits(image: "Image", name: str) -> "Image":
    """`image` in a mode of 8 bits a channel, without transparency."""
    from PIL import Image

    if image.mode.startswith("I"):
        grey = np.asarray(image).astype(np.int64)
        if grey.min() < 0 or grey.max() > 65535:
            raise InputError(f"image {name} holds 32-bit numbers ({image.mode}); save it with 8 or 16 bits a channel.")
        return Image.fromarray(((grey + 128) // 257).astype(np.uint8))  # 65535 -> 255
    if image.mode not in PLAIN_MODES:
        raise InputError(f"image {name} is of mode {image.mode}; save it as RGB or grey with 8 or 16 bits a channel.")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image
