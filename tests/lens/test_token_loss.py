"""Loss by token, of models that look back, that look around, and that translate."""

import numpy as np
import pytest
from PIL import Image

import handmade
from handmade import lens
from handmade.errors import InputError
from handmade.lens.token_loss import most_likely
from handmade.models import char_gru, transformer
from handmade.models.bert import BertConfig, BertForMaskedLM
from handmade.models.gpt import GPT, GPTConfig
from handmade.tasks.language.surprise import draw_surprise

BERT = BertConfig(vocab_size=30, hidden_size=12, num_hidden_layers=1, num_attention_heads=3, intermediate_size=8)


def log_softmax(logits):
    return logits.log_softmax(-1).numpy()


@pytest.mark.parametrize("build", [lambda: char_gru(30), lambda: GPT(GPTConfig(30, 9, n_layer=1, n_head=2, n_embd=12))])
def test_of_the_next_token(rng, build):
    model, tokens = build(), rng.integers(0, 30, 8)
    losses = lens.next_token_losses(model, tokens)
    logits, mean = model.eval()(handmade.tensor(tokens[None, :-1]), handmade.tensor(tokens[None, 1:]))
    expected = -log_softmax(logits)[0, np.arange(7), tokens[1:]]
    assert losses == pytest.approx(expected, rel=1e-5)
    assert losses.mean() == pytest.approx(mean.item(), rel=1e-5)


def test_of_a_text_with_one_token_hidden_at_a_time(rng):
    model, mask = BertForMaskedLM(BERT), 3
    tokens = np.array([1, *rng.integers(4, 30, 5), 2])
    losses = lens.masked_losses(model, tokens, mask)
    assert losses.shape == (5,)
    for place in range(1, 6):
        hidden = tokens.copy()
        hidden[place] = mask
        expected = -log_softmax(model.eval()(handmade.tensor(hidden[None])))[0, place, tokens[place]]
        assert losses[place - 1] == pytest.approx(expected, rel=1e-5)


def test_a_mask_in_the_text_is_not_asked_for():
    losses = lens.masked_losses(BertForMaskedLM(BERT), np.array([1, 7, 3, 8, 2]), 3)
    assert np.isnan(losses).tolist() == [False, True, False]


def test_of_a_translation(rng):
    model = transformer(20, "small", d_model=8, num_heads=2, num_layers=1, dim_feedforward=8).eval()
    source, target = rng.integers(4, 20, 6), rng.integers(4, 20, 4)
    losses = lens.translation_losses(model, source, target)
    logits = model(handmade.tensor(source[None]), handmade.tensor(target[None, :-1]))
    assert losses == pytest.approx(-log_softmax(logits)[0, np.arange(3), target[1:]], rel=1e-5)


def test_too_short_to_be_judged():
    with pytest.raises(InputError, match="the text has 1 tokens, expected two at least: what follows the first"):
        lens.next_token_losses(char_gru(30), np.array([1]))
    with pytest.raises(InputError, match="the text holds nothing but masks"):
        lens.masked_losses(BertForMaskedLM(BERT), np.array([1, 3, 2]), 3)


# ---- the picture


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "x",
        "猫🙂\x10\ufffd",
        "To be,\nor not to be",
        ["Ro", "meo", ":", " what", " light", "\n", "\n", " is"] * 40,
        ["word" * 40],
    ],
)
def test_characters_and_tokens_are_drawn(rng, tmp_path, text):
    path = tmp_path / "loss.png"
    nats = rng.exponential(2, len(text))
    nats[len(nats) // 2 + 1 :][:1] = np.nan  # not asked
    draw_surprise(path, text, nats, "token")
    with Image.open(path) as picture:
        assert 150 < min(picture.size) <= max(picture.size) < 3000


@pytest.mark.parametrize("shape", [(40,), (3, 40), (2, 3, 4)])
def test_of_many_only_the_most_likely_are_sorted(rng, shape):
    logs = np.log(rng.dirichlet(np.ones(shape[-1]), shape[:-1]))
    logs[..., 3] = logs[..., 1] = 0.0  # two alike, ahead of all others
    order, probabilities = most_likely(logs, 6)
    expected = np.argsort(-logs, axis=-1, kind="stable")[..., :6]
    np.testing.assert_array_equal(order, expected)
    assert order[..., :2].reshape(-1, 2).tolist() == [[1, 3]] * (order.size // order.shape[-1])
    np.testing.assert_allclose(probabilities, np.exp(np.take_along_axis(logs, expected, -1)))
