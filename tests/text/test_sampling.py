import numpy as np
import pytest
import torch

from handmade.errors import InputError
from handmade.text import generate, greedy_search, penalise_repetition, prefix_step, sample, sample_probabilities

LOGITS = np.log([0.1, 0.4, 0.2, 0.3])


def test_softmax_with_temperature(rng):
    logits = rng.normal(size=(3, 5, 7))
    for temperature in (0.3, 1.0, 2.5):
        expected = torch.softmax(torch.tensor(logits) / temperature, dim=-1).numpy()
        np.testing.assert_allclose(sample_probabilities(logits, temperature=temperature), expected, rtol=1e-12)


def test_temperature_zero_puts_all_on_the_first_maximum():
    logits = np.array([[1.0, 3.0, 3.0], [0.0, -1.0, -2.0]])
    np.testing.assert_array_equal(sample_probabilities(logits, temperature=0.0), [[0, 1, 0], [1, 0, 0]])
    assert sample_probabilities(np.zeros(100_000), temperature=0.0).sum() == 1  # no square of the vocabulary


def test_top_k():
    np.testing.assert_allclose(sample_probabilities(LOGITS, top_k=2), [0, 4 / 7, 0, 3 / 7])
    np.testing.assert_allclose(sample_probabilities(LOGITS, top_k=9), [0.1, 0.4, 0.2, 0.3])


def test_top_k_of_equal_logits_keeps_the_first():
    np.testing.assert_array_equal(sample_probabilities(np.zeros(4), top_k=2), [0.5, 0.5, 0, 0])


@pytest.mark.parametrize(
    ("top_p", "expected"),
    [
        (1e-9, [0, 1, 0, 0]),
        (0.39, [0, 1, 0, 0]),
        (0.41, [0, 4 / 7, 0, 3 / 7]),  # the token that crosses p stays
        (0.71, [0, 4 / 9, 2 / 9, 3 / 9]),
        (1.0, [0.1, 0.4, 0.2, 0.3]),
    ],
)
def test_top_p(top_p, expected):
    np.testing.assert_allclose(sample_probabilities(LOGITS, top_p=top_p), expected)


def test_order_is_temperature_then_top_k_then_top_p_of_what_is_left():
    # After top-k 2 the probabilities are 4/7 and 3/7: 0.55 is reached by the first, though it had only 0.4 before.
    np.testing.assert_allclose(sample_probabilities(LOGITS, top_k=2, top_p=0.55), [0, 1, 0, 0])
    # At temperature 1/2 they are as 16 : 9 : 4 : 1, so 0.5 is reached by the first alone.
    np.testing.assert_allclose(sample_probabilities(LOGITS, temperature=0.5, top_p=0.5), [0, 1, 0, 0])


def test_all_together_in_a_batch_equals_row_by_row(rng):
    logits = rng.normal(size=(6, 11))
    options = {"temperature": 0.8, "top_k": 6, "top_p": 0.7}
    rows = [sample_probabilities(row, **options) for row in logits]
    np.testing.assert_allclose(sample_probabilities(logits, **options), rows, rtol=1e-14)
    np.testing.assert_allclose(np.sum(rows, axis=1), 1)


