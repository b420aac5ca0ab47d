"""Initialisers by their statistics: bounds and deviations are PyTorch's."""

import math

import numpy as np
import pytest
import torch

import handmade
from handmade import nn, tensor
from handmade.engine import random
from handmade.nn import init


def close(a: float, b: float) -> bool:
    return abs(a - b) <= 0.02 * abs(b)


NORMAL = {
    "normal_": (lambda init, w: init.normal_(w, 0.5, 2.0), 0.5, 2.0),
    "xavier_normal_": (lambda init, w: init.xavier_normal_(w, gain=3.0), 0, 3 * math.sqrt(2 / (20 * 30 + 10 * 30))),
    "kaiming_normal_": (lambda init, w: init.kaiming_normal_(w), 0, math.sqrt(2 / 600)),
    "kaiming_normal_, backward": (
        lambda init, w: init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu"),
        0,
        math.sqrt(2 / 300),
    ),
}
UNIFORM = {
    "uniform_": (lambda init, w: init.uniform_(w), 0, 1),
    "uniform_, bounds": (lambda init, w: init.uniform_(w, -0.25, 2), -0.25, 2),
    "xavier_uniform_": (
        lambda init, w: init.xavier_uniform_(w, gain=2.0),
        -2 * math.sqrt(6 / 900),
        2 * math.sqrt(6 / 900),
    ),
    "kaiming_uniform_": (
        lambda init, w: init.kaiming_uniform_(w, a=math.sqrt(5)),
        -1 / math.sqrt(600),
        1 / math.sqrt(600),
    ),
    "kaiming_uniform_, tanh": (
        lambda init, w: init.kaiming_uniform_(w, mode="fan_out", nonlinearity="tanh"),
        -5 / 3 * math.sqrt(3 / 300),
        5 / 3 * math.sqrt(3 / 300),
    ),
}
SHAPE = (10, 20, 5, 6)  # fan in 20 * 30 = 600, fan out 10 * 30 = 300


@pytest.mark.parametrize("name", NORMAL)
def test_normal_initialisers(name):
    fill, mean, std = NORMAL[name]
    for library, module in ((handmade, init), (torch, torch.nn.init)):
        weight = library.zeros(*SHAPE, requires_grad=True)
        assert fill(module, weight) is weight
        values = weight.detach().numpy()
        assert abs(values.mean() - mean) < 0.05 * std
        assert close(values.std(), std)
        assert 3.2 * std < np.abs(values - mean).max() < 6 * std


@pytest.mark.parametrize("name", UNIFORM)
def test_uniform_initialisers(name):
    fill, low, high = UNIFORM[name]
    for library, module in ((handmade, init), (torch, torch.nn.init)):
        weight = library.zeros(*SHAPE, requires_grad=True)
        assert fill(module, weight) is weight
        values, width = weight.detach().numpy(), high - low
        assert low <= values.min() < low + 0.01 * width
        assert high - 0.01 * width < values.max() <= high
        assert close(values.std(), width / math.sqrt(12))


def test_trunc_normal_keeps_to_its_interval_without_piling_up_at_the_ends():
    ours = init.trunc_normal_(handmade.empty(100, 200), 1.0, 2.0, -1.0, 1.5).numpy()
    theirs = torch.nn.init.trunc_normal_(torch.empty(100, 200), 1.0, 2.0, -1.0, 1.5).numpy()
    assert -1 <= ours.min() < -0.99
    assert 1.49 < ours.max() <= 1.5
    assert close(ours.std(), theirs.std())
    assert abs(ours.mean() - theirs.mean()) < 0.02
    assert len(np.unique(ours)) > 19_000


def test_trunc_normal_refuses_an_interval_that_hardly_any_draw_falls_in():
    with pytest.raises(ValueError, match=r"mean 0\.0 and std 1\.0 hardly ever falls in \[3, 4\]"):
        init.trunc_normal_(handmade.empty(3), a=3, b=4)


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (3, 2, 5), (5, 5)])
def test_orthogonal_rows_or_columns_have_the_length_of_the_gain(shape):
    matrix = init.orthogonal_(handmade.empty(shape, dtype=handmade.float64), gain=1.5).numpy().reshape(shape[0], -1)
    product = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, 1.5**2 * np.eye(len(product)), atol=1e-12)


