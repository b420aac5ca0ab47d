import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from handmade.ops.linear import linear, projection
from tests.support.against_torch import agrees_with_torch

few = settings(max_examples=30, deadline=None, derandomize=True)
F = torch.nn.functional
SIZE = st.integers(1, 6)


@few
@given(leading=st.lists(SIZE, max_size=3), inputs=SIZE, outputs=SIZE)
def test_linear(leading, inputs, outputs):
    rng = np.random.default_rng(0)
    x, weight, bias = rng.normal(size=(*leading, inputs)), rng.normal(size=(outputs, inputs)), rng.normal(size=outputs)
    agrees_with_torch(linear, F.linear, x, weight, bias)
    agrees_with_torch(linear, F.linear, x, weight, None)


@few
@given(leading=st.lists(SIZE, max_size=3), inputs=SIZE, outputs=SIZE)
def test_projection_is_linear_with_the_weight_the_other_way_round(leading, inputs, outputs):
    rng = np.random.default_rng(0)
    x, weight, bias = rng.normal(size=(*leading, inputs)), rng.normal(size=(inputs, outputs)), rng.normal(size=outputs)
    agrees_with_torch(projection, lambda x, weight, bias: F.linear(x, weight.T, bias), x, weight, bias)
    agrees_with_torch(projection, lambda x, weight, bias: F.linear(x, weight.T, bias), x, weight, None)


@pytest.mark.parametrize(("shape", "bias"), [((4, 2), 2), ((4, 3), 3)])
def test_projection_says_what_it_expected(shape, bias):
    with pytest.raises(ValueError, match=r"projection: .* expected \("):
        projection(np.ones(shape), np.ones((3, 2)), np.ones(bias))


def test_linear_of_a_transposed_view(rng):
    x, weight, bias = rng.normal(size=(4, 3, 5)), rng.normal(size=(2, 3)), rng.normal(size=2)
    value, pullback = linear(x.transpose(2, 0, 1), weight, bias)
    np.testing.assert_allclose(value, np.einsum("iaj,oi->jao", x.transpose(1, 0, 2), weight) + bias)
    g = np.moveaxis(rng.normal(size=(2, 4, 5)), 0, -1).swapaxes(0, 1)  # (5, 4, 2), not contiguous
    dx, d_weight, d_bias = (part() for part in pullback(g))
    np.testing.assert_allclose(dx, g @ weight)
    np.testing.assert_allclose(d_weight, np.einsum("jao,aij->oi", g, x))
    np.testing.assert_allclose(d_bias, g.sum((0, 1)))


def test_an_empty_batch():
    value, pullback = linear(np.ones((0, 3)), np.ones((2, 3)), np.ones(2))
    assert value.shape == (0, 2)
    assert [part().shape for part in pullback(value)] == [(0, 3), (2, 3), (2,)]


@pytest.mark.parametrize("shape", [(4,), (2, 4), ()])
def test_input_of_another_size(shape):
    with pytest.raises(ValueError, match=r"linear: input of shape \(.*\) and weight of shape \(2, 3\): expected"):
        linear(np.ones(shape), np.ones((2, 3)), None)


def test_weight_that_is_no_matrix():
    with pytest.raises(ValueError, match=r"weight of shape \(3,\)"):
        linear(np.ones((2, 3)), np.ones(3), None)


def test_bias_of_another_size():
    with pytest.raises(ValueError, match=r"bias has shape \(3,\), expected \(2,\)"):
        linear(np.ones((4, 3)), np.ones((2, 3)), np.ones(3))
