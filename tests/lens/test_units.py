"""One unit of a convolution: what it sees by the sizes of its windows is what its gradient reaches."""

import numpy as np
import pytest

from handmade import nn
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.lens import convolutions, unit_of

draw = np.random.default_rng(5)


class Net(nn.Module):
    """Windows of every kind, and two ways that meet again."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 4, (3, 2), stride=(2, 1), padding=(1, 0))
        self.wide = nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=2)
        self.narrow = nn.Conv2d(4, 4, 1, bias=False)
        self.pool = nn.AvgPool2d(2)
        self.last = nn.Conv2d(4, 3, (2, 3), padding="same")

    def forward(self, x):
        x = self.first(x).tanh()
        x = self.pool((self.wide(x) + self.narrow(x)).tanh())
        return self.last(x).mean((2, 3))


@pytest.fixture(scope="module")
def net():
    model = Net()
    for parameter in model.parameters():
        parameter.array[...] = draw.uniform(0.2, 1, parameter.shape)  # no two paths cancel
    return model


IMAGE = draw.uniform(-0.1, 0.1, (1, 2, 15, 11)).astype(np.float32)


@pytest.mark.parametrize(
    ("layer", "unit"),
    [("first", (3, 2, 4)), ("wide", (1, 0, 9)), ("wide", (2, 4, 5)), ("narrow", (0, 7, 0)), ("last", (2, 1, 1)),
     ("last", (0, 3, 4))],
)  # fmt: skip
def test_a_unit_sees_what_its_gradient_reaches(net, layer, unit):
    looked = unit_of(convolutions(net, Tensor(IMAGE))[layer], *unit)
    image = Tensor(IMAGE.copy(), requires_grad=True)
    made = []
    handle = net.get_submodule(layer).register_forward_hook(lambda module, inputs, output: made.append(output))
    net(image)
    handle.remove()
    made[0][0][unit].backward()
    reached = np.argwhere(np.abs(image.grad.array[0]).sum(0) > 0)
    for axis, (first, end), size in ((0, looked.rows, 15), (1, looked.columns, 11)):
        assert (max(first, 0), min(end, size)) == (reached[:, axis].min(), reached[:, axis].max() + 1)
    assert looked.value == pytest.approx(made[0].array[0][unit], rel=1e-6)


@pytest.mark.parametrize(("layer", "unit"), [("first", (3, 0, 4)), ("wide", (3, 0, 9)), ("last", (1, 3, 4))])
def test_a_number_is_its_bias_and_what_each_channel_adds(net, layer, unit):
    looked = unit_of(convolutions(net, Tensor(IMAGE))[layer], *unit)
    assert looked.value == pytest.approx(looked.bias + looked.contributions.sum(), rel=1e-4)
    assert list(looked.channels) == ([2, 3] if layer == "wide" else list(range(len(looked.window))))
    strongest = looked.strongest(2)
    assert abs(looked.contributions[strongest[0]]) == np.abs(looked.contributions).max()


def test_what_is_not_there_is_said(net):
    layers = convolutions(net, Tensor(IMAGE))
    assert list(layers) == ["first", "wide", "narrow", "last"]
    with pytest.raises(InputError, match="first has no unit 4, 0, 0: its maps are 4 x 8 x 10"):
        unit_of(layers["first"], 4, 0, 0)
    with pytest.raises(InputError, match="Tanh has no convolution"):
        convolutions(nn.Tanh(), Tensor(IMAGE))
