"""The logit lens: the last row is the model's own prediction, the others stop after a layer."""

import numpy as np
import pytest
from PIL import Image

import handmade
from handmade import lens
from handmade.errors import InputError
from handmade.models import char_gru
from handmade.models.bert import BertConfig, BertForMaskedLM
from handmade.models.gpt import GPT, GPTConfig

BERT = BertConfig(vocab_size=30, hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=8)
LIVELY = BertConfig(**(vars(BERT) | {"initializer_range": 0.5}))


def models():
    """With weights far from zero, so that layers matter."""
    gpt = GPT(GPTConfig(30, 9, n_layer=3, n_head=2, n_embd=12))
    with handmade.no_grad():
        for parameter in gpt.parameters():
            parameter.mul_(8)
    return {"gpt": gpt, "bert": BertForMaskedLM(LIVELY)}


@pytest.mark.parametrize("name", ["gpt", "bert"])
def test_the_last_layer_says_what_the_model_says(rng, name):
    model = models()[name]
    tokens = rng.integers(1, 30, 7)
    guesses = lens.logit_lens(model, tokens)
    layers = {"gpt": 4, "bert": 3}[name]
    assert guesses.tokens.shape == guesses.probabilities.shape == (layers, 7)
    output = model.eval()(handmade.tensor(tokens[None]))
    probabilities = (output[0] if name == "gpt" else output)[0].softmax(-1).numpy()
    assert guesses.tokens[-1].tolist() == probabilities.argmax(-1).tolist()
    assert guesses.probabilities[-1] == pytest.approx(probabilities.max(-1), rel=1e-5)


def test_a_row_is_what_the_model_says_without_the_layers_above(rng):
    model = models()["gpt"].eval()
    tokens = rng.integers(1, 30, 7)
    guesses = lens.logit_lens(model, tokens)
    blocks = list(model.transformer.h)
    for kept in range(4):
        model.transformer.h = handmade.nn.ModuleList(blocks[:kept])
        probabilities = model(handmade.tensor(tokens[None]))[0][0].softmax(-1).numpy()
        assert guesses.tokens[kept].tolist() == probabilities.argmax(-1).tolist()
        assert guesses.probabilities[kept] == pytest.approx(probabilities.max(-1), rel=1e-5)


def test_a_model_without_a_stream():
    with pytest.raises(InputError, match="the logit lens reads a GPT, or a BERT with its head; RecurrentLM is neither"):
        lens.logit_lens(char_gru(20), np.array([1, 2]))


@pytest.mark.slow
@pytest.mark.parametrize(("layers", "length", "word"), [(2, 1, "a"), (13, 4, "wonderful"), (3, 200, "word")])
def test_the_picture_is_of_a_sensible_size(rng, tmp_path, layers, length, word):
    path = tmp_path / "lens.png"
    names = [[word] * length for _ in range(layers)]
    lens.draw_logit_lens(
        path, names, rng.random((layers, length)), [word] * length, [*[word] * (length - 1), None], "m"
    )
    with Image.open(path) as picture:
        assert 200 < min(picture.size) <= max(picture.size) < 4000


def test_right_guesses_have_frames(tmp_path, monkeypatch):
    framed = []
    note = lambda axes, left, top, *_: framed.append((round(left + 0.46), round(top + 0.43)))
    monkeypatch.setattr("handmade.draw.tokens.frame", note)
    names = [["a", "b", "c"], ["b", "c", "a"]]
    lens.draw_logit_lens(tmp_path / "l.png", names, np.full((2, 3), 0.5), list("abc"), ["b", "c", None], "a model")
    assert framed == [(0, 1), (1, 1)]
