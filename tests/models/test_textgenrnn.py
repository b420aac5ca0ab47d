"""textgenrnn: the published weights write English; every step equals a plain loop with Keras's formulas."""

import runpy
import shutil
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

import handmade
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.models.textgenrnn import NOTHING, START, textgenrnn
from handmade.weights import load, save, textgenrnn_tokenizer

EXAMPLE = Path(__file__).parents[2] / "examples" / "textgenrnn.py"


@pytest.fixture(scope="module")
def data_folder(from_package, tmp_path_factory) -> Path:
    """A folder for HANDMADE_DATA with the published weights."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "weights").mkdir()
    shutil.copy(from_package("textgenrnn==2.0.0", "textgenrnn/textgenrnn_weights.hdf5"), folder / "weights")
    return folder


@pytest.fixture
def model(data_folder, monkeypatch):
    monkeypatch.setenv("HANDMADE_DATA", str(data_folder))
    made = textgenrnn()
    load(made, "textgenrnn")
    return made


@pytest.fixture(scope="module")
def keras(data_folder):
    """Keras's formulas over the file's arrays, in float64: tokens (40) -> scores (465)."""
    with h5py.File(data_folder / "weights" / "textgenrnn_weights.hdf5") as file:
        found = {}
        file.visititems(lambda name, node: found.update({name: node}))
        arrays = {name: node[()].astype("float64") for name, node in found.items() if isinstance(node, h5py.Dataset)}
    embedding = arrays["embedding/embedding/embeddings:0"]
    lstms = [keras_lstm(*[arrays[f"{name}/{name}/{part}:0"] for part in PARTS]) for name in ("rnn_1", "rnn_2")]
    w = arrays["attention/attention/attention_W:0"][:, 0]
    kernel, bias = arrays["output/output/kernel:0"], arrays["output/output/bias:0"]

    def scores(tokens):
        layers = [embedding[tokens]]
        for lstm in lstms:
            layers.append(lstm(layers[-1]))
        z = np.concatenate(layers, axis=1)
        a = np.exp(z @ w - (z @ w).max())
        return (a / a.sum()) @ z @ kernel + bias

    return scores


PARTS = ("kernel", "recurrent_kernel", "bias")


def keras_lstm(kernel, recurrent_kernel, bias):
    """A function of x (40, in): h = o tanh(c) along it, as Keras runs an LSTM that cuDNN trained.

    Keras (2.1.5, preprocess_weights_for_loading) takes from each gate of the input's kernel its transpose, laid anew
    in Fortran's order, of the recurrent kernel the transpose, and of the two biases the sum.
    """

    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    inputs, size = len(kernel), len(recurrent_kernel)
    W = [gate.T.reshape((inputs, size), order="F") for gate in np.split(kernel, 4, axis=1)]
    U = [np.ascontiguousarray(gate.T) for gate in np.split(recurrent_kernel, 4, axis=1)]
    b = np.split(bias[: 4 * size] + bias[4 * size :], 4)

    def along(x):
        h, c, outputs = np.zeros(size), np.zeros(size), []
        for step in x:
            i, f, g, o = (step @ W[gate] + h @ U[gate] + b[gate] for gate in range(4))
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            outputs.append(h)
        return np.array(outputs)

    return along


def run_example(monkeypatch, capsys, data_folder, *arguments):
    monkeypatch.setenv("HANDMADE_DATA", str(data_folder))
    monkeypatch.setattr(sys, "argv", ["textgenrnn.py", *arguments])
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    return capsys.readouterr().out


@pytest.mark.slow
def test_the_likeliest_text_equals_a_plain_loops(monkeypatch, capsys, data_folder, keras):
    tokenizer = textgenrnn_tokenizer()
    tokens = [START, *tokenizer.encode("What is")]
    while len(tokens) <= 60:
        window = ([NOTHING] * 40 + tokens)[-40:]
        tokens.append(int(keras(np.array(window))[1:].argmax()) + 1)
    text = tokenizer.decode(tokens)
    assert len(text) == 60
    arguments = ["--prompt", "What is", "--length", "53", "--temperature", "0"]
    assert run_example(monkeypatch, capsys, data_folder, *arguments) == text + "\n"


@pytest.mark.slow
def test_drawn_text_is_english(monkeypatch, capsys, data_folder):
    words = []
    for seed in range(4):
        arguments = ["--temperature", "0.3", "--length", "60", "--seed", str(seed)]
        words += run_example(monkeypatch, capsys, data_folder, *arguments).split()
    frequent = {"the", "a", "to", "of", "and", "in", "my", "I", "is", "for", "on", "with", "you", "that", "this", "me"}
    assert len(words) > 20
    assert sum(word in frequent for word in words) / len(words) > 0.2
    assert sum(word.isalpha() for word in words) / len(words) > 0.7


def test_scores_equal_kerass(model, keras, rng):
    model.double()
    for length in (1, 13, 40, 55):
        tokens = rng.integers(1, 464, length)
        window = np.pad(tokens[-40:], (max(0, 40 - length), 0))
        np.testing.assert_allclose(model(Tensor(tokens[None])).array[0], keras(window), rtol=1e-10)


# ---- without the published weights


def test_the_characters_are_those_of_the_weights():
    tokenizer = textgenrnn_tokenizer()
    assert len(tokenizer.vocabulary) == 465
    assert tokenizer.vocabulary.tokens[START] == "<s>"
    assert tokenizer.decode([START, *tokenizer.encode("Hello, world?"), START]) == "Hello, world?"
    with pytest.raises(InputError, match="☃"):
        tokenizer.encode("a ☃")


def test_parameters_and_gradients(rng):
    model = textgenrnn()
    assert sum(parameter.numel() for parameter in model.parameters()) == 462_717
    scores = model(Tensor(rng.integers(0, 465, (3, 7))))
    assert scores.shape == (3, 465)
    (scores * handmade.randn(3, 465)).sum().backward()
    assert all(np.abs(parameter.grad.array).max() > 0 for parameter in model.parameters())


def test_weights_saved_by_handmade_load_again(tmp_path):
    first, second = textgenrnn(), textgenrnn()
    save(tmp_path / "mine.safetensors", {name: tensor.array for name, tensor in first.state_dict().items()})
    load(second, tmp_path / "mine.safetensors")
    np.testing.assert_array_equal(first.rnn_2.weight_hh_l0.array, second.rnn_2.weight_hh_l0.array)


def test_weights_of_another_shape(tmp_path):
    with h5py.File(tmp_path / "other.hdf5", "w") as file:
        file["rnn_1/rnn_1/kernel:0"] = np.zeros((100, 510), "float32")
    with pytest.raises(InputError, match=r"other\.hdf5: "):
        load(textgenrnn(), tmp_path / "other.hdf5")
