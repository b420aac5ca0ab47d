"""Winograd's transforms are exact in exact numbers; in float32 their rounding is small; they can be switched off."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from handmade.kernels import convolution
from handmade.kernels.compiled import winograd, winograd_weight
from handmade.kernels.compiled import winograd_transforms as transforms
from handmade.kernels.windows import Window
from tests.support.compiled_forms import assert_same, using

pytest.importorskip("numba")

ROUNDING = 2e-4
"""Of the outputs' deviation: B^T and A^T multiply by up to 5 and 8, twice each, before most of it cancels."""


def matrix(transform, size):
    """The matrix of a one-dimensional transform, from what it makes of the unit vectors."""
    return np.array([transform(list(row)) for row in np.eye(size)]).T


def test_the_transforms_make_a_convolution(rng):
    x, w = rng.normal(size=(6, 6)), rng.normal(size=(3, 3))
    product = np.array(transforms.two_dimensions(transforms.input_transform, list(x)))
    product *= np.array(transforms.two_dimensions(transforms.filter_transform, list(w)))
    y = np.array(transforms.two_dimensions(transforms.output_transform, list(product)))
    expected = [[(x[i : i + 3, j : j + 3] * w).sum() for j in range(4)] for i in range(4)]
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)


def test_the_gradients_transforms_are_adjoints():
    for forward, size, backward, back_size in [
        (transforms.output_transform, 6, transforms.gradient_transform, 4),
        (transforms.filter_transform, 3, transforms.weight_transform, 6),
    ]:
        np.testing.assert_allclose(matrix(backward, back_size), matrix(forward, size).T, atol=1e-15)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(
    st.integers(1, 3), st.sampled_from([32, 64, 96]), st.sampled_from([64, 128]), st.integers(4, 15),
    st.integers(4, 15), st.integers(0, 2), st.integers(0, 3), st.integers(0, 2**32 - 1),
)  # fmt: skip
@example(3, 32, 128, 15, 15, 1, 1, 0)  # three slices and 16 vectors of filters: parts of 5, 5 and 6
@example(1, 96, 64, 15, 13, 0, 2, 0)  # strips of two and of one row of squares, cut by the image's edges
def test_all_three_products(images, channels, filters, height, width, above, beside, seed):
    rng, window = np.random.default_rng(seed), Window((3, 3), padding=(above, beside))
    x = rng.normal(size=(images, channels, height + 2, width + 2)).astype("f4")
    weight = rng.normal(size=(filters, channels, 3, 3)).astype("f4")
    bias = rng.normal(size=filters).astype("f4")
    outputs = window.output_size(x.shape[2:])
    g = rng.normal(size=(images, filters, *outputs)).astype("f4")
    assert winograd.applies(window, channels, filters, 1, outputs)
    assert winograd_weight.applies(channels, filters)
    assert_same(convolution.conv2d, x, weight, bias, window, tolerance=ROUNDING)
    assert_same(convolution.conv2d, x, weight, None, window, tolerance=ROUNDING)
    assert_same(convolution.conv2d_weight_gradient, x, g, window, tolerance=ROUNDING)
    weight = rng.normal(size=(channels, filters, 3, 3)).astype("f4")  # the input's gradient exchanges the axes
    g = rng.normal(size=(images, channels, *outputs)).astype("f4")
    assert_same(convolution.conv2d_input_gradient, g, weight, x.shape[2:], window, tolerance=ROUNDING)


@pytest.mark.parametrize(("size", "channels"), [(56, 64), (28, 128), (14, 256)])
def test_the_rounding_in_a_networks_layer(size, channels, rng):
    window = Window((3, 3), padding=(1, 1))
    x = rng.normal(size=(1, channels, size, size)).astype("f4")
    weight = rng.normal(size=(channels, channels, 3, 3)).astype("f4")
    with using("compiled"):
        error = convolution.conv2d(x, weight, None, window) - convolution.conv2d.plain(
            x.astype("f8"), weight.astype("f8"), None, window
        )
    deviation = np.sqrt(9 * channels)
    assert abs(error).max() < ROUNDING * deviation
    assert error.std() < 1e-5 * deviation


def test_it_can_be_switched_off(rng, monkeypatch):
    window = Window((3, 3), padding=(1, 1))
    x, weight = rng.normal(size=(2, 64, 12, 12)).astype("f4"), rng.normal(size=(64, 64, 3, 3)).astype("f4")
    with using("compiled"):
        transformed = convolution.conv2d(x, weight, None, window)
        monkeypatch.setenv("HANDMADE_WINOGRAD", "0")
        direct = convolution.conv2d(x, weight, None, window)
    assert not np.array_equal(transformed, direct)
    assert_same(convolution.conv2d, x, weight, None, window, tolerance=1e-5)
    monkeypatch.setenv("HANDMADE_WINOGRAD", "off")
    with pytest.raises(ValueError, match="HANDMADE_WINOGRAD is 'off', expected 0 or 1"):
        winograd.is_on()
