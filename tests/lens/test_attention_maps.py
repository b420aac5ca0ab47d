"""Attention maps: what is recorded, and that the picture can be read."""

import numpy as np
import pytest
from PIL import Image

import handmade
from handmade import lens
from handmade.errors import InputError
from handmade.models import char_gru, transformer
from handmade.models.bert import BertConfig, BertModel
from handmade.models.gpt import GPT, GPTConfig

SIZES = {"hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 8}


def test_a_map_for_every_layer_and_head(rng):
    model = BertModel(BertConfig(vocab_size=20, **SIZES))
    maps = lens.attention_maps(model, handmade.tensor(rng.integers(1, 20, (1, 5))))
    assert [layer.shape for layer in maps] == [(3, 5, 5)] * 2
    assert np.concatenate(maps).sum(axis=-1) == pytest.approx(1)
    assert model.training, "the model is left as it was"


def test_the_first_layer_by_hand(rng):
    model = BertModel(BertConfig(vocab_size=20, **SIZES)).double()
    tokens = handmade.tensor(rng.integers(1, 20, (1, 5)))
    (first, _) = lens.attention_maps(model, tokens)
    attention = model.eval().encoder.layer[0].attention.self
    x = model.embeddings(tokens, None)
    query, key = (part(x).numpy()[0].reshape(5, 3, 4).transpose(1, 0, 2) for part in (attention.query, attention.key))
    scores = np.exp(query @ key.transpose(0, 2, 1) / 2)
    assert first == pytest.approx(scores / scores.sum(axis=-1, keepdims=True))


def test_a_gpt_looks_at_no_later_token(rng):
    model = GPT(GPTConfig(20, 8, n_layer=2, n_head=2, n_embd=12))
    maps = lens.attention_maps(model, handmade.tensor(rng.integers(0, 20, (1, 6))))
    assert [layer.shape for layer in maps] == [(2, 6, 6)] * 2
    assert not np.triu(np.concatenate(maps), 1).any()


def test_a_transformers_layers_in_order(rng):
    model = transformer(20, "small", d_model=8, num_heads=2, num_layers=2, dim_feedforward=8)
    source, target = (handmade.tensor(rng.integers(4, 20, (1, length))) for length in (7, 4))
    maps = lens.attention_maps(model, source, target)
    assert [layer.shape[1:] for layer in maps] == [(7, 7), (7, 7), (4, 4), (4, 7), (4, 4), (4, 7)]


def test_a_model_without_attention(rng):
    with pytest.raises(InputError, match="RecurrentLM has no attention whose maps could be drawn"):
        lens.attention_maps(char_gru(20), handmade.tensor([[1, 2]]))


def weights(rng, layers, heads, rows, columns):
    drawn = rng.random((layers, heads, rows, columns)) ** 6
    return list(drawn / drawn.sum(axis=-1, keepdims=True))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layers", "heads", "rows", "columns"), [(1, 1, 3, 9), (2, 3, 9, 4), (12, 12, 7, 7), (2, 2, 300, 300), (1, 1, 1, 1)]
)
def test_the_picture_is_of_a_sensible_size(rng, tmp_path, layers, heads, rows, columns):
    maps = weights(rng, layers, heads, rows, columns)
    path = tmp_path / "attention.png"
    names = [["a", "word", "[SEP]"][place % 3] for place in range(300)]
    lens.draw_attention_maps(path, maps, names[:rows], names[:columns], "a model")
    with Image.open(path) as picture:
        assert 150 < min(picture.size) <= max(picture.size) < 4000


def test_equal_weights_have_equal_colours_in_all_maps(rng, tmp_path, monkeypatch):
    """One scale from 0 to 1, whatever the largest weight of a map is."""
    from matplotlib.axes import Axes

    drawn = []
    original = Axes.imshow
    monkeypatch.setattr(
        Axes, "imshow", lambda self, *args, **kwargs: drawn.append(original(self, *args, **kwargs)) or drawn[-1]
    )
    lens.draw_attention_maps(tmp_path / "a.png", weights(rng, 2, 2, 3, 3), list("abc"), list("abc"), "a model")
    assert {image.get_clim() for image in drawn} == {(0, 1)}
    assert len({image.norm(0.3) for image in drawn}) == 1
