"""Beam search against brute force, against its definition written plainly, and with states of several kinds."""

import itertools
from typing import NamedTuple

import numpy as np
import pytest

from handmade.errors import InputError
from handmade.text import Hypothesis, beam_search, greedy_search, prefix_step, take_rows

EOS, V = 1, 4


def log_softmax(scores):
    return scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))


def random_model(seed: int, size: int = V, sharpness: float = 1.5):
    """Log-probabilities that depend on the whole prefix, without any structure."""

    def log_probs(prefix):
        rows = [np.random.default_rng([seed, *row]).normal(size=size) for row in prefix.tolist()]
        return log_softmax(sharpness * np.array(rows))

    return log_probs


def brute_force(log_probs, prompt, max_len, alpha):
    """Every sequence that ends in EOS, or is open at `max_len`, with its score; best first."""
    found = []
    for length in range(1, max_len + 1):
        for tokens in itertools.product(range(V), repeat=length):
            if EOS in tokens[:-1] or (tokens[-1] != EOS and length < max_len):
                continue
            log_p = sum(log_probs(np.array([[*prompt, *tokens[:t]]]))[0, token] for t, token in enumerate(tokens))
            found.append(Hypothesis(list(tokens), log_p / ((5 + length) / 6) ** alpha))
    return sorted(found, key=lambda hypothesis: -hypothesis.score)


def plain_beam_search(log_probs, prompt, beam, max_len, alpha, eos=EOS):
    """The definition for one sentence, step by step, without stopping early."""
    live, found = [([], 0.0)], []
    for length in range(1, max_len + 1):
        candidates = [
            ([*tokens, token], total + score)
            for tokens, total in live
            for token, score in enumerate(log_probs(np.array([[*prompt, *tokens]]))[0])
        ]
        best = sorted(candidates, key=lambda candidate: -candidate[1])[:beam]
        done = [(tokens, total) for tokens, total in best if tokens[-1] == eos or length == max_len]
        found += [Hypothesis(tokens, total / ((5 + length) / 6) ** alpha) for tokens, total in done]
        live = [candidate for candidate in best if candidate not in done]
    return sorted(found, key=lambda hypothesis: -hypothesis.score)[:beam]


def assert_same(found, expected):
    assert [hypothesis.tokens for hypothesis in found] == [hypothesis.tokens for hypothesis in expected]
    np.testing.assert_allclose([h.score for h in found], [h.score for h in expected], rtol=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 2.0])
@pytest.mark.parametrize("max_len", [1, 2, 4])
def test_a_beam_wide_enough_finds_what_brute_force_finds(alpha, max_len):
    log_probs, prompt = random_model(0), np.array([[0, 2], [3, 0], [2, 2]])
    found = beam_search(prefix_step(log_probs), None, prompt, eos=EOS, beam=V**max_len, max_len=max_len, alpha=alpha)
    for row, hypotheses in zip(prompt.tolist(), found, strict=True):
        assert_same(hypotheses, brute_force(log_probs, row, max_len, alpha))


@pytest.mark.slow
@pytest.mark.parametrize("beam", [1, 2, 3, 5])
@pytest.mark.parametrize("alpha", [0.0, 0.6, 3.0])
@pytest.mark.parametrize("sharpness", [0.5, 3.0])
def test_narrow_beams_follow_the_definition(beam, alpha, sharpness):
    for seed in range(5):
        log_probs, prompt = random_model(seed, size=6, sharpness=sharpness), np.array([[0], [2], [5]])
        found = beam_search(prefix_step(log_probs), None, prompt, eos=EOS, beam=beam, max_len=7, alpha=alpha)
        for row, hypotheses in zip(prompt.tolist(), found, strict=True):
            assert_same(hypotheses, plain_beam_search(log_probs, row, beam, 7, alpha))


