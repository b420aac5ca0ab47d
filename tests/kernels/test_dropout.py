"""Dropout's counted random numbers: those of Random123, and the same in both forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from handmade.kernels.dropout import GROUP, Noise, dropped, philox, words
from tests.support.compiled_forms import assert_same

DIGITS_OF_PI = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0)


@pytest.mark.parametrize(
    ("counter", "key", "expected"),  # the known answers of Salmon and others' library for 7 rounds
    [
        ((0, 0, 0, 0), (0, 0), (0x5F6FB709, 0x0D893F64, 0x4F121F81, 0x4F730A48)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x5207DDC2, 0x45165E59, 0x4D8EE751, 0x8C52F662)),
        (DIGITS_OF_PI[:4], DIGITS_OF_PI[4:], (0x4DFCCABA, 0x190A87F0, 0xC47362BA, 0xB6B5242A)),
    ],
)
def test_known_answers(counter, key, expected):
    assert tuple(int(word[0]) for word in philox(tuple(np.array([c], np.uint64) for c in counter), key)) == expected


def test_words_are_uniform_and_differ_by_key_and_place():
    drawn = words((1, 2), 0, 4000) / 2**32
    counts, _ = np.histogram(drawn, 64, (0, 1))
    expected = drawn.size / 64
    assert np.square(counts - expected).sum() / expected < 63 + 5 * np.sqrt(2 * 63)  # chi squared of 63 degrees
    assert abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 5 / np.sqrt(drawn.size)
    other = words((1, 3), 0, 4000) / 2**32
    assert abs(np.corrcoef(drawn, other)[0, 1]) < 5 / np.sqrt(drawn.size)
    assert_array_equal(words((1, 2), 7, 3), words((1, 2), 0, 10)[7 * GROUP :])
    assert (words((1, 2), 1 << 30, 1) != words((1, 2), 0, 1)).all()  # counters beyond 32 bits


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 9000), st.sampled_from([0.0, 0.1, 0.5, 0.999, 1.0]), st.integers(0, 2**32 - 1))
def test_the_compiled_form_drops_the_same(size, p, seed):
    pytest.importorskip("numba")
    rng = np.random.default_rng(seed)
    assert_same(dropped, rng.normal(size=size).astype("f4"), Noise.drawn(p, rng))


def test_places_are_counted_row_by_row_whatever_the_memory(rng):
    x, noise = rng.normal(size=(40, 50)).astype("f4"), Noise.drawn(0.5, rng)
    x.flags.writeable = False
    assert_array_equal(dropped(x.T, noise), dropped(np.ascontiguousarray(x.T), noise))
    assert_array_equal(dropped(x.T, noise), dropped.plain(x.T, noise))
    assert dropped(np.ones((), "f4"), noise).shape == ()


def test_rows_that_begin_with_a_group_of_their_own(rng):
    noise = Noise.drawn(0.5, rng)
    rows = noise.mask_of_rows((2, 3, 40), np.dtype(np.float32))
    assert rows.shape == (2, 3, 40)
    assert_array_equal(rows[1, 0], noise.mask((6, 2 * GROUP), np.dtype(np.float32))[3, :40])
