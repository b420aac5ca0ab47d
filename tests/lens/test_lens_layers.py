import pytest

import handmade
from handmade import nn
from handmade.errors import InputError
from handmade.lens import early_and_late
from handmade.lens.hooks import recording
from handmade.lens.layers import maps_of
from handmade.models import ZOO


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "early", "late"),
    [
        ("lenet5", "c1", "c3"),
        ("lenet5-paper", "c1", "c3"),
        ("resnet20", "relu", "layer3"),
        ("resnet18", "relu", "layer4"),
        ("alexnet", "features.1", "features.11"),
        ("googlenet", "conv1", "inception5b"),
    ],
)
def test_the_layers_worth_looking_at(name, early, late):
    entry = ZOO[name]
    assert early_and_late(entry.make(), handmade.zeros(1, *entry.input_shape)) == (early, late)


def test_a_model_without_maps():
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    with pytest.raises(InputError, match="Sequential has no convolution whose maps could be drawn"):
        early_and_late(model, handmade.zeros(1, 3, 2, 2))


def test_maps_of_a_layer_that_gives_none_or_does_not_run():
    model = nn.Sequential({"flat": nn.Flatten(), "last": nn.Linear(12, 2)})
    with recording(model, "last") as outputs:
        model(handmade.zeros(1, 3, 2, 2))
    with pytest.raises(InputError, match="layer 'last' gives an output of shape \\(2,\\), expected maps"):
        maps_of(outputs, "last")
    with pytest.raises(InputError, match="layer 'aux1' does not run when the model is used"):
        maps_of(outputs, "aux1")