@pytest.mark.parametrize("scale", [1e4, 1e30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("temperature", [1.0, 1e-310])
def test_great_logits(rng, scale, dtype, temperature):
    logits = (scale * rng.normal(size=50)).astype(dtype)
    probabilities = sample_probabilities(logits, temperature=temperature, top_k=5, top_p=0.9)
    assert probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities, np.arange(50) == logits.argmax(), atol=1e-12)


def test_forbidden_tokens_have_no_probability():
    probabilities = sample_probabilities(np.array([0.0, -np.inf, 0.0]), top_p=0.99)
    np.testing.assert_array_equal(probabilities, [0.5, 0, 0.5])


@pytest.mark.parametrize("temperature", [-0.1, np.nan, np.inf])
def test_temperature_out_of_range(temperature):
    with pytest.raises(InputError, match=r"temperature: got .*, expected 0 .* or more"):
        sample_probabilities(LOGITS, temperature=temperature)


@pytest.mark.parametrize("top_p", [0.0, -1.0, 1.1, np.nan])
def test_top_p_out_of_range(top_p):
    with pytest.raises(InputError, match=r"top_p: got .*, expected above 0 and at most 1"):
        sample_probabilities(LOGITS, top_p=top_p)


def test_top_k_out_of_range():
    with pytest.raises(InputError, match="top_k: got 0, expected 1 or more"):
        sample_probabilities(LOGITS, top_k=0)


@pytest.mark.parametrize("row", [[np.nan, 0.0], [np.inf, 0.0], [-np.inf, -np.inf]])
def test_logits_that_are_none(row):
    with pytest.raises(ValueError, match="logits: expected a finite greatest logit"):
        sample_probabilities(np.array([[0.0, 1.0], row]))


def test_draws_follow_the_probabilities(rng):
    probabilities = np.array([[0.5, 0.0, 0.3, 0.2], [0.0, 0.0, 0.0, 1.0]])
    draws = sample(np.tile(probabilities, (20_000, 1, 1)), rng)
    assert (draws[:, 1] == 3).all()
    frequencies = np.bincount(draws[:, 0], minlength=4) / len(draws)
    np.testing.assert_allclose(frequencies, probabilities[0], atol=0.015)
    assert frequencies[1] == 0


def test_draws_stay_among_what_is_possible_at_the_ends_of_the_unit_interval():
    class Ends(np.random.Generator):
        def random(self, shape):
            return np.array([0.0, np.nextafter(1, 0)]).reshape(shape)

    probabilities = np.array([[0.0, 0.1, 0.7, 0.2, 0.0]] * 2)
    np.testing.assert_array_equal(sample(probabilities, Ends(np.random.PCG64())), [1, 3])


def test_repetition_penalty():
    logits = np.array([[2.0, -1.0, 0.5, -3.0], [2.0, -1.0, 0.5, -3.0]])
    penalised = penalise_repetition(logits, np.array([[0, 1, 0], [3, 3, 3]]), 2.0)
    np.testing.assert_array_equal(penalised, [[1.0, -2.0, 0.5, -3.0], [2.0, -1.0, 0.5, -6.0]])
    assert logits[0, 0] == 2.0


def test_repetition_penalty_out_of_range():
    with pytest.raises(InputError, match=r"repetition_penalty: got -1.0, expected above 0"):
        penalise_repetition(np.zeros((1, 2)), np.zeros((1, 1), int), -1.0)


@pytest.fixture
def step(rng):
    """The next token depends on all before it."""
    weights = rng.normal(size=(8, 5))

    def logits(prefix):
        return np.sin((prefix + 1.0) @ weights[: prefix.shape[1]] * 10) * 3

    return prefix_step(logits)


PROMPT = np.array([[0, 1], [3, 3], [2, 0]])


def test_generation_at_temperature_zero_is_greedy(step, rng):
    def log_probs(tokens, state):
        logits, state = step(tokens, state)
        return np.log(sample_probabilities(logits)), state

    tokens = np.array(list(generate(step, None, PROMPT, rng, max_len=6, temperature=0.0)))
    greedy = greedy_search(log_probs, None, PROMPT, eos=-1, max_len=6)
    np.testing.assert_array_equal(tokens.T, [hypothesis.tokens for hypothesis in greedy])


def test_generation_is_the_generators(step):
    options = {"max_len": 6, "temperature": 1.5, "top_k": 4, "top_p": 0.95}
    first, second, other = (
        np.array(list(generate(step, None, PROMPT, np.random.default_rng(seed), **options))) for seed in (7, 7, 8)
    )
    assert first.shape == (6, 3)
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


def test_generation_ends_when_every_row_has_ended(step, rng):
    tokens = np.array(list(generate(step, None, PROMPT, rng, max_len=6, temperature=3.0, eos=2))).T
    for row in tokens:
        first = list(row).index(2) if 2 in row else len(row)
        assert (row[first:] == 2).all()

    def always_eos(prefix):
        return np.tile([0.0, 0.0, 50.0], (len(prefix), 1))

    assert len(list(generate(prefix_step(always_eos), None, PROMPT, rng, max_len=6, eos=2))) == 1


def test_generation_penalises_the_prompt_and_what_it_said(rng):
    def same(prefix):
        return np.tile([1.0, 1.2, 1.1, 1.05], (len(prefix), 1))

    tokens = generate(prefix_step(same), None, np.array([[1]]), rng, max_len=4, temperature=0.0, repetition_penalty=1.3)
    assert [int(token[0]) for token in tokens] == [2, 3, 0, 1]
