"""A classifier in use: by file and by array, its classes by name and number."""

import numpy as np
import pytest
from PIL import Image

import handmade
from handmade import nn
from handmade.data import Resize, ToFloat
from handmade.errors import InputError
from handmade.tasks import Classifier


@pytest.fixture
def classifier():
    handmade.manual_seed(1)
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.9), nn.Linear(16, 3))
    return Classifier("tiny", model, ("crane", "dog", "Crane"), 1, [Resize((4, 4)), ToFloat()])


def test_a_file_and_its_pixels_are_classified_alike(classifier, tmp_path, rng):
    pixels = rng.integers(0, 256, (1, 4, 4)).astype(np.uint8)
    Image.fromarray(pixels[0]).save(tmp_path / "bird.png")
    found = classifier.classify(tmp_path / "bird.png")
    assert found == classifier.classify(str(tmp_path / "bird.png")) == classifier.classify(pixels)
    logits = pixels.reshape(1, 16) / 255 @ classifier.model[2].weight.numpy().T + classifier.model[2].bias.numpy()
    expected = np.exp(logits[0]) / np.exp(logits[0]).sum()
    assert [name for name, _ in found] == [classifier.classes[index] for index in expected.argsort()[::-1]]
    assert [share for _, share in found] == pytest.approx(sorted(expected, reverse=True), rel=1e-5)
    assert classifier.classify(pixels, count=1) == found[:1]
    first, *_ = classifier.describe(tmp_path / "bird.png").split(", ")
    assert first == f"{found[0][0]} {100 * found[0][1]:.1f} %"
    assert classifier.model.training  # as it was


def test_a_count_of_none_is_refused(classifier, rng):
    with pytest.raises(InputError, match="count is 0, expected at least 1"):
        classifier.classify(rng.integers(0, 256, (1, 4, 4)).astype(np.uint8), count=0)


def test_a_class_is_chosen_by_name_or_number(classifier):
    assert classifier.class_number("DOG") == 1
    assert classifier.class_number("2") == 2
    with pytest.raises(InputError, match="the classes 0 and 2 are both called 'crane'; give the number"):
        classifier.class_number("crane")
    listed = r"did you mean 'dog'\? There are 3, from 0 \(crane\) to 2"
    with pytest.raises(InputError, match=f"there is no class 'dgo'; {listed}"):
        classifier.class_number("dgo")
