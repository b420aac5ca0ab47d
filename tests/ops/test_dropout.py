import numpy as np
import pytest

from handmade.kernels.dropout import Noise
from handmade.ops.dropout import dropout


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dropped_with_probability_p_and_scaled(rng, dtype):
    x = np.full((300, 400), 3, dtype)
    value, pullback = dropout(x, p=0.3, rng=rng)
    kept = value != 0
    assert value.dtype == dtype
    np.testing.assert_allclose(value[kept], 3 / 0.7, rtol=1e-6)
    assert abs(kept.mean() - 0.7) < 5 * np.sqrt(0.3 * 0.7 / x.size)
    g = rng.normal(size=x.shape).astype(dtype)
    (gradient,) = pullback(g)
    assert gradient.dtype == dtype
    np.testing.assert_allclose(gradient, np.where(kept, g / 0.7, 0), rtol=1e-6)


def test_the_generator_decides(rng):
    x = rng.normal(size=(5, 7))
    first, again, later = (dropout(x, p=0.5, rng=generator)[0] for generator in _generators())
    np.testing.assert_array_equal(first, again)
    assert (first != later).any()


def _generators():
    generator = np.random.default_rng(4)
    yield np.random.default_rng(4)
    yield generator
    yield generator


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_mask_is_what_dropout_multiplies_by(rng, dtype):
    x = rng.normal(size=(50, 70)).astype(dtype)
    mask = Noise.drawn(0.4, np.random.default_rng(4)).mask(x.shape, np.dtype(np.float64))
    value = dropout(x, p=0.4, rng=np.random.default_rng(4))[0]
    np.testing.assert_array_equal(value, (x * mask.astype(dtype)))


def test_nothing_is_dropped_at_p_0(rng):
    x, g = rng.normal(size=(2, 5, 7))
    value, pullback = dropout(x, p=0.0, rng=rng)
    np.testing.assert_array_equal(value, x)
    np.testing.assert_array_equal(pullback(g)[0], g)


def test_everything_is_dropped_at_p_1(rng):
    x, g = rng.normal(size=(2, 5, 7))
    value, pullback = dropout(x, p=1.0, rng=rng)
    assert not value.any()
    assert not pullback(g)[0].any()


@pytest.mark.parametrize("p", [-0.1, 1.5, float("nan")])
def test_p_that_is_no_probability(rng, p):
    with pytest.raises(ValueError, match=f"dropout: p is {p}, expected a probability from 0 to 1"):
        dropout(np.ones(3), p=p, rng=rng)
