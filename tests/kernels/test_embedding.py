"""An embedding's gradient, compiled against plain."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handmade.kernels import embedding as kernels
from tests.support.compiled_forms import assert_same, using

pytest.importorskip("numba")


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 300), st.sampled_from([1, 3, 16, 65, 130]), st.integers(1, 200), st.integers(0, 2**32 - 1))
def test_uses_of_any_number(uses, width, rows, seed):
    rng = np.random.default_rng(seed)
    memory = rng.normal(size=(uses, 2 * width)).astype("f4")
    memory.flags.writeable = False
    indices = (rows * rng.random(uses) ** 3).astype(np.int64)  # the first rows more often
    assert_same(kernels.add_rows, memory[:, ::2], indices, rows, terms=10)


@pytest.mark.parametrize("kind", ["i4", "u1", "i8"])
def test_a_row_that_is_used_100_000_times_loses_no_digits(kind, rng):
    g = rng.normal(1, 1, size=(100_000, 3)).astype("f4")
    with using("compiled"):
        total = kernels.add_rows(g, np.full(len(g), 1, kind), 3)
    np.testing.assert_allclose(total[1], g.sum(axis=0, dtype="f8"), rtol=1e-5)
    assert not total[[0, 2]].any()
