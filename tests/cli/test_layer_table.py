"""The layers of a model, their parameters and their products."""

import json

import pytest

import handmade as hm
from handmade import nn
from handmade.cli.layers import layers
from handmade.cli.table import table


def test_the_papers_lenet_layer_by_layer(handmade):
    rows = json.loads(handmade("models", "lenet5-paper", "--json").out)
    assert [row["parameters"] for row in rows] == [156, 12, 1516, 32, 48120, 10164, 0]
    assert [row["shape"] for row in rows] == [
        [6, 28, 28],
        [6, 14, 14],
        [16, 10, 10],
        [16, 5, 5],
        [120, 1, 1],
        [84],
        [10],
    ]
    assert rows[0]["multiply_adds"] == 28 * 28 * 6 * 25
    assert rows[2]["multiply_adds"] == 10 * 10 * 60 * 25


def test_the_layers_as_a_table(handmade):
    ran = handmade("models", "lenet5")
    assert ran.code == 0
    assert "LeCun" in ran.out
    assert ran.out.splitlines()[-1].split() == ["total", "61,706", "416,520"]


def test_an_unknown_model_is_told_the_nearest_one(handmade):
    ran = handmade("models", "lenet")
    assert ran.code == 2
    assert "no model is called 'lenet'; did you mean 'lenet5'?" in ran.err


@pytest.mark.parametrize(
    ("layer", "shape", "products"),
    [
        (nn.Conv2d(4, 6, (3, 2), stride=2, groups=2), (4, 9, 8), 4 * 4 * 6 * 2 * 3 * 2),
        (nn.Conv1d(4, 6, 3), (4, 9), 7 * 6 * 4 * 3),
        (nn.ConvTranspose2d(4, 6, 3), (4, 5, 7), 5 * 7 * 4 * 6 * 3 * 3),
        (nn.Linear(5, 3), (2, 5), 2 * 5 * 3),
        (nn.BatchNorm2d(4), (4, 5, 6), 0),
        (nn.MaxPool2d(2), (4, 6, 6), 0),
    ],
)
def test_products_are_counted(layer, shape, products):
    (row,) = layers(layer, hm.randn(1, *shape))
    assert row.multiply_adds == products
    assert row.parameters == sum(parameter.numel() for parameter in layer.parameters())


def test_a_layer_used_twice_runs_twice_and_has_its_parameters_once():
    shared = nn.Linear(3, 3)
    rows = layers(nn.Sequential(shared, nn.Tanh(), shared), hm.randn(1, 3))
    assert [row.parameters for row in rows] == [12, 0, 0]
    assert [row.multiply_adds for row in rows] == [9, 0, 9]


def test_the_model_is_left_as_it_was():
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout())
    layers(model, hm.randn(1, 3))
    assert model.training
    assert model[0].num_batches_tracked.item() == 0
    assert not any(module._forward_hooks for module in model.modules())


def test_tables_put_numbers_to_the_right():
    made = table(("name", "count"), [("a", 1234567), ("longer", 5)])
    assert made.splitlines() == ["name        count", "a       1,234,567", "longer          5"]
