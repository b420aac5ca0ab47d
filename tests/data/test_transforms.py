"""References here follow torchvision's documented arithmetic on PIL images, written out with Pillow alone."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from handmade.data import (
    CenterCrop,
    ColorJitter,
    Compose,
    Normalize,
    Pad,
    PCAColor,
    RandomCrop,
    RandomHorizontalFlip,
    RandomResizedCrop,
    Resize,
    TenCrop,
    ToFloat,
    color_components,
    imagenet_preprocessing,
)
from handmade.data.transforms import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    adjust_brightness,
    adjust_contrast,
    adjust_saturation,
)
from handmade.errors import InputError


@pytest.fixture
def images(rng) -> np.ndarray:
    return rng.integers(0, 256, (6, 3, 9, 13), np.uint8)


def pil(image: np.ndarray) -> Image.Image:
    return Image.fromarray(image.transpose(1, 2, 0))


def array(image: Image.Image) -> np.ndarray:
    return np.asarray(image).transpose(2, 0, 1)


def test_to_float_and_normalize(images):
    mean, std = (0.2, 0.4, 0.6), (0.5, 0.25, 0.125)
    scaled = ToFloat()(images)
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(scaled, images / np.float32(255))
    normalized = Normalize(mean, std)(scaled)
    assert normalized.dtype == np.float32
    np.testing.assert_allclose(normalized[:, 1], (images[:, 1] / 255 - 0.4) / 0.25, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(scaled, images / np.float32(255))  # untouched


def test_normalize_refuses(images):
    with pytest.raises(TypeError, match=r"takes floats, got uint8: put ToFloat\(\) before it"):
        Normalize((0.5,) * 3, (0.5,) * 3)(images)
    with pytest.raises(ValueError, match="1 means and 1 standard deviations for images of 3 channels"):
        Normalize((0.5,), (0.5,))(ToFloat()(images))


def test_pad(images):
    padded = Pad(2, fill=7)(images)
    assert padded.shape == (6, 3, 13, 17)
    np.testing.assert_array_equal(padded[:, :, 2:-2, 2:-2], images)
    padded[:, :, 2:-2, 2:-2] = 7
    assert (padded == 7).all()


def test_random_crop_takes_windows_everywhere(rng):
    image = np.arange(1, 7 * 8 + 1, dtype=np.uint8).reshape(1, 1, 7, 8)
    crops = RandomCrop((4, 6), padding=1)(image.repeat(600, 0), rng)
    assert crops.shape == (600, 1, 4, 6)
    padded = np.pad(image[0, 0], 1)
    windows = {padded[t : t + 4, left : left + 6].tobytes() for t in range(6) for left in range(5)}
    assert {crop.tobytes() for crop in crops} == windows


def test_random_crop_takes_all_channels_from_one_place(images, rng):
    whole = np.repeat(images[:, :1], 3, axis=1)
    crop = RandomCrop(5)(whole, rng)
    np.testing.assert_array_equal(crop[:, 0], crop[:, 2])


def test_random_crop_of_a_small_image(images, rng):
    with pytest.raises(ValueError, match="RandomCrop of 12 x 12 from images of 11 x 15: use more padding"):
        RandomCrop(12, padding=1)(images, rng)


def test_random_flip(rng):
    images = rng.integers(0, 256, (1000, 1, 2, 3), np.uint8)
    images[:, 0, 0] = [0, 1, 2]
    flipped = RandomHorizontalFlip()(images, rng)
    turned = flipped[:, 0, 0, 0] == 2
    assert 430 < turned.sum() < 570
    np.testing.assert_array_equal(flipped[turned], images[turned][..., ::-1])
    np.testing.assert_array_equal(flipped[~turned], images[~turned])
    assert RandomHorizontalFlip(p=0)(images, rng).tobytes() == images.tobytes()
    assert RandomHorizontalFlip(p=1)(images, rng).tobytes() == images[..., ::-1].tobytes()


@pytest.mark.parametrize(
    ("shape", "size", "expected"),
    [
        ((300, 401), 256, (256, int(256 * 401 / 300))),
        ((401, 300), 256, (int(256 * 401 / 300), 256)),
        ((33, 640), 50, (50, 969)),
        ((9, 13), 9, (9, 13)),
        ((9, 13), (5, 20), (5, 20)),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_resize(rng, shape, size, expected, channels):
    image = rng.integers(0, 256, (channels, *shape), np.uint8)
    resized = Resize(size)([image])
    assert resized.shape == (1, channels, *expected)
    for channel, their in zip(image, resized[0], strict=True):
        reference = Image.fromarray(channel).resize(expected[::-1], Image.Resampling.BILINEAR)
        np.testing.assert_array_equal(their, np.asarray(reference))


def test_resize_refuses_floats(images):
    with pytest.raises(TypeError, match=r"resized as uint8, got float32: resize before ToFloat\(\)"):
        Resize(5)(ToFloat()(images))


@pytest.mark.parametrize(
    ("size", "top", "left"),
    [(5, 2, 4), ((4, 6), 2, 4), ((6, 7), 2, 3), ((9, 13), 0, 0)],  # 1.5 and 2.5 go to 2, 3.5 to 4
)
def test_center_crop(images, size, top, left):
    height, width = (size, size) if isinstance(size, int) else size
    expected = images[..., top : top + height, left : left + width]
    np.testing.assert_array_equal(CenterCrop(size)(images), expected)
    np.testing.assert_array_equal(CenterCrop(size)(list(images)), expected)


def test_center_crop_of_a_small_image(images):
    crop = CenterCrop((12, 4))(images)
    assert crop.shape == (6, 3, 12, 4)
    np.testing.assert_array_equal(crop[:, :, 1:10], images[..., 4:8])
    assert not crop[:, :, [0, 10, 11]].any()


def test_imagenet_preprocessing(rng):
    sizes = [(300, 401), (640, 480), (256, 341), (100, 77)]
    images = [rng.integers(0, 256, (3, *size), np.uint8) for size in sizes]
    ready = imagenet_preprocessing()(images)
    assert ready.shape == (4, 3, 224, 224)
    for image, their in zip(images, ready, strict=True):
        width, height = pil(image).size
        long = int(256 * max(width, height) / min(width, height))
        size = (256, long) if width < height else (long, 256)
        resized = pil(image).resize(size, Image.Resampling.BILINEAR)
        left, top = round((size[0] - 224) / 2.0), round((size[1] - 224) / 2.0)
        cropped = array(resized.crop((left, top, left + 224, top + 224))).astype(np.float32) / np.float32(255)
        mean, std = (np.array(x, np.float32)[:, None, None] for x in (IMAGENET_MEAN, IMAGENET_STD))
        np.testing.assert_array_equal(their, (cropped - mean) / std)


def test_random_resized_crop(rng):
    ramp = np.broadcast_to(np.arange(0, 240, 4, dtype=np.uint8), (1, 40, 60))
    crops = RandomResizedCrop((8, 10))([ramp] * 300, rng)
    assert crops.shape == (300, 1, 8, 10)
    shares = (crops[:, 0, :, -1].astype(int) - crops[:, 0, :, 0])[:, 0] / 240  # of the width
    assert shares.min() < 0.3
    assert shares.max() > 0.7


def test_random_resized_crop_windows_keep_their_bounds(rng):
    crop = RandomResizedCrop(8, scale=(0.2, 0.5), ratio=(0.5, 2))
    for _ in range(200):
        top, left, height, width = crop._window(np.zeros((1, 50, 70)), rng)
        assert top >= 0
        assert left >= 0
        assert top + height <= 50
        assert left + width <= 70
        assert 0.19 < height * width / 3500 < 0.51
        assert 0.47 < width / height < 2.1


@pytest.mark.parametrize(("shape", "window"), [((10, 100), (0, 43, 10, 13)), ((100, 9), (44, 0, 12, 9))])
def test_random_resized_crop_of_a_strip(rng, shape, window):
    assert RandomResizedCrop(8, scale=(1, 1))._window(np.zeros((1, *shape)), rng) == window


@pytest.mark.parametrize(
    ("adjust", "enhancer"),
    [
        (adjust_brightness, ImageEnhance.Brightness),
        (adjust_contrast, ImageEnhance.Contrast),
        (adjust_saturation, ImageEnhance.Color),
    ],
)
def test_colour_changes_equal_pillows(images, adjust, enhancer):
    factors = np.array([0, 0.3, 0.77, 1, 1.4, 2.5])
    changed = adjust(images, factors)
    for image, factor, their in zip(images, factors, changed, strict=True):
        np.testing.assert_array_equal(their, array(enhancer(pil(image)).enhance(factor)))


def test_color_jitter(images, rng):
    assert ColorJitter()(images, rng).tobytes() == images.tobytes()
    brighter = ColorJitter(brightness=0.5)(np.full((500, 3, 2, 2), 100, np.uint8), rng)[:, 0, 0, 0]
    assert brighter.min() in range(50, 54)
    assert brighter.max() in range(146, 150)
    jittered = ColorJitter(0.4, 0.4, 0.4)(images, rng)
    assert jittered.dtype == np.uint8
    assert not np.array_equal(jittered, images)
    with pytest.raises(TypeError, match=r"ColorJitter takes uint8 images, got float32: put it before ToFloat\(\)"):
        ColorJitter(0.4)(ToFloat()(images), rng)


def test_pca_color_shifts_along_the_axes(rng):
    images = np.full((4000, 3, 2, 1), 0.5, np.float32)
    shift = PCAColor(std=0.1)(images, rng) - images
    assert np.ptp(shift, axis=(2, 3)).max() == 0  # one shift an image
    axes = np.array(PCAColor().eigenvectors)
    along = shift[:, :, 0, 0] @ axes
    np.testing.assert_allclose(along.std(0), 0.1 * np.array([0.2175, 0.0188, 0.0045]), rtol=0.05)


def test_pca_color_refuses(images, rng):
    with pytest.raises(TypeError, match=r"PCAColor takes floats \(B, 3, H, W\), got uint8 \(6, 3, 9, 13\)"):
        PCAColor()(images, rng)
    with pytest.raises(TypeError, match=r"got float32 \(6, 1, 9, 13\)"):
        PCAColor()(ToFloat()(images[:, :1]), rng)


def test_color_components(rng):
    axes, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    colours = 128 + rng.normal(size=(20_000, 3)) * [30, 12, 5] @ axes.T
    images = colours.round().astype(np.uint8).reshape(200, 10, 10, 3).transpose(0, 3, 1, 2)
    values, vectors = color_components(images)
    np.testing.assert_allclose(values, (np.array([30, 12, 5]) / 255) ** 2, rtol=0.05)
    np.testing.assert_allclose(np.abs(np.array(vectors).T @ axes), np.eye(3), atol=0.02)


def test_ten_crop(images):
    crops = TenCrop((4, 6))(images)
    assert crops.shape == (6, 10, 3, 4, 6)
    mirrored = images[..., ::-1]
    np.testing.assert_array_equal(crops[:, 0], images[..., :4, :6])
    np.testing.assert_array_equal(crops[:, 1], images[..., :4, 7:])
    np.testing.assert_array_equal(crops[:, 2], images[..., 5:, :6])
    np.testing.assert_array_equal(crops[:, 3], images[..., 5:, 7:])
    np.testing.assert_array_equal(crops[:, 4], images[..., 2:6, 4:10])
    np.testing.assert_array_equal(crops[:, 6], mirrored[..., :4, 7:])
    np.testing.assert_array_equal(crops[:, 9], mirrored[..., 2:6, 4:10])
    np.testing.assert_array_equal(Normalize((0,) * 3, (1,) * 3)(ToFloat()(crops)), ToFloat()(crops))
    with pytest.raises(ValueError, match="TenCrop of 10 x 10 from images of 9 x 13: use a smaller size"):
        TenCrop(10)(images)


def test_compose_hands_one_generator_on(images):
    both = Compose((RandomCrop(5), RandomHorizontalFlip()))(images, np.random.default_rng(3))
    rng = np.random.default_rng(3)
    np.testing.assert_array_equal(both, RandomHorizontalFlip()(RandomCrop(5)(images, rng), rng))


@pytest.mark.parametrize(
    "transform", [ToFloat(), Pad(1), RandomCrop(3), RandomHorizontalFlip(), ColorJitter(1), TenCrop(2), PCAColor()]
)
def test_images_of_several_sizes_need_a_resize(rng, transform):
    images = [np.zeros((3, 4, 5 + i), np.uint8) for i in range(5)]
    with pytest.raises(
        InputError, match=rf"{type(transform).__name__} takes images of one size, got 4 x 5, 4 x 6, 4 x 7, "
    ):
        transform(images, rng)


@pytest.mark.parametrize("std", [0, -1, float("nan"), float("inf")])
def test_a_deviation_that_cannot_be_divided_by_is_refused(std):
    with pytest.raises(ValueError, match=r"Normalize: std is .*use 1 for it"):
        Normalize((0.5, 0.5), (1, std))
