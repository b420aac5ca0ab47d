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
    content = encoded(image, "jpeg", quality=100, subsampling=0)
    with Image.open(io.BytesIO(content)) as opened:
        expected = np.asarray(opened.convert("RGB")).transpose(2, 0, 1)
    np.testing.assert_array_equal(decode_image(content, "a"), expected)


def test_sixteen_bits_keep_their_brightness():
    values = np.array([[0, 257, 32896], [65535, 128, 129]], np.uint16)
    image = decode_image(encoded(Image.fromarray(values)), "a", 1)
    assert image.tolist() == [[[0, 1, 128], [255, 0, 1]]]


def test_floats_are_refused():
    content = b"Pf\n2 1\n-1.0\n" + np.zeros(2, "<f4").tobytes()  # a PFM, which Pillow counts among the PPMs
    with pytest.raises(InputError, match="mode F; save it as RGB or grey"):
        decode_image(content, "a.pfm")


def test_upright_as_the_camera_noted():
    image = Image.fromarray(np.array([[0, 255]], np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise
    assert decode_image(encoded(image, exif=exif), "a", 1).tolist() == [[[0], [255]]]


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "bmp", "ppm", "webp"])
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
    with pytest.raises(InputError, match=r"cannot read .*nothing.png: No such file"):
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


# ---- images that are whole, whatever is said beside them; and those made to take long


def exif_of(*entries: tuple[int, int, int, bytes]) -> bytes:
    """EXIF of entries (tag, type, count, four bytes), written by hand: Pillow writes no odd ones."""
    packed = b"".join(struct.pack(">HHI4s", *entry) for entry in entries)
    return b"Exif\0\0MM\0*" + struct.pack(">IH", 8, len(entries)) + packed + bytes(4)


ASCII, SHORT, SIGNED = 2, 3, 9


@pytest.mark.parametrize(
    "entry",
    [
        (256, ASCII, 4, b"abc\0"),  # the image's width, as text
        (256, SIGNED, 1, struct.pack(">i", -5)),
        (0x0112, SHORT, 1, b"\0\x63\0\0"),  # an orientation that does not exist
        (0x0112, ASCII, 4, b"abc\0"),
    ],
)
def test_an_odd_tag_of_exif_is_no_damage(pixels, entry):
    content = encoded(Image.fromarray(pixels), exif=exif_of(entry))
    np.testing.assert_array_equal(decode_image(content, "a"), pixels.transpose(2, 0, 1))
    turned = encoded(Image.fromarray(pixels), exif=exif_of(entry, (0x0112, SHORT, 1, b"\0\3\0\0")))
    if entry[0] != 0x0112:
        np.testing.assert_array_equal(decode_image(turned, "a"), pixels[::-1, ::-1].transpose(2, 0, 1))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_as_pillow_turns_it(pixels, orientation):
    from PIL import ImageOps

    content = encoded(Image.fromarray(pixels), exif=exif_of((0x0112, SHORT, 1, bytes([0, orientation, 0, 0]))))
    with Image.open(io.BytesIO(content)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(decode_image(content, "a"), expected.transpose(2, 0, 1))


def test_exif_that_is_damaged_leaves_the_pixels(pixels):
    content = encoded(Image.fromarray(pixels), exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    np.testing.assert_array_equal(decode_image(content, "a"), pixels.transpose(2, 0, 1))


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def test_the_transparent_colour_of_16_bits_is_white():
    grey = np.array([[0, 1000], [1001, 65535]], ">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in grey)
    header = struct.pack(">IIBBBBB", 2, 2, 16, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"tRNS", struct.pack(">H", 1000)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    content = b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)
    np.testing.assert_array_equal(decode_image(content, "a", 1)[0], [[0, 255], [4, 255]])


def test_formats_that_are_not_asked_for_are_not_opened(pixels):
    with pytest.raises(InputError, match=r"a\.tif is not an image in a known format: PNG, JPEG, WebP, GIF, BMP or PNM"):
        decode_image(encoded(Image.fromarray(pixels), "tiff"), "a.tif")


def test_a_progressive_jpeg_of_a_thousand_passes_is_refused(pixels):
    content = encoded(Image.fromarray(np.tile(pixels, (8, 8, 1))), "jpeg", progressive=True)
    assert decode_image(content, "a.jpg").shape == (3, 56, 40)
    start = content.rindex(b"\xff\xda")
    scan = content[start:-2]
    with pytest.raises(InputError, match=r"a\.jpg has more than 100 passes over its pixels"):
        decode_image(content[:start] + scan * 200 + content[-2:], "a.jpg")


def test_pillows_warnings_do_not_reach_the_user(pixels):
    animated = encoded(Image.fromarray(pixels), "gif", save_all=True, append_images=[Image.fromarray(255 - pixels)])
    palette = Image.fromarray(pixels).quantize(4)
    palette.info["transparency"] = bytes([0, 128, 255, 255])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        decode_image(animated, "a.gif")
        decode_image(encoded(palette), "a.png")
    assert not caught


@pytest.mark.parametrize("kind", [b"IHDR", b"PLTE", b"tRNS", b"IDAT"])
def test_a_png_whose_checksum_is_wrong_is_refused(pixels, kind):
    image = Image.fromarray(pixels).convert("P")
    content = bytearray(encoded(image, transparency=0))
    decode_image(bytes(content), "a.png")
    content[content.index(kind) + 4] ^= 1
    with pytest.raises(InputError, match=r"a\.png is damaged"):
        decode_image(bytes(content), "a.png")


def test_pixels_at_the_end_of_a_png_are_checked():
    """Pillow stops reading before the checksum, once it has all pixels: case 986 of the fuzz's PNGs."""
    content = bytearray(encoded(Image.fromarray(np.eye(5, dtype=bool))))
    end = content.index(b"IEND") - 8  # of the IDAT chunk
    content[end - 6 : end - 4] = b"\n\x1a"
    with pytest.raises(InputError, match=r"a\.png is damaged"):
        decode_image(bytes(content), "a.png")
