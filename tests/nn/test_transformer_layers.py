"""The Transformer's layers against PyTorch's: values, all gradients, and both of its ways to mask."""

import numpy as np
import pytest
import torch

import handmade
from handmade import nn, tensor
from tests.support.against_torch import DTYPES, assert_close, check_layer, check_parity, pair

B, S, T, E, H = 2, 5, 4, 6, 3
"""Samples, source and target tokens, numbers of a token, heads."""


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
        ours, theirs = pair(lambda nn: nn.MultiheadAttention(E, H, batch_first=True), dtype)
        arrays = [x.astype(dtype) for x in inputs]
        _, weights = ours(*map(tensor, arrays), average_attn_weights=average)
        _, expected = theirs(*map(torch.tensor, arrays), average_attn_weights=average)
        assert_close(weights.numpy(), expected.detach().numpy(), "weights")
        cotangent = rng.standard_normal(weights.shape).astype(dtype)
        weights.backward(cotangent)
        expected.backward(torch.tensor(cotangent))
        assert_close(ours.in_proj_weight.grad.numpy(), theirs.in_proj_weight.grad.numpy(), "gradient")


@pytest.mark.parametrize("bias", [True, False])
def test_keys_and_values_of_other_sizes(bias, rng):
    inputs = [rng.standard_normal(shape) for shape in [(T, B, E), (S, B, 4), (S, B, 7)]]
    make = lambda nn: nn.MultiheadAttention(E, H, bias=bias, kdim=4, vdim=7)
    check_layer(make, *inputs, result=lambda outputs: outputs[0])


def test_causal_without_a_mask(rng):
    x = tensor(rng.standard_normal((B, S, E)).astype(np.float32))
    attention = nn.MultiheadAttention(E, H, batch_first=True)
    given, _ = attention(x, x, x, attn_mask=tensor(causal(S)))
    itself, weights = attention(x, x, x, is_causal=True)
    np.testing.assert_allclose(itself.numpy(), given.numpy(), rtol=1e-5)
    assert not weights.numpy()[:, causal(S)].any()
    hidden = hiding(rng, S, S)
    both, _ = attention(x, x, x, attn_mask=tensor(hidden), is_causal=True)
    given, _ = attention(x, x, x, attn_mask=tensor(hidden | causal(S)))
    np.testing.assert_allclose(both.numpy(), given.numpy(), rtol=1e-5)


@pytest.mark.parametrize("need_weights", [True, False])
def test_a_query_that_may_look_nowhere_gets_zeros(need_weights, rng):
    x = tensor(rng.standard_normal((B, S, E)).astype(np.float32), requires_grad=True)
    attention = nn.MultiheadAttention(E, H, batch_first=True)
    hidden = np.zeros((B, S), bool)
    hidden[1] = True
    output, _ = attention(x, x, x, key_padding_mask=tensor(hidden), need_weights=need_weights)
    assert np.array_equal(output.numpy()[1], np.broadcast_to(attention.out_proj.bias.numpy(), (S, E)))
    output.backward(rng.standard_normal(output.shape).astype(np.float32))
    assert np.isfinite(x.grad.numpy()).all()
    assert not x.grad.numpy()[1].any()


