"""The two functions that a learner must be able to write: plain and full form agree, with PyTorch and with the idea."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

import handmade
from handmade import multi_head_attention, self_attention, tensor
from handmade.attention import plain_multi_head_attention, plain_self_attention


def qkv(rng, batch=(), S_q=3, S_k=5, d_k=4, d_v=7):
    return [rng.standard_normal((*batch, *shape)) for shape in ((S_q, d_k), (S_k, d_k), (S_k, d_v))]


def matrices(rng, d_model):
    return tuple(rng.standard_normal((d_model, d_model)) / np.sqrt(d_model) for _ in range(4))


@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
def test_plain_and_full_form_agree(batch, rng):
    Q, K, V = qkv(rng, batch)
    output, weights = self_attention(Q, K, V)
    plain_output, plain_weights = plain_self_attention(Q, K, V)
    assert output.shape == (*batch, 3, 7)
    assert weights.shape == (*batch, 3, 5)
    assert_allclose(output, plain_output, atol=1e-14)
    assert_allclose(weights, plain_weights, atol=1e-14)
    assert_allclose(weights.sum(-1), 1)


def test_arrays_give_arrays_and_tensors_tensors(rng):
    arrays = qkv(rng)
    assert all(type(part) is np.ndarray for part in self_attention(*arrays))
    assert all(type(part) is handmade.Tensor for part in self_attention(*(tensor(x) for x in arrays)))
    X, weights = rng.standard_normal((3, 4)), matrices(rng, 4)
    assert type(multi_head_attention(X, 2, 4, weights=weights)) is np.ndarray
    assert type(multi_head_attention(tensor(X), 2, 4, weights=weights)) is handmade.Tensor
    assert self_attention(*(x.astype(np.float32) for x in arrays))[0].dtype == np.float32
    assert self_attention(*arrays)[0].dtype == np.float64


def test_known_result_by_hand():
    Q, K, V = np.array([[2.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 0.0, 5.0], [0.0, 1.0, 5.0]])
    w = np.exp(np.sqrt(2)) / (np.exp(np.sqrt(2)) + 1)  # scores 2 / sqrt(2) and 0
    output, weights = self_attention(Q, K, V)
    assert_allclose(weights, [[w, 1 - w]])
    assert_allclose(output, [[w, 1 - w, 5.0]])


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("kind", ["none", "boolean", "added"])
def test_values_and_gradients_as_torch(causal, kind, rng):
    arrays = qkv(rng, (2, 3), S_q=4, S_k=4)
    mask = {"none": None, "boolean": rng.random((4, 4)) > 0.4, "added": rng.standard_normal((2, 1, 4, 4))}[kind]
    ours = [tensor(x, requires_grad=True) for x in arrays]
    theirs = [torch.tensor(x, requires_grad=True) for x in arrays]
    if kind == "boolean":
        mask |= np.eye(4, dtype=bool)  # PyTorch gives NaN where a query may look nowhere
    added = np.zeros((4, 4)) if mask is None else np.where(mask, 0, -np.inf) if kind == "boolean" else mask
    if causal:
        added = np.where(np.tri(4, dtype=bool), added, -np.inf)
    output, _ = self_attention(*ours, mask=mask, causal=causal)
    expected = torch.nn.functional.scaled_dot_product_attention(*theirs, attn_mask=torch.tensor(added))
    assert_allclose(output.numpy(), expected.detach().numpy(), rtol=1e-10, atol=1e-12)
    g = rng.standard_normal(output.shape)
    output.backward(g)
    expected.backward(torch.tensor(g))
    for mine, other in zip(ours, theirs, strict=True):
        assert_allclose(mine.grad.numpy(), other.grad.numpy(), rtol=1e-10, atol=1e-12)


def test_causal_with_fewer_queries_than_keys_lets_the_last_see_all(rng):
    weights = self_attention(*qkv(rng, S_q=2, S_k=5), causal=True)[1]
    assert (weights > 0).tolist() == [[True] * 4 + [False], [True] * 5]


def test_a_query_that_may_look_nowhere_gets_zeros_and_no_gradient(rng):
    Q, K, V = (tensor(x, requires_grad=True) for x in qkv(rng))
    mask = np.ones((3, 5), bool)
    mask[1] = False
    output, weights = self_attention(Q, K, V, mask=mask)
    assert (output.numpy()[1] == 0).all()
    assert (weights.numpy()[1] == 0).all()
    (output * tensor(rng.standard_normal(output.shape))).sum().backward()
    assert (Q.grad.numpy()[1] == 0).all()
    assert all(np.isfinite(x.grad.numpy()).all() for x in (Q, K, V))


def test_large_logits_in_float32():
    Q, K = np.array([[100.0, 0]], np.float32), np.array([[141.42136, 0], [-141.42136, 0]], np.float32)  # logits +-1e4
    with np.errstate(all="raise", under="ignore"):
        output, weights = self_attention(Q, K, np.array([[1.0], [2.0]], np.float32))
    assert weights.tolist() == [[1.0, 0.0]]
    assert output.tolist() == [[1.0]]


@pytest.mark.parametrize(("num_heads", "d_model"), [(1, 6), (2, 6), (3, 6), (6, 6), (4, 20)])
def test_multi_head_equals_the_plain_form_and_heads_taken_one_by_one(num_heads, d_model, rng):
    X, weights = rng.standard_normal((5, d_model)), matrices(rng, d_model)
    output = multi_head_attention(X, num_heads, d_model, weights=weights)
    assert_allclose(output, plain_multi_head_attention(X, num_heads, d_model, weights), atol=1e-12)
    Wq, Wk, Wv, Wo = weights
    d_k = d_model // num_heads
    columns = [slice(h * d_k, (h + 1) * d_k) for h in range(num_heads)]
    heads = [self_attention(X @ Wq[:, c], X @ Wk[:, c], X @ Wv[:, c])[0] for c in columns]
    assert_allclose(output, np.concatenate(heads, -1) @ Wo, atol=1e-12)


def test_multi_head_as_torch(rng):
    X, weights = rng.standard_normal((2, 5, 12)), matrices(rng, 12)
    reference = torch.nn.MultiheadAttention(12, 3, bias=False, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        reference.in_proj_weight.copy_(torch.tensor(np.concatenate([W.T for W in weights[:3]])))
        reference.out_proj.weight.copy_(torch.tensor(weights[3].T))
    x = torch.tensor(X)
    hidden = torch.tensor(~np.tri(5, dtype=bool))
    expected, attention = reference(x, x, x, attn_mask=hidden, average_attn_weights=False)
    got, got_attention = multi_head_attention(X, 3, 12, weights=weights, causal=True, return_weights=True)
    assert_allclose(got, expected.detach().numpy(), atol=1e-12)
    assert_allclose(got_attention, attention.detach().numpy(), atol=1e-12)


def test_a_mask_for_each_sequence_of_the_batch(rng):
    X, weights = rng.standard_normal((2, 4, 6)), matrices(rng, 6)
    mask = np.array([[True, True, False, False], [True, True, True, True]])[:, None, :]  # (2, 1, 4): keys to see
    output = multi_head_attention(X, 3, 6, weights=weights, mask=mask)
    changed = X.copy()
    changed[0, 2:] += 1
    again = multi_head_attention(changed, 3, 6, weights=weights, mask=mask)
    assert_allclose(again[0, :2], output[0, :2], atol=1e-12)
    assert_allclose(output[1], multi_head_attention(X[1], 3, 6, weights=weights), atol=1e-12)


def test_causality_no_output_depends_on_a_later_input(rng):
    X, weights = rng.standard_normal((6, 8)), matrices(rng, 8)
    output = multi_head_attention(X, 4, 8, weights=weights, causal=True)
    for t in range(1, 6):
        changed = X.copy()
        changed[t:] = rng.standard_normal((6 - t, 8))
        again = multi_head_attention(changed, 4, 8, weights=weights, causal=True)
        assert np.array_equal(again[:t], output[:t])
        assert not np.allclose(again[t], output[t])


def test_gradients_reach_the_weights(rng):
    X = tensor(rng.standard_normal((4, 6)), requires_grad=True)
    weights = tuple(tensor(W, requires_grad=True) for W in matrices(rng, 6))
    handmade.gradcheck(lambda X, *W: multi_head_attention(X, 2, 6, weights=W, causal=True), [X, *weights])


def test_a_seed_repeats_the_result(rng):
    X = rng.standard_normal((4, 6))
    first = multi_head_attention(X, 2, 6, rng=3)
    assert np.array_equal(first, multi_head_attention(X, 2, 6, rng=np.random.default_rng(3)))
    assert not np.array_equal(first, multi_head_attention(X, 2, 6, rng=4))
    handmade.manual_seed(1)
    third = multi_head_attention(X, 2, 6)
    handmade.manual_seed(1)
    assert np.array_equal(third, multi_head_attention(X, 2, 6))
    assert first.shape == (4, 6)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: multi_head_attention(x, 4, 6), ValueError, "num_heads is 4, which does not divide d_model = 6"),
        (lambda x: multi_head_attention(x, 0, 6), ValueError, "num_heads is 0"),
        (lambda x: multi_head_attention(x, 2, 8), ValueError, r"X has shape \(3, 6\); .* d_model = 8"),
        (lambda x: multi_head_attention(x[0], 2, 6), ValueError, r"X has shape \(6,\)"),
        (lambda x: multi_head_attention(x, 2, 6, weights=(x, x, x)), ValueError, "3 matrices; expected four"),
        (lambda x: multi_head_attention(x, 2, 6, weights=(x, x, x, x)), ValueError, r"Wq has shape \(3, 6\)"),
        (lambda x: self_attention(x, x[:, :5], x), ValueError, r"Q \(3, 6\) and K \(3, 5\) must end in the same d_k"),
        (lambda x: self_attention(x, x, x[:2]), ValueError, r"K \(3, 6\) and V \(2, 6\) must have the same seq_len"),
        (lambda x: self_attention(x[0], x, x), ValueError, r"Q has shape \(6,\)"),
        (lambda x: self_attention(x, x, x, mask=np.ones((2, 3), bool)), ValueError, r"mask of shape \(2, 3\)"),
        (lambda x: self_attention(x, x, x, mask=np.ones((3, 3), int)), TypeError, "mask is int64, expected bool"),
        (lambda x: self_attention(x, x.astype(np.float32), x), TypeError, "float32 and float64 meet"),
    ],
)
def test_bad_arguments(call, error, message, rng):
    with pytest.raises(error, match=message):
        call(rng.standard_normal((3, 6)))
