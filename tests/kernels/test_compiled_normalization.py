"""The compiled loops of the normalisations and of the rectifier against the plain ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handmade.kernels import normalization as kernels
from handmade.kernels import relu
from tests.support.compiled_forms import assert_same, using

pytest.importorskip("numba")

SIZES = st.sampled_from([1, 2, 3, 5, 16, 17, 65, 130])


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(SIZES, st.integers(1, 700), SIZES, st.integers(0, 2**32 - 1))
def test_channels(samples, rows, channels, seed):
    rng = np.random.default_rng(seed)
    x, g = rng.normal(3, 1, size=(2, min(samples, 3), rows, channels)).astype("f4")
    a, b, c = rng.normal(size=(3, len(x), channels)).astype("f4")
    assert_same(kernels.channel_sums, x)
    assert_same(kernels.channel_squares, x, a)
    assert_same(kernels.channel_gradients, g, x, a, tolerance=1e-4)  # of sums that nearly cancel
    assert_same(kernels.scale_channels, x, a, b)
    assert_same(kernels.mix_channels, x, a, g, b, c)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 300), SIZES, st.booleans(), st.booleans(), st.booleans(), st.sampled_from([1e-5, 0.1]),
    st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_rows(rows, features, weighted, biased, centred, eps, seed):
    rng = np.random.default_rng(seed)
    features += 1  # one feature less its mean is zero, and its scale is left to eps alone
    x, g = rng.normal(0.5, 1, size=(2, rows, features)).astype("f4")
    weight, bias = rng.normal(size=(2, features)).astype("f4")
    weight, bias = weight if weighted else None, bias if biased else None
    _, normalised, reciprocal = kernels.normalise_rows.plain(x, weight, bias, eps, centred)
    stretch = float(reciprocal.max()) * (1 if weight is None else float(np.abs(weight).max()))
    arguments = (x, weight, bias, eps, centred)
    assert_same(kernels.normalise_rows, *arguments, tolerance=2e-4, terms=stretch * float(np.abs(x).max()))
    arguments = (g, normalised, reciprocal, weight, centred)
    assert_same(kernels.normalise_rows_backward, *arguments, tolerance=2e-4, terms=stretch * float(np.abs(g).max()))


@pytest.mark.slow
@pytest.mark.parametrize("axes", [(0, 1, 2, 3), (0, 3, 1, 2), (3, 2, 1, 0)])
def test_the_rectifier_in_any_order_of_memory(axes, rng):
    x, g = rng.normal(size=(2, 3, 17, 9, 65)).astype("f4").transpose(0, *(axis + 1 for axis in axes))
    x[0, 0] = [[np.nan]]
    x[1, 1] = 0
    with using("compiled"):
        y = relu.relu(x)
        gradient = relu.relu_backward(g, y)
        part = relu.relu(x[:, ::2])
    np.testing.assert_array_equal(y, np.maximum(x, 0))
    np.testing.assert_array_equal(gradient, np.where(x <= 0, 0, g))
    np.testing.assert_array_equal(part, np.maximum(x[:, ::2], 0))
    assert y.strides == x.strides


def test_the_rectifiers_gradient_of_a_slice_of_channels(rng):
    """The gradient of a part of what was put together: rows in memory that lie apart."""
    whole = rng.normal(size=(3, 5, 7, 65)).astype("f4").transpose(0, 3, 1, 2)  # channels last
    for part in (whole[:, 10:42], whole[:, 3:4], whole[:2, :, 1:3], whole[..., ::2]):
        y = np.maximum(rng.normal(size=np.moveaxis(part, 1, -1).shape).astype("f4"), 0).transpose(0, 3, 1, 2)
        with using("compiled"):
            np.testing.assert_array_equal(relu.relu_backward(part, y), np.where(y <= 0, 0, part))
