"""The pictures of a classifier: drawn from the right numbers, whatever the numbers are."""

import numpy as np
import pytest
from PIL import Image

from handmade.data import ImageSet
from handmade.tasks.images import report


def assert_is_picture(path) -> None:
    with Image.open(path) as image:
        image.load()
        assert min(image.size) > 200
        assert len(image.getcolors(1 << 24)) > 10


def test_the_confusion_matrix_counts_true_classes_in_rows(rng):
    labels, predicted = rng.integers(0, 4, 50), rng.integers(0, 4, 50)
    expected = np.zeros((4, 4), np.int64)
    for label, taken_for in zip(labels, predicted, strict=True):
        expected[label, taken_for] += 1
    assert np.array_equal(report.confusion_matrix(labels, predicted, 4), expected)


@pytest.mark.slow
@pytest.mark.parametrize("classes", [2, 10, 100])
def test_confusion_is_drawn_for_few_and_many_classes(tmp_path, rng, classes):
    names = [f"class {index}" for index in range(classes)]
    matrix = rng.integers(0, 9, (classes, classes))
    matrix[1] = 0  # a class without images
    report.draw_confusion(tmp_path / "confusion.png", matrix, names)
    assert_is_picture(tmp_path / "confusion.png")


@pytest.mark.slow
@pytest.mark.parametrize(("channels", "wrong"), [(1, 0), (1, 1), (3, 7), (1, 50)])
def test_misclassified_images_are_drawn_however_many(tmp_path, rng, channels, wrong):
    images = rng.integers(0, 256, (60, channels, 8, 8)).astype(np.uint8)
    labels = rng.integers(0, 3, 60)
    logits = rng.normal(size=(60, 3))
    logits[np.arange(60), labels] += 9
    logits[np.arange(wrong), (labels[:wrong] + 1) % 3] += 20
    path = tmp_path / "misclassified.png"
    report.draw_misclassified(path, ImageSet(images, labels, ["a", "b", "c"]), logits, labels)
    assert path.read_bytes().startswith(b"\x89PNG")
    if wrong:
        assert_is_picture(path)