def test_greedy_takes_the_most_probable_token_each_time():
    log_probs, prompt = random_model(3, size=6), np.array([[0], [2], [5], [4]])
    for row, hypothesis in zip(
        prompt.tolist(), greedy_search(prefix_step(log_probs), None, prompt, eos=EOS, max_len=6), strict=True
    ):
        tokens, score = [], 0.0
        while len(tokens) < 6 and EOS not in tokens:
            scores = log_probs(np.array([row + tokens]))[0]
            tokens.append(int(scores.argmax()))
            score += scores.max()
        assert hypothesis.tokens == tokens
        np.testing.assert_allclose(hypothesis.score, score)


def test_ties_go_to_the_better_hypothesis_then_the_lower_token():
    def three_levels(prefix):
        return np.log([[0.002, 0.003, 0.005] * 100] * len(prefix))

    found = beam_search(prefix_step(three_levels), None, np.array([[0]]), eos=0, beam=150, max_len=1)
    assert [hypothesis.tokens for hypothesis in found[0]] == [
        *([token] for token in range(2, 300, 3)),
        *([token] for token in range(1, 150, 3)),
    ]


def test_length_normalisation_lets_a_longer_hypothesis_win():
    def log_probs(prefix):
        return np.log([[0.001, 0.6, 0.399] if len(row) == 1 else [0.001, 0.998, 0.001] for row in prefix])

    def best(alpha):
        step = prefix_step(log_probs)
        return beam_search(step, None, np.array([[0]]), eos=1, beam=2, max_len=3, alpha=alpha)[0][0]

    assert best(0.0).tokens == [1]
    assert best(5.0).tokens == [2, 1]
    np.testing.assert_allclose(best(5.0).score, np.log(0.399 * 0.998) / (7 / 6) ** 5)


class Layer(NamedTuple):
    keys: np.ndarray
    values: np.ndarray


def test_states_follow_their_hypotheses(rng):
    """A recurrent state, a growing key-value cache and an encoder's output, in a dict; against no state at all."""
    embedding, recurrent, output = rng.normal(size=(6, 3)), rng.normal(size=(3, 3)), 2 * rng.normal(size=(3, 6))
    memory = {0: rng.normal(size=(4, 3)), 2: rng.normal(size=(4, 3)), 5: rng.normal(size=(4, 3))}

    def read(hidden, keys, source):  # (R, 3), (R, T, 3), (R, S, 3) -> (R, 6)
        attended = [
            (np.exp(k @ h) @ k / np.exp(k @ h).sum()) + (s @ h) @ s
            for h, k, s in zip(hidden, keys, source, strict=True)
        ]
        return log_softmax(np.array(attended) @ output)

    def with_state(tokens, state):
        hidden, [cache], source = state["hidden"], state["layers"], state["source"]
        for column in tokens.T:
            hidden = np.tanh(hidden @ recurrent + embedding[column])
        cache = Layer(np.concatenate([cache.keys, embedding[tokens]], axis=1), cache.values)
        return read(hidden, cache.keys, source), {"hidden": hidden, "layers": [cache], "source": source, "bias": None}

    def without_state(prefix):
        hidden = np.zeros((len(prefix), 3))
        for column in prefix.T:
            hidden = np.tanh(hidden @ recurrent + embedding[column])
        return read(hidden, embedding[prefix], np.array([memory[first] for first in prefix[:, 0]]))

    prompt = np.array([[0, 3], [2, 4], [5, 0]])
    state = {"hidden": np.zeros((3, 3)), "layers": [Layer(np.zeros((3, 0, 3)), np.zeros((3, 1)))], "bias": None}
    state["source"] = np.array([memory[first] for first in prompt[:, 0]])
    options = {"eos": EOS, "beam": 4, "max_len": 8, "alpha": 0.6}
    found = beam_search(with_state, state, prompt, **options)
    expected = beam_search(prefix_step(without_state), None, prompt, **options)
    for hypotheses, others in zip(found, expected, strict=True):
        assert_same(hypotheses, others)
    assert len({tuple(hypothesis.tokens) for hypotheses in found for hypothesis in hypotheses}) > 3


