"""Sums as accurate as torch's over any axis, and what is made of them."""

import numpy as np
import pytest
import torch

import handmade
from handmade import nn
from handmade.kernels import sums
from handmade.kernels.sums import total
from tests.support.compiled_forms import assert_same, using


def error(found, x: np.ndarray, axes) -> float:
    exact = x.astype(np.float64).sum(axes)
    return float(np.abs(np.asarray(found) / exact - 1).max())


@pytest.mark.parametrize(
    ("shape", "axes"),
    [((1_000_000, 2), 0), ((100_000, 3), 0), ((4_000_000,), 0), ((50, 3_000, 2), (0, 1)), ((2, 65, 33, 7), (0, 2, 3))],
)
@pytest.mark.parametrize("draw", ["equal", "spread"])
def test_no_less_accurate_than_torch(rng, shape, axes, draw):
    x = np.full(shape, 0.1, np.float32) if draw == "equal" else rng.random(shape, np.float32)
    rounding = 2**-24  # of the result itself, below which nobody can be
    theirs = error(torch.from_numpy(x).sum(axes).numpy(), x, axes)
    assert error(total(x, axes), x, axes) <= 2 * theirs + rounding


def test_every_axis_and_layout(rng):
    x = rng.normal(size=(70, 3, 130, 2)).astype(np.float32)
    for layout in (x, x.transpose(2, 1, 0, 3), x[::2, :, ::-1], np.asfortranarray(x)):
        for axes in (0, -1, (0, 2), (1, 3), (0, 1, 2, 3), ()):
            exact = layout.astype(np.float64).sum(axes, keepdims=True)
            np.testing.assert_allclose(total(layout, axes, keepdims=True), exact, atol=2e-3)


def test_means_deviations_and_running_sums_of_many_rows():
    many = handmade.tensor(np.full((100_000, 3), 33333.334, np.float32))
    np.testing.assert_allclose(many.mean(0).numpy(), 33333.334, rtol=1e-6)
    assert many.std(0).numpy().max() < 0.01
    tenths = handmade.tensor(np.full((1_000_000, 2), 0.1, np.float32))
    np.testing.assert_allclose(tenths.cumsum(0)[-1].numpy(), 100_000, rtol=1e-6)


@pytest.mark.parametrize("make", [lambda b: b.expand(200_000, 2), lambda b: handmade.zeros(200_000, 2) + b])
def test_the_gradient_of_what_was_broadcast(make):
    bias = handmade.zeros(2, requires_grad=True)
    make(bias).backward(np.full((200_000, 2), 0.1, np.float32))
    np.testing.assert_allclose(bias.grad.numpy(), 20_000, rtol=1e-6)


def test_the_gradient_of_a_layers_bias():
    layer = nn.Linear(1, 2)
    layer(handmade.ones(200_000, 1)).backward(np.full((200_000, 2), 0.1, np.float32))
    np.testing.assert_allclose(layer.bias.grad.numpy(), 20_000, rtol=1e-6)


def test_layer_norm_of_equal_numbers_is_zero():
    x = handmade.tensor(np.full((4, 768), 123.456, np.float32))
    assert np.abs(nn.LayerNorm(768)(x).numpy()).max() == 0


def test_compiled_forms(rng):
    pytest.importorskip("numba")
    for shape in ((7, 3), (300, 65), (1000, 513)):
        x, y = rng.normal(size=shape).astype("f4"), rng.normal(size=shape).astype("f4")
        assert_same(sums.total, x, 0, terms=shape[0])
        assert_same(sums.add, x, y, terms=1)
        assert_same(sums.add, x.T, y.T, terms=1)
        with using("compiled", 2):
            z = x.copy()
            sums.add_(z, y)
            np.testing.assert_array_equal(z, x + y)
            sums.add_(z, z)  # its own memory: not for kernels, which promise that arrays do not overlap
            np.testing.assert_array_equal(z, 2 * (x + y))
