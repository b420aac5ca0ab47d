"""Letters: N samples, H heads, S_q queries, S_k keys, d_k and d_v numbers in a key and a value."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from handmade.kernels.dropout import Noise
from handmade.ops.attention import attention_weights, causal_mask, scaled_dot_product_attention
from tests.support.against_torch import agrees_with_torch, run

few = settings(max_examples=30, deadline=None, derandomize=True)
SIZE = st.integers(1, 5)
attention = torch.nn.functional.scaled_dot_product_attention


def inputs(rng, leading=(2, 3), S_q=4, S_k=5, d_k=6, d_v=7):
    shapes = [(*leading, S_q, d_k), (*leading, S_k, d_k), (*leading, S_k, d_v)]
    return [rng.normal(size=shape) for shape in shapes]


def weights_in_torch(query, key, mask=None, scale=None):
    scores = query @ key.mT * (query.shape[-1] ** -0.5 if scale is None else scale)
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else scores + mask
    return torch.softmax(scores, -1)


@few
@given(leading=st.lists(SIZE, max_size=3), S_q=SIZE, S_k=SIZE, d_k=SIZE, d_v=SIZE)
def test_attention(leading, S_q, S_k, d_k, d_v):
    query, key, value = inputs(np.random.default_rng(0), leading, S_q, S_k, d_k, d_v)
    agrees_with_torch(scaled_dot_product_attention, attention, query, key, value)
    agrees_with_torch(attention_weights, weights_in_torch, query, key)


def test_a_given_scale(rng):
    query, key, value = inputs(rng)
    theirs = lambda q, k, v: attention(q, k, v, scale=0.3)
    agrees_with_torch(scaled_dot_product_attention, theirs, query, key, value, scale=0.3)
    theirs = lambda q, k: weights_in_torch(q, k, scale=0.3)
    agrees_with_torch(attention_weights, theirs, query, key, scale=0.3)


@pytest.mark.parametrize("shape", [(4, 5), (4, 1), (5,), (3, 4, 5), (2, 1, 1, 5), (2, 3, 4, 5)])
def test_boolean_masks_of_every_shape_that_broadcasts(rng, shape):
    mask = rng.random(shape) < 0.6
    mask[..., 0] = True
    query, key, value = inputs(rng)
    theirs = lambda q, k, v: attention(q, k, v, torch.tensor(np.atleast_2d(mask)))
    agrees_with_torch(scaled_dot_product_attention, theirs, query, key, value, mask=mask)
    agrees_with_torch(attention_weights, lambda q, k: weights_in_torch(q, k, torch.tensor(mask)), query, key, mask=mask)


@pytest.mark.parametrize("shape", [(4, 5), (2, 1, 4, 5)])
def test_masks_that_are_added(rng, shape):
    mask = np.where(rng.random(shape) < 0.7, rng.normal(size=shape), -np.inf)
    mask[..., 1] = 0.5
    query, key, value = inputs(rng)

    def ours(q, k, v):
        return scaled_dot_product_attention(q, k, v, mask=mask.astype(q.dtype))

    agrees_with_torch(ours, lambda q, k, v: attention(q, k, v, torch.tensor(mask, dtype=q.dtype)), query, key, value)


@pytest.mark.parametrize(("S_q", "S_k"), [(4, 4), (3, 5), (5, 3)])
def test_causal_mask_from_the_first_query_as_in_torch(rng, S_q, S_k):
    query, key, value = inputs(rng, S_q=S_q, S_k=S_k)
    theirs = lambda q, k, v: attention(q, k, v, is_causal=True)
    agrees_with_torch(scaled_dot_product_attention, theirs, query, key, value, mask=causal_mask(S_q, S_k))


def test_causal_mask_up_to_the_last_query():
    expected = [[True, True, True, False, False], [True, True, True, True, False], [True, True, True, True, True]]
    np.testing.assert_array_equal(causal_mask(3, 5, offset=2), expected)


def test_one_key_for_all_heads(rng):
    query, key, value = inputs(rng)
    agrees_with_torch(scaled_dot_product_attention, attention, query, key[:, :1], value[:1])
    agrees_with_torch(attention_weights, weights_in_torch, query[0, 0], key)


def test_heads_that_are_views(rng):
    joint = rng.normal(size=(2, 5, 3, 3, 4))  # N S 3 H d, as one linear layer gives query, key and value
    query, key, value = (joint[:, :, i].swapaxes(1, 2) for i in range(3))
    agrees_with_torch(scaled_dot_product_attention, attention, query, key, value)


def test_dropout_of_the_weights(rng):
    query, key, value = inputs(rng)
    noise = Noise.drawn(0.4, rng)
    mask = noise.mask_of_rows((2, 3, 4, 5), np.dtype(np.float64))

    def ours(q, k, v):
        return scaled_dot_product_attention(q, k, v, dropout=noise)

    def theirs(q, k, v):
        return (weights_in_torch(q, k) * torch.tensor(mask, dtype=q.dtype)) @ v

    agrees_with_torch(ours, theirs, query, key, value)


@pytest.mark.parametrize("added", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_query_that_may_look_nowhere_gives_zeros(rng, added, dtype):
    query, key, value = (x.astype(dtype) for x in inputs(rng))
    mask = rng.random((2, 1, 4, 5)) < 0.7
    mask[..., 0] = True
    mask[1, 0, 2] = False
    given_mask = np.where(mask, 0, -np.inf).astype(dtype) if added else mask
    output, gradients, cotangent = run(scaled_dot_product_attention, [query, key, value], {"mask": given_mask})
    weights, _ = attention_weights(query, key, mask=given_mask)
    assert not output[1, :, 2].any()
    assert not weights[1, :, 2].any()
    assert not gradients[0][1, :, 2].any()
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    # and all else is as if that query were not there
    seen = np.array([0, 1, 3])
    rest = {"mask": mask[1:, :, seen]}
    value_without, pullback = scaled_dot_product_attention(query[1:, :, seen], key[1:], value[1:], **rest)
    _, d_key, d_value = (p() if callable(p) else p for p in pullback(cotangent[1:, :, seen]))
    np.testing.assert_allclose(output[1:, :, seen], value_without, rtol=1e-5)
    np.testing.assert_allclose(gradients[1][1:], d_key, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(gradients[2][1:], d_value, rtol=1e-4, atol=1e-6)


def test_nothing_may_be_seen_at_all(rng):
    query, key, value = inputs(rng)
    output, gradients, _ = run(scaled_dot_product_attention, [query, key, value], {"mask": np.zeros((4, 5), bool)})
    assert not output.any()
    assert not any(gradient.any() for gradient in gradients)


def test_logits_of_10000_in_float32(rng):
    query, key, value = (x.astype(np.float32) for x in inputs(rng))
    query *= 1e4
    output, gradients, _ = run(scaled_dot_product_attention, [query, key, value], {"scale": 1.0})
    best = (query @ key.swapaxes(-1, -2)).argmax(-1)
    np.testing.assert_allclose(output, np.take_along_axis(value, best[..., None], -2), rtol=1e-5)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize("operation", [scaled_dot_product_attention, attention_weights])
def test_queries_and_keys_of_different_sizes(operation):
    value = [np.ones((5, 7))] if operation is scaled_dot_product_attention else []
    with pytest.raises(ValueError, match=r"query \(4, 6\) and key \(5, 3\) must have rows of the same size"):
        operation(np.ones((4, 6)), np.ones((5, 3)), *value)


def test_keys_and_values_of_different_number():
    with pytest.raises(ValueError, match=r"key \(5, 6\) and value \(4, 7\) must have equally many rows"):
        scaled_dot_product_attention(np.ones((4, 6)), np.ones((5, 6)), np.ones((4, 7)))


def test_mask_that_does_not_broadcast(rng):
    query, key, value = inputs(rng)
    for shape in [(5, 4), (2, 4, 5), (1, 2, 3, 4, 5)]:
        with pytest.raises(ValueError, match=r"does not broadcast to the scores \(2, 3, 4, 5\)"):
            scaled_dot_product_attention(query, key, value, mask=np.ones(shape, bool))


@pytest.mark.parametrize("dtype", [np.int64, np.float32])
def test_mask_of_another_type(rng, dtype):
    query, key, value = inputs(rng)
    with pytest.raises(TypeError, match=f"mask is {np.dtype(dtype)}, expected bool .* or float64"):
        scaled_dot_product_attention(query, key, value, mask=np.ones((4, 5), dtype))
