"""One image file as an array."""

import warnings
import zlib
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from handmade.errors import InputError
from handmade.reading import cannot_read, read_bytes

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 89_478_485
"""Pillow's own limit: a larger image may be a decompression bomb (a small file that expands to gigabytes)."""

PLAIN_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV")
"""The modes that Pillow converts to RGB itself."""

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "PPM")
"""Pillow's names for the formats that are opened."""

EXTENSIONS = (".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".webp")

MOST_PASSES = 100
"""A progressive JPEG has about ten passes over its pixels; one with a thousand is made to take minutes."""

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

ORIENTATION = 0x0112  # EXIF's tag


def read_image(path: str | Path, channels: int = 3) -> UInt8[np.ndarray, "C H W"]:
    """The image file at `path` with `channels` = 3 (red, green, blue) or 1 (grey).

    Rotated as a viewer shows it (EXIF orientation), on white where it is transparent, 16-bit grey scaled to 8 bits;
    of several pictures the first. Raises InputError, with the file's name, if it is missing, not an image, cut short,
    in an unsupported colour mode, or larger than MOST_PIXELS.
    """
    try:
        content = read_bytes(path)
    except OSError as error:
        raise cannot_read(path, error) from error
    return decode_image(content, str(path), channels)


def decode_image(content: bytes, name: str, channels: int = 3) -> UInt8[np.ndarray, "C H W"]:
    """Like `read_image`, from the bytes of a file; `name` is the name used in errors."""
    from PIL import Image

    if channels not in (1, 3):
        raise ValueError(f"channels is {channels}, expected 3 (red, green, blue) or 1 (grey)")
    too_large = f"image {name} has more than {MOST_PIXELS:,} pixels; scale it down first."
    if content.startswith(PNG_SIGNATURE):
        _check_png(content, name)
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(BytesIO(content), formats=FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise InputError(too_large)
            if opened.format in ("JPEG", "MPO") and content.count(b"\xff\xda") > MOST_PASSES:
                raise InputError(f"image {name} has more than {MOST_PASSES} passes over its pixels; save it again.")
            opened.load()
            image = _upright(opened)
    except InputError:
        raise
    except Image.UnidentifiedImageError as error:
        raise InputError(f"{name} is not an image in a known format: PNG, JPEG, WebP, GIF, BMP or PNM.") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(too_large) from error
    except Exception as error:  # a decoder may raise anything for a damaged file
        raise InputError(f"image {name} is damaged or cut short ({error}).") from error
    pixels = np.array(_eight_bits(image, name).convert("RGB" if channels == 3 else "L"))
    return np.atleast_3d(pixels).transpose(2, 0, 1)  # H W C -> C H W


def _check_png(content: bytes, name: str) -> None:
    """InputError unless the pixels and colours have the checksums that were written with them; Pillow does not look.

    A chunk is its length, its kind, its content and the CRC of both; those whose kind begins with a capital letter
    decide what is seen (PNG's specification, sections 5.3 and 5.4).
    """
    at = len(PNG_SIGNATURE)
    while at + 12 <= len(content):
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        end = at + 8 + length
        decides = kind[:1].isupper() or kind == b"tRNS"
        if decides and zlib.crc32(content[at + 4 : end]) != int.from_bytes(content[end : end + 4], "big"):
            raise InputError(f"image {name} is damaged or cut short: its chunk {kind!r} does not have its checksum.")
        at = end + 4


def _upright(image: "Image") -> "Image":
    """`image` rotated as its EXIF orientation says; as it is if the EXIF data are damaged."""
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    try:
        turn = turns.get(image.getexif().get(ORIENTATION, 1))
    except Exception:  # reading damaged EXIF data may raise anything
        turn = None
    turned = image if turn is None else image.transpose(turn)
    turned.info = image.info  # says which colour is transparent
    return turned


def _eight_bits(image: "Image", name: str) -> "Image":
    """`image` in a mode with 8 bits per channel, without transparency."""
    from PIL import Image

    if image.mode.startswith("I"):
        grey = np.asarray(image).astype(np.int64)  # 16 bits: the most in any format that is opened
        if "transparency" in image.info:
            grey = np.where(grey == image.info["transparency"], 65535, grey)  # on white
        return Image.fromarray(((grey + 128) // 257).astype(np.uint8))  # 65535 -> 255
    if image.mode not in PLAIN_MODES:
        raise InputError(f"image {name} has mode {image.mode}; save it as RGB or grey with 8 or 16 bits per channel.")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image
