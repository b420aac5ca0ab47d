"""What the heads of a GPT do, against the model itself with its weights changed by hand."""

import numpy as np
import pytest

import handmade
from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.lens import attention_maps, next_token_losses
from handmade.lens.by_hand import attention_steps, visible_keys
from handmade.lens.heads import loss_with, losses_without_heads, read_heads
from handmade.lens.hooks import attention_replaced
from handmade.models.gpt import GPT, GPTConfig


@pytest.fixture(scope="module")
def model():
    handmade.manual_seed(0)
    model = GPT(GPTConfig(7, 8, n_layer=2, n_head=3, n_embd=12, dropout=0.1, bias=True))
    with no_grad():
        for parameter in model.parameters():
            parameter.array *= 4  # attention that is not flat
    return model


TOKENS = np.array([3, 1, 4, 1, 5, 2])


def test_it_reads_what_the_model_computes(model):
    read = read_heads(model, TOKENS)
    for layer, maps in enumerate(attention_maps(model, Tensor(TOKENS[None]))):
        np.testing.assert_array_equal(read.maps[layer], maps)
    np.testing.assert_allclose(read.losses(TOKENS), next_token_losses(model, TOKENS), rtol=1e-5, atol=1e-6)
    visible = visible_keys(6, 6, "causal")
    steps = attention_steps(read.queries[1], read.keys[1], read.values[1], visible)
    np.testing.assert_allclose(read.maps[1], steps.weights, atol=1e-6)
    tokens, probabilities = read.likeliest(7)
    np.testing.assert_array_equal(tokens[:, 0], read.log_probabilities.argmax(-1))
    np.testing.assert_allclose(probabilities.sum(-1), 1)


def test_sharpness_multiplies_the_scores(model):
    flat, sharp = read_heads(model, TOKENS, 0.0), read_heads(model, TOKENS, 2.0)
    np.testing.assert_allclose(flat.maps[0, 0, 3], [0.25] * 4 + [0] * 2)
    steps = attention_steps(2 * sharp.queries[0], sharp.keys[0], sharp.values[0], visible_keys(6, 6, "causal"))
    np.testing.assert_allclose(sharp.maps[0], steps.weights, atol=1e-6)


def silenced(model, layer, head):
    """The model with the rows of the output projection that read this head set to zero."""
    weight = model.transformer.h[layer].attn.c_proj.weight
    before, D = weight.array.copy(), model.config.n_embd // model.config.n_head
    weight.array[head * D : (head + 1) * D] = 0
    losses = next_token_losses(model, TOKENS)
    weight.array[...] = before
    return losses


def test_a_head_that_is_off_gives_nothing(model):
    without = losses_without_heads(model, TOKENS)
    assert without.shape == (2, 3)
    for layer, head in np.ndindex(2, 3):
        expected = silenced(model, layer, head)
        off = read_heads(model, TOKENS, off=[(layer, head)]).losses(TOKENS)
        np.testing.assert_allclose(off, expected, rtol=1e-4, atol=1e-6)
        assert without[layer, head] == pytest.approx(expected.mean(), rel=1e-4)
    both = losses_without_heads(model, TOKENS, off=[(0, 1)])
    assert both[1, 2] == pytest.approx(read_heads(model, TOKENS, off=[(0, 1), (1, 2)]).losses(TOKENS).mean(), rel=1e-5)
    assert both[0, 1] == pytest.approx(without[0, 1], rel=1e-5)


def test_any_function_can_attend(model):
    right = lambda Q, K, V: attention_steps(Q[None], K[None], V[None], visible_keys(6, 6, "causal")).output[0]
    assert loss_with(model, TOKENS, right) == pytest.approx(next_token_losses(model, TOKENS).mean(), rel=1e-5)
    nothing = loss_with(model, TOKENS, lambda Q, K, V: 0 * V)
    assert nothing != pytest.approx(next_token_losses(model, TOKENS).mean(), rel=1e-3)


def test_the_model_is_as_it_was(model):
    before = next_token_losses(model, TOKENS)
    with pytest.raises(ZeroDivisionError):
        loss_with(model, TOKENS, lambda Q, K, V: 1 / 0)
    losses_without_heads(model, TOKENS)
    assert all("attention" not in vars(block.attn) for block in model.transformer.h)
    model.transformer.h[0].attn.attention = own = lambda *given, **options: given[2]
    with attention_replaced(model, lambda layer, attend: attend):
        pass
    assert vars(model.transformer.h[0].attn).pop("attention") is own
    np.testing.assert_array_equal(next_token_losses(model, TOKENS), before)
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_a_text_that_is_too_long_is_refused(model):
    for tokens in (np.zeros(9, int), np.zeros(0, int)):
        with pytest.raises(InputError, match="expected 1 to 8, which"):
            read_heads(model, tokens)


def test_a_loss_needs_a_token_that_follows(model):
    one = np.array([3])
    read_heads(model, one)
    for loss in (losses_without_heads, lambda model, tokens: loss_with(model, tokens, lambda q, k, v: v)):
        with pytest.raises(InputError, match="the text has 1 tokens, expected 2 to"):
            loss(model, one)