def test_dropout_acts_on_the_weights_and_in_training_alone(rng):
    x = tensor(rng.standard_normal((B, 50, E)).astype(np.float32))
    attention = nn.MultiheadAttention(E, H, dropout=0.4, batch_first=True)
    with nn.functional.recorded_attention():
        output, _ = attention(x, x, x, need_weights=False)
    again, _ = attention(x, x, x, need_weights=False)
    assert not np.allclose(output.numpy(), again.numpy())
    attention.eval()
    output, weights = attention(x, x, x)
    again, _ = attention(x, x, x, need_weights=False)
    np.testing.assert_allclose(output.numpy(), again.numpy(), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(weights.numpy().sum(-1), 1, rtol=1e-5)


def test_first_weights_are_pytorchs():
    ours, theirs = nn.MultiheadAttention(60, 3), torch.nn.MultiheadAttention(60, 3)
    for name, parameter in theirs.named_parameters():
        values = dict(ours.named_parameters())[name].numpy()
        np.testing.assert_allclose(values.std(), parameter.detach().numpy().std(), rtol=0.05, atol=1e-8)


def test_weights_are_recorded_in_the_order_of_the_layers(rng):
    layer = nn.TransformerDecoderLayer(E, H, 8, dropout=0.0, batch_first=True)
    decoder = nn.TransformerDecoder(layer, 2)
    target = tensor(rng.standard_normal((B, T, E)).astype(np.float32))
    memory = tensor(rng.standard_normal((B, S, E)).astype(np.float32))
    with nn.functional.recorded_attention() as weights:
        recorded = decoder(target, memory, tgt_is_causal=True)
    assert [each.shape for each in weights] == [(B, H, T, T), (B, H, T, S)] * 2
    assert not weights[0][..., causal(T)].any()
    for each in weights:
        np.testing.assert_allclose(each.sum(-1), 1, rtol=1e-5)
    assert np.array_equal(decoder(target, memory, tgt_is_causal=True).numpy(), recorded.numpy())
    assert len(weights) == 4, "recorded outside"
    attention = decoder.layers[0].self_attn
    with nn.functional.recorded_attention() as again:
        _, first = attention(target, target, target, average_attn_weights=False, is_causal=True)
    assert len(again) == 1
    np.testing.assert_allclose(first.numpy(), weights[0], rtol=1e-5)
    np.testing.assert_allclose(again[0], weights[0], rtol=1e-5)


LAYERS = {
    "post-norm": {},
    "pre-norm": {"norm_first": True},
    "gelu": {"activation": "gelu", "layer_norm_eps": 0.1},
    "batch first": {"batch_first": True},
    "no bias": {"bias": False, "norm_first": True, "batch_first": True},
}


@pytest.mark.parametrize("name", LAYERS)
def test_encoder_layer(name, rng):
    options = LAYERS[name]
    shape = (B, S, E) if options.get("batch_first") else (S, B, E)
    make = lambda nn: nn.TransformerEncoderLayer(E, H, 8, dropout=0.0, **options)
    for masks in ({}, {"src_mask": hiding(rng, S, S), "src_key_padding_mask": hiding(rng, B, S)}):
        check_layer(make, rng.standard_normal(shape), **masks)


@pytest.mark.parametrize("name", LAYERS)
def test_decoder_layer(name, rng):
    options = LAYERS[name]
    shapes = [(B, T, E), (B, S, E)] if options.get("batch_first") else [(T, B, E), (S, B, E)]
    make = lambda nn: nn.TransformerDecoderLayer(E, H, 8, dropout=0.0, **options)
    masks = {
        "tgt_mask": causal(T),
        "memory_mask": hiding(rng, T, S),
        "tgt_key_padding_mask": hiding(rng, B, T),
        "memory_key_padding_mask": hiding(rng, B, S),
    }
    for given in ({}, masks, {"tgt_mask": causal(T), "tgt_is_causal": True}):
        # A norm's gradient is a sum over rows whose terms, of up to about 10, cancel: with compiled kernels' order of
        # sums 4.1e-5 of it was left where its largest number is 3.7.
        check_layer(make, *(rng.standard_normal(shape) for shape in shapes), terms=10.0, **given)


@pytest.mark.parametrize("norm", [True, False])
def test_stacks(norm, rng):
    options = {"dropout": 0.0, "norm_first": norm, "batch_first": True}

    def encoder(nn):
        layer = nn.TransformerEncoderLayer(E, H, 8, **options)
        return nn.TransformerEncoder(layer, 2, nn.LayerNorm(E) if norm else None, **unnested(nn))

    def decoder(nn):
        layer = nn.TransformerDecoderLayer(E, H, 8, **options)
        return nn.TransformerDecoder(layer, 2, nn.LayerNorm(E) if norm else None)

    unnested = lambda nn: {"enable_nested_tensor": False} if nn is torch.nn else {}
    source, target = rng.standard_normal((B, S, E)), rng.standard_normal((B, T, E))
    check_layer(encoder, source, mask=hiding(rng, S, S), src_key_padding_mask=hiding(rng, B, S))
    masks = {"tgt_mask": causal(T), "memory_key_padding_mask": hiding(rng, B, S)}
    check_layer(decoder, target, source, **masks, terms=1.0)  # two layers down, the gradient of `source` is all but 0


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("norm_first", [True, False])
def test_a_decoder_layers_step_is_its_forward_token_by_token(norm_first, batch_first, rng):
    layer = nn.TransformerDecoderLayer(E, H, 8, batch_first=batch_first, norm_first=norm_first).eval()
    swapped = (lambda x: x) if batch_first else (lambda x: x.transpose(0, 1))
    target = tensor(rng.standard_normal((B, T, E)).astype(np.float32))
    memory = swapped(tensor(rng.standard_normal((B, S, E)).astype(np.float32)))
    hidden = hiding(rng, B, S)
    expected = swapped(layer(swapped(target), memory, memory_key_padding_mask=tensor(hidden), tgt_is_causal=True))
    looked_up = layer.multihead_attn.keys_and_values(memory, memory)
    past = None
    for t in range(T):
        output, past = layer.step(swapped(target[:, t : t + 1]), past, looked_up, tensor(~hidden[:, None, None]))
        np.testing.assert_allclose(swapped(output).numpy()[:, 0], expected.numpy()[:, t], rtol=1e-4, atol=1e-6)


def test_dropout_of_the_layers_is_where_pytorch_has_it():
    for name in ("TransformerEncoderLayer", "TransformerDecoderLayer"):
        ours, theirs = getattr(nn, name)(E, H, 8, 0.3), getattr(torch.nn, name)(E, H, 8, 0.3)
        places = [
            {path for path, m in each.named_modules() if "Dropout" in type(m).__name__} for each in (ours, theirs)
        ]
        assert places[0] == places[1]
        assert ours.self_attn.dropout == 0.3


BAD = {
    "heads": (
        lambda: nn.MultiheadAttention(10, 3),
        r"MultiheadAttention: num_heads is 3, which does not divide embed_dim = 10",
    ),
    "activation": (lambda: nn.TransformerEncoderLayer(6, 3, activation="tanh"), "'tanh'; expected 'relu' or 'gelu'"),
    "groups": (lambda: nn.GroupedQueryAttention(12, 6, 4), "num_kv_heads is 4, which does not divide num_heads = 6"),
}


@pytest.mark.parametrize("name", BAD)
def test_sizes_that_do_not_fit(name):
    make, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        make()


BAD_MASKS = {
    "pairs": ({"attn_mask": (S, T)}, r"attn_mask has shape \(5, 4\); expected \(S_q, S_k\) = \(4, 5\).*= \(6, 4, 5\)"),
    "heads": ({"attn_mask": (B, T, S)}, r"attn_mask has shape \(2, 4, 5\); expected"),
    "padding": ({"key_padding_mask": (S, B)}, r"key_padding_mask has shape \(5, 2\); expected \(B, S_k\) = \(2, 5\)"),
}


@pytest.mark.parametrize("name", BAD_MASKS)
def test_masks_of_the_wrong_shape(name):
    shapes, message = BAD_MASKS[name]
    masks = {argument: handmade.zeros(*shape).bool() for argument, shape in shapes.items()}
    query, key = handmade.zeros(B, T, E), handmade.zeros(B, S, E)
    with pytest.raises(ValueError, match=message):
        nn.MultiheadAttention(E, H, batch_first=True)(query, key, key, **masks)


def test_masks_of_whole_numbers():
    x = handmade.zeros(B, S, E)
    with pytest.raises(TypeError, match="a mask is int64; expected bool"):
        nn.MultiheadAttention(E, H, batch_first=True)(x, x, x, attn_mask=handmade.zeros(S, S).long())


def test_inputs_of_the_wrong_shape():
    attention = nn.MultiheadAttention(E, H)
    good = handmade.zeros(S, B, E)
    for bad in (handmade.zeros(S, E), handmade.zeros(S, B, E + 1), handmade.zeros(S, B + 1, E)):
        with pytest.raises(ValueError, match=rf"key has shape \({S}, .*; expected \(S, B, 6\), batch_first=False"):
            attention(good, bad, good)
    with pytest.raises(ValueError, match=r"key \(5, 2, 6\) and value \(4, 2, 6\) must have the same S"):
        attention(good, good, good[:4])


# --- grouped queries, positions, the gated feed-forward layer -----------------------------------------------------


@pytest.mark.parametrize(("groups", "mask"), [(1, None), (2, "pairs"), (4, "heads"), (2, "causal"), (2, "heads")])
def test_grouped_queries_are_heads_that_share_keys(groups, mask, rng):
    shapes = [(B, 4, T, 3), (B, groups, S, 3), (B, groups, S, 5)]
    visible = {"pairs": ~hiding(rng, T, S), "heads": ~hiding(rng, B, 4, T, S)}.get(mask)

    def attend(library, query, key, value):
        given = None if visible is None else library.tensor(visible)
        options = {"attn_mask": given, "is_causal": mask == "causal", "enable_gqa": True}
        return library.nn.functional.scaled_dot_product_attention(query, key, value, **options)

    check_parity(attend, *(rng.standard_normal(shape) for shape in shapes))


def test_recorded_weights_of_grouped_queries_have_all_heads(rng):
    x = tensor(rng.standard_normal((B, S, 12)).astype(np.float32))
    with nn.functional.recorded_attention() as weights:
        nn.GroupedQueryAttention(12, 6, 2)(x, is_causal=True)
    assert [each.shape for each in weights] == [(B, 6, S, S)]


def test_grouped_query_attention_with_as_many_groups_as_heads_is_multi_head(rng):
    x = tensor(rng.standard_normal((B, S, E)).astype(np.float32))
    grouped, multi = nn.GroupedQueryAttention(E, H, H), nn.MultiheadAttention(E, H, bias=False, batch_first=True)
    projections = [grouped.q_proj, grouped.k_proj, grouped.v_proj]
    state = {"in_proj_weight": np.concatenate([p.weight.numpy() for p in projections])}
    multi.load_state_dict(state | {"out_proj.weight": grouped.o_proj.weight.numpy()})
    expected, _ = multi(x, x, x, is_causal=True)
    np.testing.assert_allclose(grouped(x, is_causal=True).numpy(), expected.numpy(), rtol=1e-4, atol=1e-6)


def test_heads_that_cannot_share_keys_equally():
    query, key = handmade.zeros(B, 4, T, 3), handmade.zeros(B, 3, S, 3)
    with pytest.raises(ValueError, match=r"query \(2, 4, 4, 3\), key \(2, 3, 5, 3\).*must be a multiple"):
        nn.functional.scaled_dot_product_attention(query, key, key, enable_gqa=True)


def test_swiglu(rng):
    layer = nn.SwiGLU(5, 7)
    assert [(name, p.shape) for name, p in layer.named_parameters()] == [
        ("gate_proj.weight", (7, 5)),
        ("up_proj.weight", (7, 5)),
        ("down_proj.weight", (5, 7)),
    ]
    x = rng.standard_normal((2, 3, 5)).astype(np.float32)
    gate, up, down = (p.numpy() for p in layer.parameters())
    hidden = x @ gate.T
    expected = (hidden / (1 + np.exp(-hidden)) * (x @ up.T)) @ down.T
    np.testing.assert_allclose(layer(tensor(x)).numpy(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "options", [{"add_bias_kv": True}, {"add_zero_attn": True, "add_bias_kv": True, "bias": False}]
)
@pytest.mark.parametrize("masked", [False, True])
def test_added_keys_are_pytorchs(rng, options, masked):
    query, memory = rng.standard_normal((T, B, E)), rng.standard_normal((S, B, E))
    masks = masks_of("mixed", rng, T, S) if masked else {}
    make = lambda nn: nn.MultiheadAttention(E, H, **options)
    check_layer(make, query, memory, memory, result=lambda outputs: outputs[0], **masks)
    ours, theirs = pair(make, "float64")
    weights, expected = (
        layer(*(t(x) for x in (query, memory, memory)))[1] for layer, t in ((ours, tensor), (theirs, torch.tensor))
    )
    assert_close(weights.numpy(), expected.detach().numpy(), "weights")
