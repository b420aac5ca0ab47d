import numpy as np
import pytest

import handmade
from handmade import nn
from handmade.lens import draw_feature_maps, feature_maps, strongest


def test_what_a_layer_gives_in_evaluation_mode(rng):
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
    image = handmade.tensor(rng.standard_normal((1, 3, 7, 9)).astype(np.float32))
    maps = feature_maps(model, image, "1")
    assert model.training
    with handmade.no_grad():
        expected = model[1].eval()(model[0](image))
    assert np.array_equal(maps, expected.numpy()[0])


def test_the_strongest_channels_in_their_order(rng):
    maps = rng.uniform(-1, 1, (6, 4, 5))
    maps[4, 1, 2], maps[1, 3, 3], maps[3] = 9.0, -11.0, 0.0
    channels, shown = strongest(maps, 2)
    assert channels.tolist() == [1, 4]
    assert np.array_equal(shown, maps[[1, 4]])
    assert len(strongest(maps, 40).channels) == 6


@pytest.mark.slow
@pytest.mark.parametrize(("count", "low"), [(50, 0.0), (3, -1.0), (8, 0.0)])
def test_drawn(tmp_path, rng, count, low):
    path = tmp_path / "maps.png"
    draw_feature_maps(path, rng.uniform(low, 1, (count, 4, 5)), "layer4", rng.random((1, 20, 25)), "a model")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_drawn_when_all_is_dark(tmp_path):
    draw_feature_maps(tmp_path / "maps.png", np.zeros((2, 4, 5)), "relu", np.zeros((3, 20, 25)), "a model")
    assert (tmp_path / "maps.png").exists()
