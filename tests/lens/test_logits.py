"""What raises a logit, what is cut from the choice, what the cache saves: against the model, and counted otherwise."""

import numpy as np
import pytest

import handmade
from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.lens import cost
from handmade.lens.cache import cache_cost
from handmade.lens.choice import choosing
from handmade.lens.guesses import logit_lens, read_stream
from handmade.lens.logits import contributions, draw_contributions
from handmade.models.gpt import GPT, GPTConfig
from handmade.text.sampling import sample_probabilities

TOKENS, TARGETS = np.array([3, 1, 4, 1, 5, 2]), np.array([6, 0, 3])


@pytest.fixture(scope="module", params=[True, False], ids=["biases", "no biases"])
def model(request):
    handmade.manual_seed(0)
    model = GPT(GPTConfig(7, 8, n_layer=2, n_head=3, n_embd=12, dropout=0.1, bias=request.param))
    rng = np.random.default_rng(0)
    with no_grad():
        for name, parameter in model.named_parameters():
            parameter.array *= 4
            if "ln_" in name or "bias" in name:
                parameter.array += rng.standard_normal(parameter.shape).astype(np.float32)
    return model.eval()


@pytest.mark.parametrize("place", [0, 3, 5])
def test_the_parts_sum_to_the_logits_above_their_mean(model, place):
    made = contributions(model, TOKENS, place, TARGETS)
    logits = model(Tensor(TOKENS[None]))[0].array[0, place].astype(np.float64)
    np.testing.assert_allclose(made.logits, logits[TARGETS] - logits.mean(), atol=1e-4)
    total = made.token + made.position + made.heads.sum((0, 1)) + made.mlps.sum(0) + made.biases
    np.testing.assert_allclose(total, made.logits, atol=1e-5)


def test_a_heads_part_is_what_is_lost_without_it(model):
    """Of the last layer, whose MLP reads nothing where its output is zero: then the stream has that part less."""
    block = model.transformer.h[-1]
    before = {name: parameter.array.copy() for name, parameter in block.named_parameters()}
    try:
        block.mlp.c_proj.weight.array[...] = 0
        made = contributions(model, TOKENS, 4, TARGETS)
        block.attn.c_proj.weight.array[4:8] = 0  # head 1
        without = contributions(model, TOKENS, 4, TARGETS)
    finally:
        for name, parameter in block.named_parameters():
            parameter.array[...] = before[name]
    assert np.abs(made.heads[1, 1]).max() > 0.01
    np.testing.assert_array_equal(without.heads[1, 1], 0)
    # the norm divides by another deviation then: the ratio of two other parts says by which
    ratio = made.token / without.token
    np.testing.assert_allclose(ratio, ratio[0])
    np.testing.assert_allclose(without.heads[0] * ratio, made.heads[0], atol=1e-6)


def test_the_stream_at_a_place_ends_with_what_the_model_says(model):
    guesses, at_place = read_stream(model, TOKENS, place=2, first=1)
    whole = logit_lens(model, TOKENS)
    np.testing.assert_array_equal(guesses.tokens, whole.tokens[:, 1:])
    np.testing.assert_allclose(guesses.probabilities, whole.probabilities[:, 1:], rtol=1e-6)
    said = model(Tensor(TOKENS[None]))[0].log_softmax(-1).array[0, 2]
    np.testing.assert_allclose(at_place[-1], said, atol=1e-5)
    np.testing.assert_array_equal(at_place.argmax(-1), guesses.tokens[:, 1])


def test_what_each_step_takes_away():
    logits = np.log([0.4, 0.1, 0.3, 0.05, 0.15])
    made = choosing(logits, 1.0, 4, 0.8)
    assert made.cut_by.tolist() == ["", "top-p", "", "top-k", ""]
    np.testing.assert_allclose(made.plain, [0.4, 0.1, 0.3, 0.05, 0.15])
    np.testing.assert_allclose(made.after_top_k, np.array([0.4, 0.1, 0.3, 0, 0.15]) / 0.95)
    np.testing.assert_allclose(made.after_top_p, np.array([0.4, 0, 0.3, 0, 0.15]) / 0.85)
    assert (made.mass_cut("top-k"), made.mass_cut("top-p")) == (pytest.approx(0.05), pytest.approx(0.1))
    cold = choosing(logits, 0.0)
    assert cold.cut_by.tolist() == [""] + ["temperature"] * 4
    np.testing.assert_allclose(
        choosing(logits, 2.0, 3).after_top_p, sample_probabilities(logits, temperature=2.0, top_k=3)
    )


def test_the_cache_is_as_large_as_the_models_own(model):
    config, T = model.config, len(TOKENS)
    _, cache = model.read(Tensor(TOKENS[None]))
    filled = cache_cost(config, T).numbers
    assert filled == sum(part[:, :, :, : cache.length].size for part in (cache.keys, cache.values))


def test_the_multiply_adds_are_those_that_are_counted(model):
    """`lens.cost` counts the products with weights; those of queries with keys and weights with values come on top."""
    config, T = model.config, len(TOKENS)
    L, C, V = config.n_layer, config.n_embd, config.vocab_size
    counted = cost(model, Tensor(TOKENS[None])).multiply_adds - (T - 1) * V * C  # scores of the last token only
    pairs = sum(t + 1 for t in range(T))
    assert cache_cost(config, T).again == counted + 2 * L * C * pairs
    one = cost(model, Tensor(TOKENS[None, :1])).multiply_adds
    assert cache_cost(config, T).cached == one + 2 * L * C * T


@pytest.mark.slow
@pytest.mark.parametrize("model", [True], indirect=True)
def test_the_picture_says_what_adds_most(model, tmp_path):
    made = contributions(model, TOKENS, 4, TARGETS)
    draw_contributions(tmp_path / "parts.png", made, "what raises it")
    assert (tmp_path / "parts.png").stat().st_size > 5_000
    shares = np.concatenate([made.heads[:, :, 0], made.mlps[:, :1]], axis=1)
    layer, column = np.unravel_index(np.abs(shares).argmax(), shares.shape)
    part = "the MLP" if column == 3 else f"head {column}"
    said = f"Most is added by {part} of layer {layer}: {shares[layer, column]:+.2f} of {made.logits[0]:+.2f}."
    assert said in (tmp_path / "parts.txt").read_text()


def test_a_place_that_is_not_there(model):
    with pytest.raises(InputError, match="no place 6 in the text: it has 6 tokens"):
        contributions(model, TOKENS, 6, TARGETS)
