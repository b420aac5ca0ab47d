"""handmade models: the zoo, and each model layer by layer."""

import json

import pytest

from handmade.tables import table


@pytest.mark.slow
def test_the_papers_lenet_layer_by_layer(handmade):
    rows = json.loads(handmade("models", "lenet5-paper", "--json").out)
    assert [row["parameters"] for row in rows] == [156, 12, 1516, 32, 48120, 10164, 0, 0]
    assert [row["shape"] for row in rows] == [
        [6, 28, 28],
        [6, 14, 14],
        [16, 10, 10],
        [16, 5, 5],
        [120, 1, 1],
        [84],
        [10],
        [10],
    ]
    assert rows[0]["multiply_adds"] == 28 * 28 * 6 * 25
    assert rows[2]["multiply_adds"] == 10 * 10 * 60 * 25
    assert [row["receptive_field"] for row in rows] == [5, 6, 14, 16, 32, 32, 32, 32]


def test_the_layers_as_a_table(handmade):
    ran = handmade("models", "lenet5")
    assert ran.code == 0
    assert "LeCun" in ran.out
    assert ran.out.splitlines()[-1].split() == ["total", "61,706", "416,520", "14,602", "32"]


def test_an_unknown_model_is_told_the_nearest_one(handmade):
    ran = handmade("models", "lenet")
    assert ran.code == 2
    assert "no model is called 'lenet'; did you mean 'lenet5'?" in ran.err


def test_tables_put_numbers_to_the_right():
    made = table(("name", "count"), [("a", 1234567), ("longer", 5)])
    assert made.splitlines() == ["name        count", "a       1,234,567", "longer          5"]
