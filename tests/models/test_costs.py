"""The zoo's figures are what the models do: each is built and run once, with its operations watched."""

import numpy as np
import pytest

import handmade
from handmade import lens
from handmade.engine import apply
from handmade.models import ZOO
from handmade.models.card import Cost


def quick(operation, *inputs, **options):
    """Stands in for `apply`: of the expensive operations only the shape is found, and filled with one zero."""
    shape = shape_of(operation.__name__, *inputs, **options)
    if shape is None:
        return apply(operation, *inputs, **options)

    def stand_in(*arrays, **options):
        return np.broadcast_to(np.float32(0), shape), None

    stand_in.__name__ = operation.__name__
    return apply(stand_in, *inputs, **options)


def shape_of(name, x, weight=None, *_, stride=None, padding=None, **options):
    if name == "linear":
        return (*x.shape[:-1], len(weight))
    if name == "projection":
        return (*x.shape[:-1], weight.shape[1])
    if name in ("layer_norm", "gelu_tanh", "scaled_dot_product_attention"):
        return x.shape
    if name == "conv2d":
        padded = [n + 2 * p for n, p in zip(x.shape[2:], padding, strict=True)]
        return (
            len(x),
            len(weight),
            *((n - k) // s + 1 for n, k, s in zip(padded, weight.shape[2:], stride, strict=True)),
        )
    return None


@pytest.fixture
def few_computations(monkeypatch):
    """Large weights stay what the memory held, and what is computed with them is zero."""
    for name in ("uniform_", "normal_", "kaiming_uniform_", "kaiming_normal_", "trunc_normal_"):
        monkeypatch.setattr(
            handmade.nn.init,
            name,
            lambda parameter, *_, **__: parameter.data.fill_(0) if parameter.numel() < 10**6 else parameter,
        )
    for module in ("handmade.engine.tensor", "handmade.nn.functional.arguments"):
        monkeypatch.setattr(f"{module}.apply", quick)


@pytest.mark.slow
@pytest.mark.parametrize("name", ZOO)
@pytest.mark.usefixtures("few_computations")
def test_figures_of_the_cards(name):
    card = ZOO[name]
    cost = lens.cost(card.make(), *card.example())
    assert Cost(cost.multiply_adds, cost.activations, cost.receptive_field) == card.cost
    assert cost.parameters == card.parameters


def test_a_receptive_field_by_hand():
    # VGG-16 (Simonyan & Zisserman 2015): 13 convolutions 3x3 and five poolings 2x2 / 2
    field, step = 1, 1
    for convolutions in (2, 2, 3, 3, 3):
        field += 2 * step * convolutions + step
        step *= 2
    assert ZOO["vgg16"].cost.receptive_field == field == 212
    assert ZOO["lenet5"].cost.receptive_field == 32
