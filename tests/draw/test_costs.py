"""Costs of parts, and similarities of words, as pictures."""

import numpy as np
import pytest

from handmade import draw, nn
from handmade.draw.costs import shortened
from handmade.lens import cost, parts_of
from handmade.nn.functional import relu
from tests.support.pictures import assert_readable, written


class Net(nn.Module):
    """Two blocks of a convolution and a norm each, and a layer that reads their maps."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(nn.Sequential(nn.Conv2d(c, 4, 3), nn.BatchNorm2d(4)) for c in (1, 4)))
        self.fc = nn.Linear(4 * 2 * 2, 3)

    def forward(self, x):
        return self.fc(relu(self.blocks(x)).flatten(1))


def test_layers_are_put_together_as_far_as_there_is_no_room():
    from handmade import zeros

    measured = cost(Net(), zeros(1, 1, 6, 6))
    whole, blocks, layers = (parts_of(measured, most) for most in (2, 3, 24))
    assert [part.name for part in whole] == ["blocks", "fc"]
    assert [part.name for part in blocks] == ["blocks.0", "blocks.1", "fc"]
    assert [part.name for part in layers] == ["blocks.0.0", "blocks.0.1", "blocks.1.0", "blocks.1.1", "fc"]
    assert [part.shape for part in blocks] == [(4, 4, 4), (4, 2, 2), (3,)]
    assert [part.parameters for part in blocks] == [9 * 4 + 4 + 8, 9 * 4 * 4 + 4 + 8, 16 * 3 + 3]
    assert [part.multiply_adds for part in blocks] == [9 * 4 * 16, 9 * 4 * 4 * 4, 16 * 3]
    for parts in (whole, blocks, layers):
        assert sum(part.parameters for part in parts) == measured.parameters
        assert sum(part.multiply_adds for part in parts) == measured.multiply_adds


@pytest.mark.slow
def test_each_part_has_two_bars_with_their_numbers(tmp_path):
    parts = [draw.Part("conv", (4, 8, 8), 1_250, 75_000), draw.Part("fc", (10,), 3_750, 0)]
    picture = draw.costs(parts, "net: what its parts cost")
    assert_readable(picture, tmp_path)
    left, right = picture.figure.axes
    assert [bar.get_width() for bar in left.patches] == [1_250, 3_750]
    assert [bar.get_width() for bar in right.patches] == [75_000, 0]
    assert {"1.25 k", "3.75 k", "75.0 k", "fc  10"} <= {text.strip() for text in written(picture)}
    assert picture.caption == ("5,000 parameters, 75 % of them in fc. 75,000 multiply-adds, 100 % of them in conv.")


def test_numbers_are_shortened_to_three_digits():
    assert [shortened(n) for n in (0, 864, 9_408, 86_704_128, 4_089_184_256, 999_499, 999_500)] == [
        "0",
        "864",
        "9.41 k",
        "86.7 M",
        "4.09 G",
        "999 k",
        "1.00 M",
    ]


@pytest.mark.slow
def test_similarities_are_cosines_without_the_diagonal(tmp_path):
    vectors = np.array([[1.0, 0.0], [3.0, 3.0], [0.0, -2.0]])
    picture = draw.similarities(vectors, ["a", "b", "c"], "three words")
    assert_readable(picture, tmp_path)
    axes = picture.figure.axes[0]
    assert axes.xaxis.get_visible()
    assert axes.yaxis.get_visible()
    drawn = axes.images[0].get_array()
    np.testing.assert_allclose(drawn[0], [np.nan, 0.5**0.5, 0.0], atol=1e-12)
    assert "\N{MINUS SIGN}0.71" in written(picture)
    assert picture.caption == "The most similar of these words to each is a: b, b: a, c: a."
