import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from handmade.ops.softmax import log_softmax, logsumexp, softmax
from tests.support.against_torch import agrees_with_torch, run

few = settings(max_examples=30, deadline=None, derandomize=True)
INF = np.inf
LARGE = [[1e4, -1e4, 9999, 0], [-1e4, -1e4 - 1, -1e4 + 2, -2e4], [-INF, 1, -INF, 2], [-INF, -INF, 3, -INF]]
OPERATIONS = [(softmax, torch.softmax), (log_softmax, torch.log_softmax)]


@few
@given(shape=st.lists(st.integers(1, 5), min_size=1, max_size=4), data=st.data())
def test_softmax_and_its_logarithm_along_any_axis(shape, data):
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = np.random.default_rng(0).normal(0, 3, shape)
    for ours, theirs in OPERATIONS:
        agrees_with_torch(ours, lambda x, theirs=theirs: theirs(x, dim), x, dim=dim)


@few
@given(shape=st.lists(st.integers(1, 5), min_size=1, max_size=4), keepdim=st.booleans(), data=st.data())
def test_logsumexp_over_any_axes(shape, keepdim, data):
    dim = tuple(data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1)))
    x = np.random.default_rng(0).normal(0, 3, shape)
    agrees_with_torch(logsumexp, lambda x: torch.logsumexp(x, dim, keepdim), x, dim=dim, keepdim=keepdim)


def test_logsumexp_over_one_axis_from_the_end(rng):
    agrees_with_torch(logsumexp, lambda x: torch.logsumexp(x, -2), rng.normal(size=(3, 4, 5)), dim=-2)


@pytest.mark.parametrize("row", LARGE)
def test_large_and_infinite_logits(row):
    x = np.array([row, [1.0, 2.0, 3.0, 4.0]])
    for ours, theirs in OPERATIONS:
        agrees_with_torch(ours, lambda x, theirs=theirs: theirs(x, 1), x, dim=1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("row", LARGE)
def test_logsumexp_of_large_and_infinite_logits(row, dtype):
    x = np.array([row, [1.0, 2.0, 3.0, 4.0]], dtype)
    value, (gradient,), cotangent = run(logsumexp, [x], {"dim": (1,)})
    np.testing.assert_allclose(value, torch.logsumexp(torch.tensor(x), 1).numpy(), rtol=1e-6)
    np.testing.assert_allclose(gradient, softmax(x, dim=1)[0] * cotangent[:, None], rtol=1e-5)


@pytest.mark.parametrize("operation", [softmax, log_softmax])
def test_a_row_of_minus_infinity_is_nan_and_the_others_are_not(operation):
    value, _ = operation(np.array([[-INF, -INF], [0.0, 1.0]]), dim=1)
    np.testing.assert_array_equal(np.isnan(value), [[True, True], [False, False]])


def test_logsumexp_of_minus_infinity_has_no_gradient():
    value, (gradient,), cotangent = run(logsumexp, [np.array([[-INF, -INF], [0.0, 0.0]])], {"dim": (1,)})
    np.testing.assert_allclose(value, [-INF, np.log(2)])
    np.testing.assert_allclose(gradient, [[0, 0], [cotangent[1] / 2] * 2])


def test_logsumexp_of_infinity_is_infinity():
    value, _ = logsumexp(np.array([[INF, 1000.0, 0.0]]), dim=(1,))
    assert value == INF
