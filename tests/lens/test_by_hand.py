"""Attention step by step is the attention of handmade.attention, for every mask and number of heads."""

import numpy as np
import pytest

from handmade.attention import self_attention
from handmade.errors import InputError
from handmade.lens.by_hand import attention_steps, split_heads, visible_keys


@pytest.mark.parametrize("mask", ["none", "causal", "padding"])
@pytest.mark.parametrize(("S_q", "S_k", "heads"), [(4, 4, 1), (3, 5, 2), (1, 4, 4)])
def test_the_steps_lead_to_attention(rng, mask, S_q, S_k, heads):
    Q, K, V = (split_heads(rng.standard_normal((S, 8)), heads) for S in (S_q, S_k, S_k))
    visible = visible_keys(S_q, S_k, mask, 2)
    steps = attention_steps(Q, K, V, visible)
    output, weights = self_attention(Q, K, V, mask=visible)
    np.testing.assert_allclose(steps.weights, weights, atol=1e-12)
    np.testing.assert_allclose(steps.output, output, atol=1e-12)
    np.testing.assert_allclose(steps.products, np.einsum("hqd,hkd->hqk", Q, K), atol=1e-12)
    np.testing.assert_allclose(steps.scores * np.sqrt(8 / heads), steps.products, atol=1e-12)
    assert (np.isinf(steps.masked) == ~visible).all()
    assert steps.exponentials.max(-1) == pytest.approx(1.0)


def test_a_query_that_sees_nothing_takes_nothing(rng):
    Q, K, V = (rng.standard_normal((1, 3, 4)) for _ in range(3))
    steps = attention_steps(Q, K, V, visible_keys(3, 3, "padding", 0))
    assert not steps.weights.any()
    assert not steps.output.any()


def test_the_last_query_sees_all_keys():
    np.testing.assert_array_equal(visible_keys(2, 3, "causal"), [[1, 1, 0], [1, 1, 1]])


def test_heads_share_the_columns():
    X = np.arange(8.0).reshape(2, 4)
    np.testing.assert_array_equal(split_heads(X, 2), [[[0, 1], [4, 5]], [[2, 3], [6, 7]]])
    with pytest.raises(InputError, match="3 heads cannot share 4 columns"):
        split_heads(X, 3)
