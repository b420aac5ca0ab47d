"""A unit's receptive field: by the windows what its gradient reaches, and what the picture says of it."""

import numpy as np
import pytest

from handmade import nn
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.lens import draw_receptive_field, receptive_field

draw = np.random.default_rng(5)
IMAGE = draw.uniform(-0.1, 0.1, (1, 2, 15, 11)).astype(np.float32)


class Net(nn.Module):
    """Windows with strides and padding, and two ways that meet again in a block."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 4, (3, 2), stride=(2, 1), padding=(1, 0))
        self.block = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.Tanh())
        self.pool = nn.MaxPool2d(2)
        self.flat = nn.Flatten()

    def forward(self, x):
        x = self.first(x)
        return self.flat(self.pool(self.block(x) + x))


@pytest.fixture(scope="module")
def net():
    model = Net()
    for parameter in model.parameters():
        parameter.array[...] = draw.uniform(0.05, 0.2, parameter.shape)  # no two paths cancel, no tanh is flat
    return model


@pytest.mark.parametrize(("layer", "unit"), [("first", (3, 0, 4)), ("block", (1, 3, 0)), ("block", (0, 7, 9))])
def test_its_gradient_reaches_what_the_windows_allow(net, layer, unit):
    found = receptive_field(net, Tensor(IMAGE), layer, unit)
    reached = np.argwhere(found.gradient > 0)
    for axis, (first, end), size in ((0, found.rows, 15), (1, found.columns, 11)):
        assert (max(first, 0), min(end, size)) == (reached[:, axis].min(), reached[:, axis].max() + 1)


def test_the_gradient_is_that_of_a_small_step(net):
    found = receptive_field(net, Tensor(IMAGE), "block", (2, 4, 5))
    step = 1e-2

    def value(image):
        return receptive_field(net, Tensor(image), "block", (2, 4, 5)).value

    for row, column in ((7, 5), (9, 6), (1, 1)):
        slopes = []
        for colour in range(2):
            up, down = IMAGE.copy(), IMAGE.copy()
            up[0, colour, row, column] += step
            down[0, colour, row, column] -= step
            slopes.append(abs(value(up) - value(down)) / (2 * step))
        assert found.gradient[row, column] == pytest.approx(sum(slopes), rel=5e-3, abs=1e-4)  # float32


def test_without_a_unit_it_is_the_one_that_responds_most(net):
    found = receptive_field(net, Tensor(IMAGE), "block")
    maps = net.block(net.first(Tensor(IMAGE))).array[0]
    assert found.unit == np.unravel_index(maps.argmax(), maps.shape)
    assert found.value == pytest.approx(maps.max())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in net.parameters())


def test_what_is_not_there_is_said(net):
    with pytest.raises(InputError, match="first has no unit 4, 0, 0: its maps are 4 x 8 x 10"):
        receptive_field(net, Tensor(IMAGE), "first", (4, 0, 0))
    with pytest.raises(InputError, match="no layer 'frist'; did you mean 'first'"):
        receptive_field(net, Tensor(IMAGE), "frist")
    with pytest.raises(InputError, match="layer 'flat' gives an output of shape"):
        receptive_field(net, Tensor(IMAGE), "flat")


@pytest.mark.slow
@pytest.mark.parametrize("unit", [(1, 3, 3), (1, 0, 0)])
def test_the_picture_says_how_large_it_is_and_where_half_of_it_lies(net, tmp_path, unit):
    found = receptive_field(net, Tensor(IMAGE), "block", unit)
    draw_receptive_field(tmp_path / "field.png", found, np.abs(IMAGE[0, :1]), "what it sees")
    (top, bottom), (left, right) = found.rows, found.columns
    inside = found.gradient[max(top, 0) : bottom, max(left, 0) : right]
    falling = sorted(inside.ravel(), reverse=True)
    half = next(n for n in range(1, len(falling) + 1) if sum(falling[:n]) >= inside.sum() / 2)
    rows, columns = inside.shape
    said = (tmp_path / "field.txt").read_text()
    assert f"The unit can see {bottom - top} x {right - left} pixels." in said
    assert f"{rows} x {columns} lie in the image: {100 * rows * columns / 165:.0f} % of it" in said
    assert f"rows {max(top, 0)} to {min(bottom, 15) - 1}, columns {max(left, 0)} to {min(right, 11) - 1}." in said
    assert f"Half of its gradient lies on {half} of them, {100 * half / inside.size:.1f} %." in said
