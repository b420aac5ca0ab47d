"""handmade picture: filters, feature maps, Grad-CAM and occlusion of runs and of the zoo's models."""

import sys

import numpy as np
import pytest
from PIL import Image

from tests.support.pictures import colours

FILES = [
    "filters.png",
    "features-c1.png",
    "features-c3.png",
    "grad-cam.png",
    "receptive-field-c1.png",
    "receptive-field-c3.png",
    "gradients.png",
    "occlusion.png",
]


@pytest.fixture
def photo(tmp_path, rng):
    """A photograph, wider than high."""
    path = tmp_path / "photo.jpg"
    Image.fromarray(rng.integers(0, 256, (40, 60, 3)).astype(np.uint8)).save(path)
    return path


@pytest.fixture
def run(handmade, picture_folder, tmp_path):
    """The folder of a run of LeNet that knows dark from light."""
    folder = tmp_path / "run"
    options = ["--data", f"folder:{picture_folder}", "--set", "batch_size=8", "--steps", "2", "--out", folder]
    assert handmade("train", "lenet5", *options).code == 0
    return folder


@pytest.mark.slow
def test_all_pictures_of_a_run(handmade, run, photo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = handmade("picture", run, "--image", photo)
    assert ran.code == 0
    first, *files = ran.out.splitlines()
    assert first.startswith(f"{photo}: ")
    assert first.split(": ")[1].split()[0] in ("dark", "light")
    assert files == [f"pictures/lenet5-photo/{name}" for name in FILES]
    for name in files:
        assert colours(tmp_path / name) > 100
    assert "matplotlib.pyplot" not in sys.modules, "drawing opens no window and leaves no global state"


@pytest.mark.slow
def test_an_untrained_model_is_called_untrained(handmade, photo, tmp_path):
    ran = handmade("picture", "resnet20", "--image", photo, "--what", "filters", "--out", tmp_path / "out")
    assert ran.code == 0
    assert ran.out.startswith(
        "resnet20 is untrained, so its pictures mean nothing: give trained weights with --weights.\n"
    )
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["filters.png", "filters.txt"]


@pytest.mark.slow
def test_published_weights_a_layer_and_a_class(handmade, photo, shared_data, tmp_path):
    weights = shared_data / "weights/resnet20-12fca82f.th"
    options = ["--weights", weights, "--layer", "layer2.0", "--class", "Cat", "--what", "branches, grad-cam, features"]
    ran = handmade("picture", "resnet20", "--image", photo, *options, "--out", tmp_path / "out")
    assert ran.code == 0
    assert "untrained" not in ran.out
    drawn = {path.name for path in (tmp_path / "out").glob("*.png")}
    assert drawn == {"branches.png", "features-layer2.0.png", "grad-cam.png"}
    assert {path.stem for path in (tmp_path / "out").glob("*.txt")} == {path.removesuffix(".png") for path in drawn}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--layer", "sqush"], "no layer 'sqush'; did you mean 'squash'? It has 7: c1, c3, c5, f6, out, pool, squash"),
        (["--layer", "out"], "layer 'out' gives an output of shape (10,), expected maps"),
        (["--class", "12"], "there is no class '12'. There are 10, from 0 (0) to 9 (9)."),
        (["--what", "filters,gradcam"], "--what: there is no 'gradcam'; did you mean 'grad-cam'? There are filters,"),
        (["--what", "branches"], "there is no 'branches' of lenet5: it is drawn of a ResNet, a GPT, a BERT and a"),
        (["--what", "head-ablation"], "there is no 'head-ablation' of lenet5: it is drawn of a GPT, a BERT that fills"),
        (["--image", "nothing.jpg"], "cannot read nothing.jpg: No such file or directory."),
        (["--weights", "nothing.pth"], "no weights file nothing.pth"),
    ],
)
def test_what_makes_no_sense_ends_with_one_sentence(handmade, photo, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    ran = handmade("picture", "lenet5", "--image", photo, *options)
    assert ran.code == 2
    assert message in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"], (
        "nothing is made before all is known to be right"
    )


@pytest.mark.slow
def test_what_does_not_look_at_images(handmade, photo, tmp_path):
    folder = tmp_path / "run"
    trained = handmade("train", "names-gru", "--steps", "1", "--set", "batch_size=4", "--out", folder)
    assert trained.code == 0, trained.err
    ran = handmade("picture", folder, "--image", photo)
    assert ran.code == 2
    assert f"{folder} holds a run of names-gru, which does not classify images." in ran.err
    assert "char-lstm has no published weights" in handmade("picture", "char-lstm", "--image", photo).err
    assert f"{tmp_path} holds no run" in handmade("picture", tmp_path, "--image", photo).err
    assert "is neither the folder of a run nor a model" in handmade("picture", "resnet21", "--image", photo).err


@pytest.mark.slow
def test_a_run_has_weights_of_its_own(handmade, run, photo):
    ran = handmade("picture", run, "--image", photo, "--weights", "resnet20")
    assert ran.code == 2
    assert "is a run and has weights of its own" in ran.err
