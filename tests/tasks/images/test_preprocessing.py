"""From images of any kind to what a model takes."""

import numpy as np
import pytest

from handmade.data import Compose, ImageFolder, ImageSet
from handmade.data.transforms import IMAGENET_MEAN
from handmade.tasks.images.preprocessing import Channels, ImageFacts, image_facts, preprocessing


def facts(channels: int, height: int, width: int) -> ImageFacts:
    return ImageFacts(["a", "b"], (channels, height, width), [0.25] * channels, [0.5] * channels)


def prepared(images: np.ndarray | list, known: ImageFacts, channels: int, **options) -> np.ndarray:
    return Compose(preprocessing(known, channels, 32, **options))(images, np.random.default_rng(3))


def test_images_that_are_smaller_are_padded_with_black(rng):
    images = rng.integers(0, 256, (5, 1, 28, 28)).astype(np.uint8)
    made = prepared(images, facts(1, 28, 28), 1)
    assert made.shape == (5, 1, 32, 32)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made[:, :, 2:30, 2:30], (images / 255 - 0.25) / 0.5, rtol=1e-5, atol=1e-6)
    assert np.all(made[:, :, :2] == np.float32(-0.5))


def test_images_of_a_person_are_first_scaled_to_the_size_of_the_training_set(rng):
    images = [rng.integers(0, 256, shape).astype(np.uint8) for shape in ((1, 40, 70), (1, 9, 13))]
    made = prepared(images, facts(1, 28, 28), 1)
    assert made.shape == (2, 1, 32, 32)
    assert np.all(made[:, :, :, :2] == np.float32(-0.5))
    assert made[:, :, 2:30, 2:30].std() > 0.1


@pytest.mark.parametrize("shape", [(3, 28, 30), (3, 64, 64), (3, 27, 27)])
def test_images_that_cannot_be_padded_evenly_are_scaled(rng, shape):
    images = rng.integers(0, 256, (2, *shape)).astype(np.uint8)
    assert prepared(images, facts(*shape), 3).shape == (2, 3, 32, 32)


def test_grey_becomes_three_colours_and_colours_their_mean(rng):
    grey, colours = rng.random((2, 1, 3, 4)), rng.random((2, 3, 3, 4))
    assert np.array_equal(Channels(3)(grey), np.concatenate([grey] * 3, axis=1))
    np.testing.assert_allclose(Channels(1)(colours), colours.mean(axis=1, keepdims=True))
    assert Channels(3)(colours) is colours


def test_augmentation_moves_by_at_most_the_shift_and_mirrors(rng):
    images = np.zeros((200, 1, 28, 28), np.uint8)
    images[:, :, 10, 4] = 255
    made = prepared(images, facts(1, 28, 28), 1, shift=2, flip=True)
    _, _, rows, columns = np.nonzero(made > 1)
    assert set(rows - 12) == {-2, -1, 0, 1, 2}
    assert set(columns) == {4, 5, 6, 7, 8} | {31 - column for column in (4, 5, 6, 7, 8)}


def test_the_facts_of_a_set_are_its_own(rng):
    images = rng.integers(0, 256, (7, 2, 5, 6)).astype(np.uint8)
    images[:, 1] = 9
    made = image_facts(ImageSet(images, np.zeros(7, np.int64), ["only"]), 32)
    assert (made.classes, made.shape) == (["only"], (2, 5, 6))
    np.testing.assert_allclose(made.mean, (images / 255).mean(axis=(0, 2, 3)))
    np.testing.assert_allclose(made.std[0], (images / 255).std(axis=(0, 2, 3))[0])
    assert made.std[1] == 1, "a channel of one value everywhere must not be blown up"
    assert ImageFacts.from_json(made.to_json()) == made


def test_the_facts_of_a_folder_are_imagenets(picture_folder):
    made = image_facts(ImageFolder(picture_folder), 32)
    assert (made.classes, made.shape, made.mean) == (["dark", "light"], (3, 32, 32), list(IMAGENET_MEAN))
