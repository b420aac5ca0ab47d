"""handmade.open: runs of every kind, published weights, and what cannot be opened."""

from pathlib import Path

import numpy as np
import pytest

import handmade
from handmade.errors import InputError
from handmade.opening import open_as
from handmade.tasks import (
    Classifier,
    Encoder,
    Filler,
    LineWriter,
    Listener,
    Translator,
    TriggerListener,
    Use,
    Writer,
)
from handmade.weights import save

RUNS = Path(__file__).parent / "fixtures" / "runs"
KINDS = {
    "language": Writer,
    "lines": LineWriter,
    "gpt": Writer,
    "masked": Filler,
    "translation": Translator,
    "transformer": Translator,
    "speech": Listener,
    "trigger": TriggerListener,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_gives_what_its_model_is_used_with(kind):
    used = handmade.open(RUNS / kind)
    assert type(used) is KINDS[kind]
    assert isinstance(used, Use)
    assert used.trained
    assert open_as(KINDS[kind], str(RUNS / kind)).name == used.name


@pytest.mark.slow
def test_text_is_written_at_once_or_piece_by_piece():
    writer = handmade.open(RUNS / "gpt")
    text = writer.write("ROMEO:", 20, 3)
    assert text.startswith("ROMEO:")
    assert len(text) == 26
    assert "".join(writer.stream("ROMEO:", 20, 3)) == text == writer.write("ROMEO:", 20, np.random.default_rng(3))
    assert text == writer.write_several("ROMEO:", 1, 20, 3)[0]
    assert writer.forgets("ROMEO:") is None
    assert "sees at most 16 at once" in writer.forgets("To be, or not to be, that is")


def test_a_network_with_weights_and_without(tmp_path, rng):
    from handmade.models import resnet20

    image = rng.integers(0, 256, (3, 40, 40)).astype(np.uint8)
    model = resnet20()
    save(tmp_path / "mine.safetensors", {name: tensor.array for name, tensor in model.state_dict().items()})
    used = handmade.open("resnet20", weights=tmp_path / "mine.safetensors")
    assert isinstance(used, Classifier)
    assert used.trained
    expected = model.eval()(used.input(image)).softmax(dim=1).numpy()
    np.testing.assert_allclose(used.probabilities([image]), expected, rtol=1e-5)
    assert not handmade.open("resnet20").trained


@pytest.mark.slow
def test_a_bert_with_its_head_fills_and_one_without_encodes(tmp_path, monkeypatch):
    from handmade.models import ZOO
    from handmade.models.bert import CONFIGURATIONS, BertConfig, BertForMaskedLM

    small = BertConfig(vocab_size=30522, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
    monkeypatch.setitem(CONFIGURATIONS, "bert-base-uncased", small)
    model = BertForMaskedLM(small)
    save(tmp_path / "model.safetensors", {name: tensor.array for name, tensor in model.state_dict().items()})
    filler = handmade.open("bert-base-uncased", weights=tmp_path)
    assert isinstance(filler, Filler)
    (best,) = filler.fill("The capital of France is [MASK].", 3)
    assert len(best) == 3
    tokens = filler.tokenizer.around("The capital of France is [MASK].")
    with handmade.no_grad():
        logits = model.eval()(handmade.tensor([tokens]))[0, 6]  # [CLS] the capital of france is [MASK]
    order = [token for token in logits.numpy().argsort()[::-1].tolist() if token not in filler.tokenizer.special]
    assert [piece for piece, _ in best] == filler.tokenizer.pieces(order[:3])
    assert filler.describe("is [MASK].").startswith(f"is {filler.fill('is [MASK].')[0][0][0].removeprefix('##')}.\n")
    assert filler.describe("\x1b[2J\u202e is [MASK].").startswith(r"\x1b[2J\u202e is ")
    assert "minilm" in ZOO
    encoder = handmade.open("minilm")
    assert isinstance(encoder, Encoder)
    assert not encoder.trained
    np.testing.assert_allclose(np.linalg.norm(encoder.encode(["a cat"]), axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("source", "weights", "message"),
    [
        (RUNS / "gpt", "gpt2", "is a run and has weights of its own; weights are given with the name of a model"),
        (RUNS, None, r"runs holds no run: there is no .*config\.json"),
        (RUNS / "images", None, "has no trained model yet: resume the run until an epoch has ended"),
        ("resnet51", None, "'resnet51' is neither the folder of a run nor a model of the zoo; did you mean 'resnet"),
        ("char-lstm", None, "char-lstm has no published weights to be used with: train it, and open its run"),
        ("gpt2", None, "gpt2 writes with published weights: download model.safetensors, vocab.json and merges.txt"),
        ("resnet20", "nowhere.pt", "nowhere.pt"),
    ],
)
def test_what_cannot_be_opened_is_said(source, weights, message):
    with pytest.raises(InputError, match=message):
        handmade.open(source, weights=weights)


def test_a_model_that_does_something_else_is_refused():
    with pytest.raises(InputError, match="gpt holds a run of gpt, which does not translate"):
        open_as(Translator, RUNS / "gpt")
    with pytest.raises(InputError, match="resnet20 does not write text or translate"):
        open_as((Writer, Translator), "resnet20")
