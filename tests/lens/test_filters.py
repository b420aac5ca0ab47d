import numpy as np
import pytest

from handmade import nn
from handmade.errors import InputError
from handmade.lens import as_images, draw_filters, first_filters
from handmade.models import lenet5, resnet20


def test_the_first_convolution_is_found():
    model = resnet20()
    name, weight = first_filters(model)
    assert name == "conv1"
    assert np.array_equal(weight, model.conv1.weight.numpy())


def test_zero_is_grey_and_the_largest_weight_is_at_an_end(rng):
    weight = rng.standard_normal((4, 3, 5, 2))
    weight[0, 0, 0, 0] = -7.0
    weight[1] = 0
    images = as_images(weight)
    assert images[0, 0, 0, 0] == 0
    assert (images[1] == 0.5).all()
    np.testing.assert_allclose((images[2] - 0.5) * 2 * abs(weight[2]).max(), weight[2])


@pytest.mark.parametrize("model", [nn.Sequential(nn.Linear(3, 2)), nn.Sequential(nn.Conv2d(5, 2, 3))])
def test_a_model_without_filters_on_images(model):
    with pytest.raises(InputError, match="Sequential has no first convolution on images"):
        first_filters(model)


@pytest.mark.slow
@pytest.mark.parametrize("model", [lenet5(), resnet20(), nn.Conv2d(3, 35, (2, 3))])
def test_drawn(tmp_path, model):
    path = tmp_path / "filters.png"
    draw_filters(path, nn.Sequential(model), "a model")
    assert path.read_bytes().startswith(b"\x89PNG")
