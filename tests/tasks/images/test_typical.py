"""An image unlike those of the training is told, and one like them is not."""

import io

import numpy as np
import pytest
from PIL import Image

from handmade import nn
from handmade.data import Resize, ToFloat, load, read_image
from handmade.data.images import decode_image
from handmade.errors import InputError
from handmade.tasks import Classifier
from handmade.tasks.images.preprocessing import ImageFacts
from handmade.tasks.images.typical import Seen, checked, seen_in


@pytest.fixture(scope="module")
def shirts() -> Seen:
    return Seen((28, 28), seen_in(load("fashion-mnist", "train").images))


@pytest.fixture(scope="module")
def unseen() -> np.ndarray:
    return load("fashion-mnist", "test").images[:300]


def test_images_of_the_same_kind_are_hardly_ever_doubted(shirts, unseen):
    assert sum(bool(shirts.doubts(image)) for image in unseen) <= 3


def test_dark_on_light_is_told_and_inverting_is_offered(shirts, unseen, tmp_path):
    told = [shirts.doubts(255 - image) for image in unseen]
    reversed_ = [doubt for doubt in told if doubt and "light on dark, and this one is the reverse" in doubt[0]]
    assert len(reversed_) >= 295
    assert "--invert` exchanges light and dark." in reversed_[0][0]
    photo = Image.fromarray(255 - unseen[0, 0]).resize((300, 400), Image.Resampling.BICUBIC).convert("RGB")
    photo.save(tmp_path / "shirt.jpg")
    pixels = read_image(tmp_path / "shirt.jpg", 1)
    assert "the reverse" in shirts.doubts(pixels)[0]
    assert shirts.doubts(255 - pixels) == []


@pytest.mark.parametrize("kind", ["one pixel", "white", "noise"])
def test_what_is_like_nothing_seen_is_told(shirts, rng, kind):
    pixels = {
        "one pixel": np.full((1, 1, 1), 90),
        "white": np.full((1, 28, 28), 255),
        "noise": rng.integers(0, 256, (1, 28, 28)),
    }[kind].astype(np.uint8)
    (doubt,) = shirts.doubts(pixels)
    assert doubt.startswith("It is unlike all training images, so the answer means little: its ")


def test_an_animation_is_its_first_picture_and_earlier_runs_know_nothing():
    frames = [Image.new("L", (4, 4), grey) for grey in (40, 200)]
    content = io.BytesIO()
    frames[0].save(content, "GIF", save_all=True, append_images=frames[1:])
    assert decode_image(content.getvalue(), "moving.gif", 1)[0, 0, 0] == 40
    facts = ImageFacts(["a"], (1, 28, 28), [0.5], [0.5])
    assert ImageFacts.from_json({k: v for k, v in facts.to_json().items() if k != "seen"}) == facts
    with pytest.raises(InputError, match="two numbers of each measure"):
        checked({name: [0.5] for name in ("brightness", "border", "contrast", "roughness")})


def test_doubts_stand_below_the_answer_and_inverting_ends_them(shirts, unseen, tmp_path):
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 2))
    classifier = Classifier("tiny", model, ("shirt", "bag"), 1, [Resize((28, 28)), ToFloat()], seen_images=shirts)
    Image.fromarray(255 - unseen[0, 0]).save(tmp_path / "shirt.png")
    said = classifier.describe(tmp_path / "shirt.png").split("\n")
    assert said[1].startswith("    The training images are light on dark")
    assert classifier.describe(tmp_path / "shirt.png", invert=True).count("\n") == 0
