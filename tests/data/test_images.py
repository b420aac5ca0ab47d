import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from handmade.data import decode_image, read_image
from handmade.errors import InputError


def encoded(image: Image.Image, kind: str = "png", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.fixture
def pixels(rng) -> np.ndarray:
    return rng.integers(0, 256, (7, 5, 3), np.uint8)


def test_colour(tmp_path, pixels):
    path = tmp_path / "a.png"
    Image.fromarray(pixels).save(path)
    image = read_image(path)
    assert image.shape == (3, 7, 5)
    np.testing.assert_array_equal(image, pixels.transpose(2, 0, 1))


def test_colour_as_grey(pixels):
    image = Image.fromarray(pixels)
    grey = decode_image(encoded(image), "a", channels=1)
    assert grey.shape == (1, 7, 5)
    np.testing.assert_array_equal(grey[0], np.asarray(image.convert("L")))


def test_grey_as_colour(pixels):
    image = decode_image(encoded(Image.fromarray(pixels[..., 0])), "a")
    np.testing.assert_array_equal(image, np.stack([pixels[..., 0]] * 3))


def test_black_and_white(pixels):
    image = Image.fromarray(pixels[..., 0]).convert("1")
    np.testing.assert_array_equal(decode_image(encoded(image), "a", 1)[0], np.asarray(image) * 255)


def test_palette(pixels):
    image = Image.fromarray(pixels).quantize(8)
    expected = np.asarray(image.convert("RGB")).transpose(2, 0, 1)
    np.testing.assert_array_equal(decode_image(encoded(image), "a"), expected)
    np.testing.assert_array_equal(decode_image(encoded(image, "gif"), "a"), expected)


def test_transparent_parts_are_white(pixels):
    alpha = np.full((7, 5, 1), 255, np.uint8)
    alpha[2:] = 0
    image = decode_image(encoded(Image.fromarray(np.concatenate([pixels, alpha], -1))), "a")
    np.testing.assert_array_equal(image[:, :2], pixels[:2].transpose(2, 0, 1))
    assert (image[:, 2:] == 255).all()


def test_a_palette_with_a_transparent_colour():
    image = Image.new("P", (4, 3), 0)
    image.putpalette([200, 0, 0, 0, 0, 200])
    image.putpixel((0, 0), 1)
    decoded = decode_image(encoded(image, transparency=0), "a")
    assert decoded[:, 0, 0].tolist() == [0, 0, 200]
    assert decoded[:, 1, 1].tolist() == [255, 255, 255]


def test_cmyk(pixels):
    image = Image.fromarray(pixels).convert("CMYK")
    content = encoded(image, "tiff")
    np.testing.assert_array_equal(decode_image(content, "a"), np.asarray(image.convert("RGB")).transpose(2, 0, 1))


def test_sixteen_bits_keep_their_brightness():
    values = np.array([[0, 257, 32896], [65535, 128, 129]], np.uint16)
    image = decode_image(encoded(Image.fromarray(values)), "a", 1)
    assert image.tolist() == [[[0, 1, 128], [255, 0, 1]]]


def test_thirty_two_bits_are_refused():
    values = np.array([[0, 70000]], np.int32)
    with pytest.raises(InputError, match=r"deep.tif holds 32-bit numbers"):
        decode_image(encoded(Image.fromarray(values), "tiff"), "deep.tif")


def test_floats_are_refused():
    with pytest.raises(InputError, match="mode F; save it as RGB or grey"):
        decode_image(encoded(Image.fromarray(np.zeros((2, 2), np.float32)), "tiff"), "a.tif")


def test_upright_as_the_camera_noted():
    image = Image.fromarray(np.array([[0, 255]], np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise
    assert decode_image(encoded(image, exif=exif), "a", 1).tolist() == [[[0], [255]]]


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "bmp", "tiff", "webp"])
def test_every_cut_is_refused(pixels, kind):
    content = encoded(Image.fromarray(np.tile(pixels, (4, 4, 1))), kind)
    whole = decode_image(content, "a")
    refused = 0
    for length in range(0, len(content), max(1, len(content) // 60)):
        try:
            np.testing.assert_array_equal(decode_image(content[:length], "cut.file"), whole)  # an end mark is missing
        except InputError as error:
            refused += 1
            assert "cut.file" in str(error)  # noqa: PT017
    assert refused > 50


def test_no_image():
    with pytest.raises(InputError, match=r"notes.txt is not an image"):
        decode_image(b"Dear diary,", "notes.txt")


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"nothing.png cannot be read: No such file"):
        read_image(tmp_path / "nothing.png")


@pytest.mark.parametrize(("width", "height"), [(10_000, 9_000), (40_000, 40_000)], ids=["large", "bomb"])
def test_more_pixels_than_anyone_draws(width, height):
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    with pytest.raises(InputError, match=r"bomb.png has more than 89,478,485 pixels"):
        decode_image(png, "bomb.png")


def test_channels():
    with pytest.raises(ValueError, match=r"channels is 4, expected 3 .* or 1"):
        decode_image(b"", "a", channels=4)


def test_more_pixels_where_warnings_are_off():
    png = encoded(Image.new("1", (10_000, 9_000)))
    with warnings.catch_warnings(action="ignore"), pytest.raises(InputError, match="more than 89,478,485 pixels"):
        decode_image(png, "large.png")
