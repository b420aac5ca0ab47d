"""Attention in blocks against the plain form: any sizes, masks, memory and threads."""

from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handmade.kernels import attention as kernels
from handmade.kernels.dropout import Noise
from handmade.ops.attention import causal_mask
from tests.support.compiled_forms import using

pytest.importorskip("numba")

SIZES = st.sampled_from([2, 3, 5, 8, 23, 24, 25, 47, 64, 70])
WIDTHS = st.sampled_from([1, 3, 8, 15, 16, 17, 33])


def drawn(rng, batch, queries, keys, width, v_width):
    """Query, key, value and the output's gradient, as views of other memory, which is read-only."""
    shapes = [(*batch, queries, width), (*batch, keys, width), (*batch, keys, v_width), (*batch, queries, v_width)]
    for shape in shapes:
        memory = rng.normal(size=(shape[0], shape[2], shape[1], shape[3] + 3)).astype("f4")  # rows, then heads
        memory.flags.writeable = False
        yield memory.transpose(0, 2, 1, 3)[..., 1:-2]


def run(form, threads, g, *arguments):
    forward, backward = cast(Any, kernels.attention), cast(Any, kernels.attention_backward)
    with using(form, threads):
        output, kept = forward(*arguments)
        return [output, *backward(g, *arguments, output, kept)], kept


def assert_forms_agree(g, *arguments, tolerance=2e-5):
    """The same to rounding in both forms, and to the bit on any number of threads."""
    (blocks, kept), (again, _) = run("compiled", 1, g, *arguments), run("compiled", 3, g, *arguments)
    assert kept.limits is not None, "the plain form ran"
    wide = [x.astype("f8") if isinstance(x, np.ndarray) and x.dtype == np.float32 else x for x in (g, *arguments)]
    plain, _ = run("numpy", 1, *wide)
    for one, other, right in zip(blocks, again, plain, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.shape == right.shape
        size = np.sqrt(np.mean(np.square(right)))
        # sums of some hundred products of normal numbers, rounded at 6e-8 of terms of size 1 to 10, which may cancel
        np.testing.assert_allclose(one, right, rtol=0, atol=tolerance * max(size, 1))


@settings(max_examples=20, deadline=None)
@given(
    st.tuples(st.integers(1, 2), st.integers(1, 3)), SIZES, SIZES, WIDTHS, WIDTHS,
    st.sampled_from(["causal", "random", "by sample", "nothing", "prefix"]), st.sampled_from([0.0, 0.4]),
    st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_any_sizes(batch, queries, keys, width, v_width, kind, p, seed):
    rng = np.random.default_rng(seed)
    query, key, value, g = drawn(rng, batch, queries, keys, width, v_width)
    mask = {
        "causal": causal_mask(queries, keys),
        "random": rng.random((queries, keys)) < 0.3,
        "by sample": rng.random((batch[0], 1, queries, keys)) < 0.8,
        "nothing": np.zeros((queries, keys), bool),
        "prefix": np.broadcast_to(np.arange(keys) < max(1, keys // 3), (queries, keys)),
    }[kind]
    noise = Noise.drawn(p, rng) if p else None
    assert_forms_agree(g, query, key, value, mask, width**-0.5, noise)


def test_scores_of_any_size_and_one_that_is_no_number(rng):
    query, key, value, g = drawn(rng, (1, 2), 70, 70, 8, 8)
    # scores up to 2,000 are rounded at 1e-4, which is the weights' relative error
    assert_forms_agree(g, query * 200, key, value, causal_mask(70, 70), -1.0, None, tolerance=1e-3)
    query = query.copy()
    query[0, 1, 40, 3] = np.nan
    with using("compiled"):
        output, _ = kernels.attention(query, key, value, causal_mask(70, 70), 1.0, None)
    assert np.isnan(output[0, 1, 40]).all()
    assert np.isfinite(np.delete(output[0, 1], 40, axis=0)).all()
    assert np.isfinite(output[0, 0]).all()


def test_where_blocks_do_not_pay_the_weights_are_kept(rng):
    query, key, value, _ = drawn(rng, (1, 2), 70, 70, 8, 8)
    some_keys = rng.random((1, 1, 1, 70)) < 0.5
    with using("compiled"):
        for mask in (None, some_keys, np.zeros((70, 70), "f4"), np.ones((), bool)):
            assert kernels.attention(query, key, value, mask, 1.0, None)[1].weights is not None


def test_the_plain_way_back_makes_the_weights_that_blocks_did_not_keep(rng):
    query, key, value, g = drawn(rng, (1, 2), 70, 70, 8, 8)
    arguments = (query, key, value, causal_mask(70, 70), 0.3, Noise.drawn(0.2, rng))
    with using("compiled"):
        output, kept = kernels.attention(*arguments)
        blocks = kernels.attention_backward(g, *arguments, output, kept)
    for one, other in zip(blocks, kernels.attention_backward.plain(g, *arguments, output, kept), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)