def test_a_reorder_of_ones_own():
    """The prefixes stand in columns, as the rows of PyTorch's recurrent states do."""
    log_probs, prompt = random_model(1), np.array([[0], [2]])

    def step(tokens, prefix):
        prefix = np.concatenate([prefix, tokens.T])
        return log_probs(prefix.T), prefix

    options = {"eos": EOS, "beam": 3, "max_len": 5}
    found = beam_search(step, np.zeros((0, 2), int), prompt, reorder=lambda state, rows: state[:, rows], **options)
    assert found == beam_search(prefix_step(log_probs), None, prompt, **options)


def test_sentences_that_are_finished_cost_nothing_more():
    calls = []

    def log_probs(prefix):
        calls.append(prefix[:, 0].tolist())
        end = {0: 0.99, 2: 0.001}
        return np.log([[(1 - end[row[0]]) / 2, end[row[0]], (1 - end[row[0]]) / 2] for row in prefix])

    found = beam_search(prefix_step(log_probs), None, np.array([[0], [2]]), eos=1, beam=2, max_len=5)
    assert found[0][0].tokens == [1]
    assert calls[0] == [0, 2]  # one row a sentence at first
    assert calls[1] == [0, 2, 2]
    assert 0 not in calls[2]  # two finished ones that nothing open can reach
    assert len(calls) == 5


def test_impossible_tokens_are_never_taken():
    def log_probs(prefix):
        return np.tile([-np.inf, -np.inf, 0.0], (len(prefix), 1))

    found = beam_search(prefix_step(log_probs), None, np.array([[0]]), eos=1, beam=3, max_len=4)
    assert found == [[Hypothesis([2, 2, 2, 2], 0.0)]]


def test_float32_log_probabilities_are_summed_in_float64():
    def log_probs(prefix):
        return np.tile(np.log([0.1, 0.2, 0.7]), (len(prefix), 1)).astype(np.float32)

    [[best]] = beam_search(prefix_step(log_probs), None, np.array([[0]]), eos=1, beam=1, max_len=1000)
    np.testing.assert_allclose(best.score, 1000 * float(np.float32(np.log(0.7))), rtol=1e-12)


def test_no_sentences():
    step = prefix_step(lambda prefix: np.zeros((len(prefix), 3)))
    assert beam_search(step, None, np.zeros((0, 1), int), eos=1, beam=2, max_len=3) == []


STEP = prefix_step(random_model(0))
OPTIONS = {"eos": EOS, "beam": 2, "max_len": 3}


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"beam": 0}, "beam: got 0, expected 1"),
        ({"max_len": 0}, "max_len: got 0, expected 1"),
        ({"alpha": -0.5}, "alpha: got -0.5, expected 0"),
    ],
)
def test_options_out_of_range(option, message):
    with pytest.raises(InputError, match=message):
        beam_search(STEP, None, np.array([[0]]), **OPTIONS | option)


@pytest.mark.parametrize("row", [[0.5, -1.0], [np.nan, -1.0], [-np.inf, -np.inf]])
def test_scores_that_are_no_log_probabilities(row):
    step = prefix_step(lambda prefix: np.array([row] * len(prefix)))
    with pytest.raises(ValueError, match="expected log-probabilities; call log_softmax"):
        beam_search(step, None, np.array([[0]]), **OPTIONS)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 1, 3)])
def test_scores_of_a_wrong_shape(shape):
    with pytest.raises(ValueError, match=r"shape .*, expected \(1, V\)"):
        beam_search(lambda tokens, state: (np.zeros(shape), state), None, np.array([[0]]), **OPTIONS)


def test_a_state_that_take_rows_cannot_divide():
    with pytest.raises(TypeError, match="state: got object, expected arrays in tuples, lists or dicts"):
        take_rows({"cache": [object()]}, np.array([0]))
