"""The gates of a recurrent language model, against the model itself and against its steps written out."""

import numpy as np
import pytest

import handmade
from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.lens import next_token_losses
from handmade.lens.gates import Held, following, layers_of, loss_with_step, patterns, read_gates, write_on
from handmade.models.char_lm import RecurrentLM, char_gru, char_lstm, char_rnn
from handmade.nn import LSTM
from handmade.tasks.language.writer import step_of
from handmade.text.sampling import generate
from handmade.workshop.exercises import exercise_named

TOKENS = np.array([3, 1, 4, 1, 5, 2])


@pytest.fixture(scope="module", params=[char_lstm, char_gru])
def model(request):
    handmade.manual_seed(0)
    model = request.param(7, hidden_size=5, num_layers=2, embedding_dim=4)
    with no_grad():
        for parameter in model.parameters():
            parameter.array *= 3  # gates that open and close
    return model


def test_it_reads_what_the_model_computes(model):
    read = read_gates(model, TOKENS, 1)
    logits, final = model.read(Tensor(TOKENS[None]))
    np.testing.assert_allclose(read.log_probabilities, logits.log_softmax(-1).array[0], atol=1e-5)
    np.testing.assert_allclose(read.losses(TOKENS), next_token_losses(model, TOKENS), atol=1e-5)
    for name, state in zip(layers_of(model)[1].states, final, strict=True):
        np.testing.assert_allclose(read.signals[name][-1], state.array[1, 0], atol=1e-6)
    np.testing.assert_array_equal(read.inputs, read_gates(model, TOKENS, 0).signals["h"])


def test_the_signals_are_those_of_the_exercises_step(model):
    layer, read = layers_of(model)[0], read_gates(model, TOKENS)
    exercise = exercise_named("lstm_step" if layer.is_lstm else "gru_step")
    given = exercise.functions[0](*layer.arguments(read.inputs, *(read.before(name) for name in layer.states)))
    for name, values in zip(layer.states, given if layer.is_lstm else (given,), strict=True):
        np.testing.assert_allclose(read.signals[name], values, atol=1e-6)
    s, total = read.signals, read.from_x + read.from_h
    if layer.is_lstm:
        np.testing.assert_allclose(s["f"], 1 / (1 + np.exp(-total[:, 5:10])), atol=1e-6)
        np.testing.assert_allclose(s["c"], s["f"] * read.before("c") + s["i"] * s["g"], atol=1e-6)
        np.testing.assert_allclose(s["h"], s["o"] * np.tanh(s["c"]), atol=1e-6)
    else:
        np.testing.assert_allclose(s["z"], 1 / (1 + np.exp(-total[:, 5:10])), atol=1e-6)
        np.testing.assert_allclose(s["n"], np.tanh(read.from_x[:, 10:] + s["r"] * read.from_h[:, 10:]), atol=1e-6)
        np.testing.assert_allclose(s["h"], (1 - s["z"]) * s["n"] + s["z"] * read.before("h"), atol=1e-6)


def test_a_step_by_another_function_has_its_own_loss(model):
    (function,) = exercise_named("lstm_step" if layers_of(model)[0].is_lstm else "gru_step").functions
    step = function if layers_of(model)[0].is_lstm else lambda *given: (function(*given),)
    assert loss_with_step(model, TOKENS, step) == pytest.approx(read_gates(model, TOKENS).losses(TOKENS).mean(), 1e-5)
    nothing = lambda x, h, *rest: (np.zeros_like(h),) * len(layers_of(model)[0].states)
    same = np.full(len(TOKENS), 0)  # a state of zeros says the same after every token
    logits = model.out.bias.array.astype(np.float64)
    expected = -(logits - np.log(np.exp(logits).sum()))[same[1:]].mean()
    assert loss_with_step(model, same, nothing) == pytest.approx(expected, 1e-5)


def test_what_is_held_keeps_its_value_and_changes_what_follows(model):
    free = read_gates(model, TOKENS, 1)
    signal = layers_of(model)[0].signals[1]  # f, or z
    for unit, columns in ((2, [2]), (None, [0, 1, 2, 3, 4])):
        held = [Held(0, signal, unit, 0.25)]
        below = read_gates(model, TOKENS, 0, held)
        np.testing.assert_array_equal(below.signals[signal][:, columns], 0.25)
        read = read_gates(model, TOKENS, 1, held)
        np.testing.assert_allclose(read.signals[signal][0], free.signals[signal][0], atol=0.2)
        assert not np.allclose(read.log_probabilities[-1], free.log_probabilities[-1], atol=1e-3)
    zero = read_gates(model, TOKENS, 1, [Held(1, "h", None, 0.0)])
    np.testing.assert_allclose(zero.log_probabilities, zero.log_probabilities[:1].repeat(len(TOKENS), 0))


def test_it_writes_what_the_model_writes(model):
    rows = generate(step_of(model), None, TOKENS[None], np.random.default_rng(3), max_len=8, temperature=0.8)
    written = list(write_on(model, TOKENS, 8, np.random.default_rng(3), temperature=0.8))
    assert written == [int(row[0]) for row in rows]
    assert written != list(write_on(model, TOKENS, 8, np.random.default_rng(3), [Held(1, "h", None, 0.0)], 0.8))


def test_patterns_of_a_text():
    found = patterns(list('Oh "no"\nhe'))
    assert found["place in the line"].tolist() == [1, 2, 3, 4, 5, 6, 7, 0, 1, 2]
    assert found["line ends"].tolist() == [0] * 7 + [1, 0, 0]
    assert found["place in the word"].tolist() == [1, 2, 0, 0, 1, 2, 0, 0, 1, 2]
    assert found["capitals"].tolist() == [1] + [0] * 9
    assert found["quotes"].tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 0, 0]
    assert list(patterns(list("aa"))) == ["place in the line", "place in the word"]
    assert patterns(["a"]) == {}


def test_how_closely_a_unit_follows(rng):
    values, pattern = rng.standard_normal((9, 3)), rng.standard_normal(9)
    values[:, 1] = 2 - 3 * pattern
    values[:, 2] = 0.5
    expected = [np.corrcoef(values[:, 0], pattern)[0, 1], -1, 0]
    np.testing.assert_allclose(following(values, pattern), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("layer", "held", "said"),
    [
        (2, [], "no layer 2: there are 2"),
        (0, [Held(3, "h", 0, 0.0)], "no layer 3"),
        (0, [Held(0, "q", 0, 0.0)], "no signal 'q'"),
        (0, [Held(0, "h", 5, 0.0)], "no unit 5 in layer 0: there are 5"),
    ],
)
def test_what_is_not_there_is_said(model, layer, held, said):
    with pytest.raises(InputError, match=said):
        read_gates(model, TOKENS, layer, held)


def test_other_networks_are_refused(model):
    with pytest.raises(InputError, match="no tokens"):
        read_gates(model, TOKENS[:0])
    with pytest.raises(InputError, match="RNN has no gates"):
        read_gates(char_rnn(7, 5, 1, 4), TOKENS)
    with pytest.raises(InputError, match="peepholes"):
        read_gates(RecurrentLM(7, 4, LSTM(4, 5, batch_first=True, peepholes=True)), TOKENS)
