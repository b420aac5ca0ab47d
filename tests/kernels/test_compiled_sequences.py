"""The compiled softmax of attention, GELU and recurrent sequences against the plain ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handmade.kernels import attention, gelu, gru, recurrent
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


@pytest.mark.slow
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


@pytest.mark.slow
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


SEQUENCES = [(1, 1, 1, False, False), (5, 7, 17, True, True), (4, 13, 20, True, False), (3, 33, 32, False, True)]
"""Steps, sequences, size, whether some are shorter, whether they are read in reverse."""


def assert_same_sequences(forward, backward, gates, states, options, shape):
    """Both passes of a recurrent kernel: `options` follow the weight in both."""
    steps, batch, size, padded, reverse = shape
    rng = np.random.default_rng(steps)
    lengths = np.sort(rng.integers(1, steps + 1, batch))[::-1] if padded else np.full(batch, steps)
    products = rng.normal(size=(steps, batch, gates * size)).astype("f4")
    weight = rng.normal(size=(gates * size, size), scale=size**-0.5).astype("f4")
    initial = list(rng.normal(size=(states, batch, size)).astype("f4"))
    g = rng.normal(size=(steps + states, batch, size)).astype("f4")
    results = []
    for form, count, dtype in (("compiled", 1, "f4"), ("compiled", 3, "f4"), ("numpy", 1, "f8")):
        with using(form, count):
            given = [a.astype(dtype) for a in (products, *initial, weight)]
            first = forward(*given, *options(dtype), lengths, reverse)
            results.append([first, backward(g.astype(dtype), given[-1], lengths, reverse, first)])
    for one, other, exact in zip(*(list(flattened(result)) for result in results), strict=True):
        assert one.dtype == np.float32
        np.testing.assert_array_equal(one, other, err_msg="another number of threads, another result")
        np.testing.assert_allclose(one, exact, rtol=1e-4, atol=2e-5)


def flattened(values):
    for value in values:
        if isinstance(value, tuple | list):
            yield from flattened(value)
        else:
            yield value


@pytest.mark.slow
@pytest.mark.parametrize("shape", SEQUENCES)
def test_sequences_of_an_lstm(shape):
    def backward(g, weight, lengths, reverse, first):
        _, cs, gates, squashed = first
        return recurrent.lstm_backward(g, weight, None, lengths, reverse, cs, gates, squashed)

    assert_same_sequences(recurrent.lstm_forward, backward, 4, 2, lambda _: (None,), shape)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SEQUENCES)
@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_sequences_of_an_rnn(shape, nonlinearity):
    def forward(products, h, weight, lengths, reverse):
        return recurrent.rnn_forward(products, h, weight, lengths, reverse, nonlinearity)

    def backward(g, weight, lengths, reverse, first):
        return recurrent.rnn_backward(g, weight, lengths, reverse, nonlinearity, first[1])

    assert_same_sequences(forward, backward, 1, 1, lambda _: (), shape)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SEQUENCES)
@pytest.mark.parametrize("biased", [False, True])
def test_sequences_of_a_gru(shape, biased):
    bias = np.random.default_rng(5).normal(size=3 * shape[2]) if biased else None

    def backward(g, weight, lengths, reverse, first):
        (before, _), gates, touched = first
        return gru.gru_backward(g, weight, lengths, reverse, before, gates, touched)

    given = lambda dtype: (None if bias is None else bias.astype("f4").astype(dtype),)
    assert_same_sequences(gru.gru_forward, backward, 3, 1, given, shape)
