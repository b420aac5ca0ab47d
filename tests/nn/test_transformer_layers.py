"""The Transformer's layers against PyTorch's: values, all gradients, and both of its ways to mask."""

import numpy as np
import pytest
import torch
from layers import DTYPES, randomised
from parity import assert_close

import handmade
from handmade import nn, tensor

B, S, T, E, H = 2, 5, 4, 6, 3
"""Samples, source and target tokens, numbers of a token, heads."""


def check_layer(make, *inputs, training=True, result=lambda y: y, **options):
    """`make(nn)` of both libraries on the same inputs; options are arrays (masks) or plain values."""
    for dtype in DTYPES:
        theirs, ours = make(torch.nn).to(getattr(torch, dtype)), make(nn).to(getattr(handmade, dtype))
        ours.load_state_dict(randomised(theirs))
        assert [name for name, _ in ours.named_parameters()] == [name for name, _ in theirs.named_parameters()]
        ours.train(training)
        theirs.train(training)
        cast = lambda x, dtype=dtype: x.astype(dtype) if x.dtype.kind == "f" else x
        our_inputs = [tensor(cast(x), requires_grad=True) for x in inputs]
        their_inputs = [torch.tensor(cast(x), requires_grad=True) for x in inputs]
        arrays = {name: cast(x) for name, x in options.items() if isinstance(x, np.ndarray)}
        value = result(ours(*our_inputs, **options | {name: tensor(x) for name, x in arrays.items()}))
        expected = result(theirs(*their_inputs, **options | {name: torch.tensor(x) for name, x in arrays.items()}))
        assert_close(value.numpy(), expected.detach().numpy(), "value")
        cotangent = np.random.default_rng(1).standard_normal(value.shape).astype(dtype)
        value.backward(cotangent)
        expected.backward(torch.tensor(cotangent))
        for i, (mine, other) in enumerate(zip(our_inputs, their_inputs, strict=True)):
            assert_close(mine.grad.numpy(), other.grad.numpy(), f"gradient of input {i}")
        theirs_by_name = dict(theirs.named_parameters())
        for name, parameter in ours.named_parameters():
            if theirs_by_name[name].grad is not None:
                assert_close(parameter.grad.numpy(), theirs_by_name[name].grad.numpy(), f"gradient of {name}")


def hiding(rng, *shape):
    """A mask that hides about a third, but never the first key."""
    mask = rng.random(shape) < 0.35
    mask[..., 0] = False
    return mask


def causal(size):
    return ~np.tri(size, dtype=bool)


class SelfAttention:
    """A layer called with one input as query, key and value."""

    def __new__(cls, library):
        class Wrapped(library.Module):
            def __init__(self):
                super().__init__()
                self.attention = library.MultiheadAttention(E, H, batch_first=True)

            def forward(self, x, **options):
                return self.attention(x, x, x, **options)

        return Wrapped()


MASKS = ["none", "padding", "pairs", "heads", "both", "added", "mixed"]


def masks_of(kind, rng, S_q, S_k):
    padding, pairs, heads = hiding(rng, B, S_k), hiding(rng, S_q, S_k), hiding(rng, B * H, S_q, S_k)
    padding[:, 0] = False
    added = np.where(pairs, -np.inf, rng.standard_normal((S_q, S_k)))
    return {
        "none": {},
        "padding": {"key_padding_mask": padding},
        "pairs": {"attn_mask": pairs},
        "heads": {"attn_mask": heads},
        "both": {"attn_mask": pairs, "key_padding_mask": padding},
        "added": {"attn_mask": added},
        "mixed": {"attn_mask": added, "key_padding_mask": np.where(padding, -np.inf, 0.0)},
    }[kind]


@pytest.mark.parametrize("kind", MASKS)
def test_multihead_attention_of_one_sequence_to_another(kind, rng):
    query, key, value = (rng.standard_normal(shape) for shape in [(T, B, E), (S, B, E), (S, B, E)])
    for need_weights in (True, False):
        options = masks_of(kind, rng, T, S) | {"need_weights": need_weights}
        check_layer(
            lambda nn: nn.MultiheadAttention(E, H), query, key, value, result=lambda outputs: outputs[0], **options
        )


@pytest.mark.parametrize("kind", MASKS)
def test_self_attention(kind, rng):
    for need_weights in (True, False):
        options = masks_of(kind, rng, S, S) | {"need_weights": need_weights}
        check_layer(SelfAttention, rng.standard_normal((B, S, E)), result=lambda outputs: outputs[0], **options)


@pytest.mark.parametrize("average", [True, False])
def test_attention_weights_have_gradients_too(average, rng):
    inputs = [rng.standard_normal(shape) for shape in [(B, T, E), (B, S, E), (B, S, E)]]
    for dtype in DTYPES:
        theirs = torch.nn.MultiheadAttention(E, H, batch_first=True).to(getattr(torch, dtype))
        ours = nn.MultiheadAttention(E, H, batch_first=True).to(getattr(handmade, dtype))
        ours.load_state_dict(randomised(theirs))
        arrays = [x.astype(dtype) for x in inputs]
        _, weights = ours(*map(tensor, arrays), average_attn_weights=average)
        _, expected = theirs(*map(torch.tensor, arrays), average_attn_weights=average)
        assert_close(weights.numpy(), expected.detach().numpy(), "weights")
        cotangent = rng.standard_normal(weights.shape).astype(dtype)
        weights.backward(cotangent)
        expected.backward(torch.tensor(cotangent))
        assert_close(ours.in_proj_weight.grad.numpy(), theirs.in_proj_weight.grad.numpy(), "gradient")
