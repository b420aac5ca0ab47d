"""The compiled pooling, and the hyperbolic tangent that stands beside it in LeNet, against the plain forms."""

import numpy as np
import pytest

from handmade.kernels import pooling, tanh
from handmade.kernels.windows import Window
from tests.support.compiled_forms import assert_same, using

pytest.importorskip("numba")

# Images (N, C, H, W), windows, and whether the number of outputs is rounded up.
CASES = [
    ((2, 6, 8, 8), Window((2, 2), (2, 2)), False),
    ((3, 5, 7, 9), Window((3, 2), (2, 3), (1, 1)), True),
    ((1, 17, 9, 8), Window((3, 3), (1, 1), (1, 1), (2, 2)), False),
    ((2, 1, 5, 6), Window((5, 6)), False),
]


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "window", "up"), CASES)
def test_the_maximum(shape, window, up, rng):
    x = rng.integers(-3, 3, shape).astype("f4")  # many are equal
    x[0, 0, 2, 2] = np.nan
    x[-1, -1, :3] = -np.inf
    largest, tap = pooling.max_pool2d.plain(x, window, up)
    with using("compiled", 2):
        y, winner = pooling.max_pool2d(x, window, up)
    np.testing.assert_array_equal(y, largest)
    np.testing.assert_array_equal(winner, tap)
    g = rng.normal(size=y.shape).astype("f4")
    assert_same(pooling.max_pool2d_gradient, g, winner, shape[2:], window)


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "window", "up"), [case for case in CASES if case[1].dilation == (1, 1)])
@pytest.mark.parametrize("include", [False, True])
def test_the_mean(shape, window, up, include, rng):
    x = rng.normal(size=shape).astype("f4")
    assert_same(pooling.avg_pool2d, x, window, up, include)
    g = rng.normal(size=pooling.avg_pool2d(x, window, up, include).shape).astype("f4")
    assert_same(pooling.avg_pool2d_gradient, g, shape[2:], window, include)


@pytest.mark.slow
def test_the_hyperbolic_tangent(rng):
    x, g = rng.normal(scale=3, size=(2, 5, 7, 130)).astype("f4")
    x[0, :4, 0] = 0, 1e-6, 1e4, -1e4
    assert_same(tanh.tanh, x, tolerance=3e-7)
    assert_same(tanh.tanh_backward, g, np.tanh(x), tolerance=1e-6)
