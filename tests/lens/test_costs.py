"""What a network costs: counted by hand for small ones, one's own among them."""

import pytest

import handmade as hm
from handmade import lens, nn


@pytest.mark.parametrize(
    ("layer", "shape", "products"),
    [
        (nn.Conv2d(4, 6, (3, 2), stride=2, groups=2), (4, 9, 8), 4 * 4 * 6 * 2 * 3 * 2),
        (nn.Conv1d(4, 6, 3), (4, 9), 7 * 6 * 4 * 3),
        (nn.ConvTranspose2d(4, 6, 3), (4, 5, 7), 5 * 7 * 4 * 6 * 3 * 3),
        (nn.Linear(5, 3), (2, 5), 2 * 5 * 3),
        (nn.LSTM(5, 3, batch_first=True, bidirectional=True), (7, 5), 2 * 7 * 12 * (5 + 3)),
        (nn.GRU(5, 3, num_layers=2, batch_first=True), (7, 5), 7 * 9 * (5 + 3) + 7 * 9 * (3 + 3)),
        (nn.BatchNorm2d(4), (4, 5, 6), 0),
        (nn.MaxPool2d(2), (4, 6, 6), 0),
    ],
)
def test_products_are_counted(layer, shape, products):
    cost = lens.cost(layer, hm.randn(1, *shape))
    (row,) = cost.layers
    assert row.multiply_adds == cost.multiply_adds == products
    assert row.parameters == cost.parameters == sum(parameter.numel() for parameter in layer.parameters())


@pytest.mark.parametrize(
    ("layer", "x", "shape"),
    [
        (nn.Linear(5, 3), hm.zeros(1, 2, 5), (2, 3)),
        (nn.LSTM(5, 3), hm.zeros(7, 1, 5), (7, 3)),  # steps first
        (nn.Embedding(9, 4), hm.zeros(6, dtype=hm.int64), (6, 4)),  # positions, the same for every example
    ],
)
def test_shapes_are_told_without_the_batch_axis_where_there_is_one(layer, x, shape):
    (row,) = lens.cost(layer, x).layers
    assert row.shape == shape


class Own(nn.Module):
    """A network as a learner would write it, with weights of its own and no layer."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(hm.randn(10, 4))
        self.first = nn.Parameter(hm.randn(4, 6))
        self.second = nn.Parameter(hm.randn(3, 6))
        self.gain = nn.Parameter(hm.ones(3))

    def forward(self, tokens: hm.Tensor) -> hm.Tensor:
        hidden = (self.table[tokens] @ self.first).tanh()  # 1 T 4 -> 1 T 6
        scores = hidden @ hidden.mT  # two inputs: no weight
        return hm.einsum("btd,kd->btk", scores @ hidden, self.second) * self.gain


def test_a_network_of_one_s_own():
    cost = lens.cost(Own(), hm.zeros(1, 5, dtype=hm.int64))
    assert cost.multiply_adds == 5 * 4 * 6 + 5 * 3 * 6 + 5 * 3
    assert cost.activations == 5 * (4 + 6 + 6 + 5 + 6 + 3 + 3)
    assert cost.parameters == 40 + 24 + 18 + 3
    assert cost.receptive_field is None
    (row,) = cost.layers
    assert (row.name, row.kind, row.shape) == ("", "Own", (5, 3))


def test_weights_put_together_count_as_many_as_are_learned():
    class Sparse(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(hm.randn(2, 1))
            self.register_buffer("place", hm.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]))

        def forward(self, x: hm.Tensor) -> hm.Tensor:
            return x @ (self.place @ self.weight)  # (1, 3) @ (3, 1), of which two are learned

    assert lens.cost(Sparse(), hm.randn(1, 3)).multiply_adds == 2


def test_a_layer_used_twice_runs_twice_and_has_its_parameters_once():
    shared = nn.Linear(3, 3)
    cost = lens.cost(nn.Sequential(shared, nn.Tanh(), shared), hm.randn(1, 3))
    assert [row.parameters for row in cost.layers] == [12, 0, 0]
    assert [row.multiply_adds for row in cost.layers] == [9, 0, 9]
    assert cost.parameters == 12
    assert cost.multiply_adds == 18


def test_what_runs_between_the_layers_is_the_surrounding_module_s():
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Linear(3, 3)

        def forward(self, x: hm.Tensor) -> hm.Tensor:
            return (x + self.body(x)).relu()

    cost = lens.cost(Residual(), hm.randn(1, 3))
    assert [(row.name, row.activations) for row in cost.layers] == [("body", 3), ("", 6)]
    assert cost.activations == 9


@pytest.mark.parametrize(
    ("layers", "field"),
    [
        ([nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3)], 5),
        ([nn.Conv2d(1, 1, 3, stride=2), nn.Conv2d(1, 1, 3)], 7),
        ([nn.Conv2d(1, 1, 3, dilation=3)], 7),
        ([nn.Conv2d(1, 1, (1, 5)), nn.AvgPool2d(2)], 6),
        ([nn.MaxPool2d(2), nn.ReLU(), nn.MaxPool2d(2)], 4),
        ([nn.Conv2d(1, 1, 1)], 1),
        ([nn.ReLU()], None),
    ],
)
def test_receptive_fields(layers, field):
    assert lens.cost(nn.Sequential(*layers), hm.zeros(1, 1, 16, 16)).receptive_field == field


def test_a_receptive_field_is_what_a_number_depends_on(rng):
    """The gradient of one output reaches a square of the input of that side."""
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(2, 1, 3, dilation=2, padding=2)
    )
    x = hm.tensor(rng.standard_normal((1, 1, 40, 40)), dtype=hm.float32, requires_grad=True)
    for parameter in model.parameters():
        parameter.data.fill_(1.0)
    model(x)[0, 0, 10, 10].backward()
    rows, columns = x.grad.numpy()[0, 0].nonzero()
    side = lens.cost(model, hm.zeros(1, 1, 40, 40)).receptive_field
    assert rows.max() - rows.min() + 1 == columns.max() - columns.min() + 1 == side == 12


def test_the_model_is_left_as_it_was():
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout())
    lens.cost(model, hm.randn(1, 3))
    assert model.training
    assert model[0].num_batches_tracked.item() == 0
    assert model[0].weight.requires_grad
    assert not any(module._forward_hooks for module in model.modules())


def test_the_table():
    cost = lens.cost(nn.Sequential(nn.Conv2d(1, 8, 3), nn.Flatten(), nn.Linear(32, 10)), hm.zeros(1, 1, 4, 4))
    assert str(cost).splitlines() == [
        "layer  type     output shape  parameters  multiply-adds  activations  sees",
        "0      Conv2d   8 x 2 x 2             80            288           32     3",
        "1      Flatten  32                     0              0            0     3",
        "2      Linear   10                   330            320           10     3",
        "total                                410            608           42     3",
    ]
