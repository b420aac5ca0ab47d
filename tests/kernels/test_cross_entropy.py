"""Softmax-cross-entropy's loops, compiled against plain."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handmade.kernels import cross_entropy as kernels
from tests.support.compiled_forms import assert_same, using

pytest.importorskip("numba")

CLASSES = st.sampled_from([1, 2, 10, 15, 16, 17, 31, 32, 33, 65, 1000])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 60), CLASSES, st.booleans(), st.sampled_from([1, 30]), st.integers(0, 2**32 - 1))
def test_rows_of_any_size(count, classes, smooth, spread, seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(scale=spread, size=(count, classes)).astype("f4")
    rows.flags.writeable = False
    uniform = np.full(classes, 0.1 / classes, "f4") if smooth else None
    largest, factor, share = rows.max(axis=1), *rng.normal(size=(2, count)).astype("f4")
    assert_same(kernels.row_sums, rows, uniform, terms=100)
    assert_same(kernels.row_gradients, rows, largest, factor, uniform, share, terms=1)


@pytest.mark.parametrize("form", ["numpy", "compiled"])
def test_classes_ruled_out_and_numbers_that_are_none(form):
    rows = np.zeros((3, 40), "f4")
    rows[0, ::2], rows[1], rows[2, 7] = -np.inf, -np.inf, np.nan
    with using(form), np.errstate(invalid="ignore"):
        largest, total, _ = kernels.row_sums(rows, None)
        gradient = kernels.row_gradients(rows, largest, np.ones(3, "f4"), None, np.ones(3, "f4"))
    assert (largest[0], total[0]) == (0, 20)
    np.testing.assert_array_equal(gradient[0], [0, 1] * 20)
    assert np.isnan(total[1:]).all()
    assert np.isnan(gradient[1]).all()
    assert np.isnan(gradient[2, 7])