def test_orthogonal_matrices_have_no_preferred_sign():
    diagonal = [init.orthogonal_(handmade.empty(3, 3)).numpy()[0, 0] for _ in range(200)]
    assert abs(np.mean(np.sign(diagonal))) < 0.25


def test_constants():
    w = handmade.empty(2, 3, requires_grad=True)
    assert (init.constant_(w, 0.25).numpy() == 0.25).all()
    assert (init.ones_(w).numpy() == 1).all()
    assert (init.zeros_(w).numpy() == 0).all()
    assert w.requires_grad


@pytest.mark.parametrize("nonlinearity", ["linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"])
def test_gains(nonlinearity):
    assert init.calculate_gain(nonlinearity) == torch.nn.init.calculate_gain(nonlinearity)
    assert init.calculate_gain("leaky_relu", 0.3) == torch.nn.init.calculate_gain("leaky_relu", 0.3)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match=r"nonlinearity is 'gelu'; expected one of linear, .*leaky_relu"):
        init.calculate_gain("gelu")
    with pytest.raises(ValueError, match="mode is 'fan_avg'; expected 'fan_in' or 'fan_out'"):
        init.kaiming_normal_(handmade.empty(2, 3), mode="fan_avg")


def test_vectors_have_no_fans():
    with pytest.raises(ValueError, match=r"shape \(3,\) has no fan in and fan out"):
        init.xavier_uniform_(handmade.empty(3))
    with pytest.raises(ValueError, match=r"orthogonal_: the tensor has shape \(3,\); expected at least two axes"):
        init.orthogonal_(handmade.empty(3))


def test_initialisers_leave_nothing_on_the_tape_and_repeat_after_a_seed():
    w = tensor(np.zeros((2, 3)), requires_grad=True)
    handmade.manual_seed(5)
    first = init.normal_(w).numpy().copy()
    assert w.is_leaf
    assert w.dtype == handmade.float64
    handmade.manual_seed(5)
    assert (init.normal_(w).numpy() == first).all()


LAYERS = {
    "Linear": lambda nn: nn.Linear(400, 300),
    "Conv1d": lambda nn: nn.Conv1d(40, 300, 5, groups=2),
    "Conv2d": lambda nn: nn.Conv2d(30, 300, (3, 4)),
    "ConvTranspose2d": lambda nn: nn.ConvTranspose2d(30, 300, (3, 4)),
}


def test_nothing_is_drawn_for_weights_that_are_loaded_next():
    state = random.get_state()
    with init.drawing(False):
        for initialise in (init.uniform_, init.normal_, init.trunc_normal_, init.orthogonal_, init.kaiming_normal_):
            assert (initialise(handmade.full((40, 30), 7.0)).numpy() == 0).all()
        assert (nn.LayerNorm(4).weight.numpy() == 1).all()
    assert random.get_state() == state
    assert init.normal_(handmade.zeros(40, 30)).numpy().std() > 0.5


@pytest.mark.parametrize("name", LAYERS)
def test_layers_start_as_pytorchs(name):
    ours, theirs = LAYERS[name](nn), LAYERS[name](torch.nn)
    for parameter in ("weight", "bias"):
        a, b = getattr(ours, parameter).numpy(), getattr(theirs, parameter).detach().numpy()
        assert abs(np.abs(a).max() / np.abs(b).max() - 1) < 0.03
        assert abs(a.std() / b.std() - 1) < (0.02 if parameter == "weight" else 0.15)
        assert abs(a.mean()) < 0.15 * a.std()


def test_embeddings_and_norms_start_as_pytorchs():
    weight = nn.Embedding(200, 100).weight.numpy()
    assert abs(weight.mean()) < 0.03
    assert close(weight.std(), 1)
    for layer in (nn.BatchNorm2d(4), nn.LayerNorm(4), nn.GroupNorm(2, 4)):
        assert layer.weight.tolist() == [1] * 4
        assert layer.bias.tolist() == [0] * 4
