"""The compiled softmax of attention, GELU and LSTM steps against the plain ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handmade.kernels import attention, gelu, recurrent
from tests.support.compiled_forms import assert_same, using

pytest.importorskip("numba")


def assert_in_place(kernel, *arrays, changed, tolerance=2e-6, others=()):
    """Kernels that change their arguments: `changed` are the places of those that do."""
    results = []
    for count in (1, 3):
        ours = [array.copy() for array in arrays]
        with using("compiled", count):
            kernel(*ours, *others)
        results.append(ours)
    exact = [array.astype("f8") for array in arrays]
    kernel.plain(*exact, *others)
    for i in changed:
        np.testing.assert_array_equal(results[0][i], results[1][i])
        np.testing.assert_allclose(results[0][i], exact[i], rtol=1e-5, atol=tolerance)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 3), st.integers(1, 4), st.integers(1, 40), st.integers(1, 70),
    st.sampled_from(["none", "causal", "keys", "queries", "all", "added"]), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_the_softmax_under_every_mask(batch, heads, queries, keys, kind, seed):
    rng = np.random.default_rng(seed)
    scores = rng.normal(scale=20, size=(batch, heads, queries, keys)).astype("f4")
    mask = {
        "none": None,
        "causal": np.tri(queries, keys, dtype=bool),
        "keys": rng.random((batch, 1, 1, keys)) < 0.6,
        "queries": rng.random((heads, queries, 1)) < 0.6,
        "all": rng.random(scores.shape) < 0.6,
        "added": np.where(rng.random((queries, keys)) < 0.5, -np.inf, 1).astype("f4"),
    }[kind]
    assert_in_place(attention.softmax_, scores, changed=[0], others=(mask,), tolerance=1e-6)
    weights = np.abs(scores)
    assert_in_place(attention.softmax_backward_, scores, weights, changed=[0], others=(0.25,), tolerance=2e-1)


def test_a_row_that_is_nan_stays_nan():
    scores = np.array([[np.nan, 1.0, 2.0], [1.0, 2.0, 3.0]], np.float32)
    with using("compiled"):
        attention.softmax_(scores, None)
    assert np.isnan(scores[0]).all()
    assert not np.isnan(scores[1]).any()


@pytest.mark.parametrize("shape", [(1,), (3, 17, 65), (40, 700)])
def test_gelu(shape, rng):
    x, g = rng.normal(scale=4, size=(2, *shape)).astype("f4")
    assert_same(gelu.gelu_tanh, x)
    _, s = gelu.gelu_tanh.plain(x)
    assert_same(gelu.gelu_tanh_backward, g, x, s)
    x[...] = 1e4
    x[:1] = -1e4
    with using("compiled"):
        value, _ = gelu.gelu_tanh(x)
    np.testing.assert_allclose(value, np.maximum(x, 0), rtol=1e-6, atol=1e-30)


@pytest.mark.parametrize(("batch", "size"), [(1, 1), (5, 17), (32, 256)])
def test_an_lstm_step(batch, size, rng):
    gates, hidden = rng.normal(scale=3, size=(2, batch, 4 * size)).astype("f4")
    old, new, squashed, h = rng.normal(size=(4, batch, size)).astype("f4")
    forward = (gates, hidden, old, new, squashed, h)
    assert_in_place(recurrent.lstm_step, *forward, changed=[0, 3, 4, 5], others=(None,))
    recurrent.lstm_step.plain(*forward, None)
    d, dh, dc = np.empty_like(gates), *rng.normal(size=(2, batch, size)).astype("f4")
    arrays = (d, gates, old, squashed, dh, dc)
    assert_in_place(recurrent.lstm_step_backward, *arrays, changed=[0, 5], others=(None,))
