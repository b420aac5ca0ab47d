"""Pictures of a classifier's mistakes."""

import numpy as np
import pytest

from handmade import draw
from tests.support.pictures import assert_readable, bar_label, bars, images, written


@pytest.mark.slow
@pytest.mark.parametrize("classes", [2, 10, 100])
def test_confusion_of_few_and_of_many_classes(tmp_path, rng, classes):
    names = [f"class {index}" for index in range(classes)]
    counts = rng.integers(0, 9, (classes, classes))
    counts[1] = 0  # a class without images
    picture = draw.confusion_matrix(counts, names, "a model on its test images")
    assert_readable(picture, tmp_path)
    assert f"{np.trace(counts):,} of {counts.sum():,} right" in picture.title
    assert ("class 1" in written(picture)) == (classes <= 20)
    (image,) = images(picture)
    assert np.allclose(image.get_array().sum(axis=1), np.arange(classes) != 1)


def test_few_mistakes_are_seen():
    """2 of 100 have a seventh of the range, not a fiftieth."""
    counts = np.array([[98, 2], [0, 100]])
    picture = draw.confusion_matrix(counts, ["cat", "dog"], "a model")
    (image,) = images(picture)
    assert float(image.norm(0.02)) == pytest.approx(0.02**0.5)
    assert bar_label(bars(picture)[0]) == "share of the true class\n(colour by the square root)"
    axes = picture.figure.axes[0]
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("true class", "predicted class")
    assert [text.get_text() for text in axes.texts] == ["98", "2", "100"]
    assert picture.title == "a model: 198 of 200 right (99.0 %)"
    assert picture.caption == "The most common mistakes: cat mistaken for dog (2 of 100)."
    assert draw.confusion_matrix(np.eye(2, dtype=int), ["a", "b"], "a").caption == "Nothing was mistaken."


def test_the_surest_mistakes_come_first(rng):
    logits = np.array([[5.0, 0, 0], [0, 1, 0], [0, 0, 3], [2, 0, 0]])
    wrong, sure = draw.surest_mistakes(logits, np.array([0, 0, 0, 1]))
    assert wrong.tolist() == [2, 3, 1]
    expected = np.exp(logits).max(axis=1) / np.exp(logits).sum(axis=1)
    assert sure == pytest.approx(expected[[2, 3, 1]])


@pytest.mark.slow
@pytest.mark.parametrize(("channels", "wrong"), [(1, 0), (1, 1), (3, 7), (1, 30)])
def test_misclassified_images_say_what_they_are_and_what_they_were_taken_for(tmp_path, rng, channels, wrong):
    pixels = rng.integers(0, 256, (wrong, channels, 8, 8)).astype(np.uint8)
    mistakes = [draw.Mistake(image, "cat", "a class with a very long name", 0.87) for image in pixels]
    picture = draw.misclassified(mistakes, wrong, 60, "a model")
    assert_readable(picture, tmp_path)
    assert len(images(picture)) == wrong
    said = written(picture)
    assert said.count("✓ cat") == wrong
    assert said.count("✗ a class with a…\n87 %") == wrong
    assert picture.title == f"a model: {wrong} of 60 wrong ({100 * wrong / 60:.1f} %)"
    assert ("cat mistaken for a class with a very long name (87 %)" in picture.caption) == bool(wrong)
