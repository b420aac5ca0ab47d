"""A learner's function in the real network changes neither its scores nor its gradients."""

from dataclasses import replace

import numpy as np
import pytest

import handmade
from handmade.errors import InputError
from handmade.models.char_lm import char_lstm
from handmade.models.gpt import CONFIGS, GPT
from handmade.models.resnet_cifar import resnet20
from handmade.workshop.exercises import exercise_named
from handmade.workshop.exercises.attention.causal_mask import causal_attention
from handmade.workshop.exercises.convolution.residual_block import residual_block
from handmade.workshop.exercises.recurrence.lstm_step import lstm_step
from handmade.workshop.transplant import function_in, graft_for, transplant


def scores_and_gradients(model, x):
    """The model's scores, and all gradients of a sum of them with random weights."""
    model.zero_grad()
    output = model(x)
    scores = output[0] if isinstance(output, tuple) else output
    weights = np.random.default_rng(1).standard_normal(scores.shape).astype(scores.dtype)
    (scores * handmade.Tensor(weights)).sum().backward()
    return scores.array.copy(), [parameter.grad.array.copy() for parameter in model.parameters()]


def text(rng):
    return handmade.Tensor(rng.integers(0, 65, (2, 9)))


def of_one_head(Q, K, V):
    """Written for (S_q, d), (S_k, d), (S_k, d) only, as the exercise asks."""
    scores = Q @ K.T / np.sqrt(Q.shape[1]) + np.triu(np.full((len(Q), len(K)), -np.inf), 1 + len(K) - len(Q))
    weights = np.exp(scores - scores.max(1, keepdims=True))
    weights /= weights.sum(1, keepdims=True)
    return weights @ V, weights


NETWORKS = {
    "gpt, head by head": (lambda: GPT(replace(CONFIGS["gpt-cpu"], vocab_size=65)), of_one_head, 4, text),
    "gpt": (lambda: GPT(replace(CONFIGS["gpt-cpu"], vocab_size=65)), causal_attention, 4, text),
    "resnet20": (resnet20, residual_block, 9, lambda rng: handmade.randn(3, 3, 16, 12)),
    "char-lstm": (lambda: char_lstm(65, 12, 2, 5), lstm_step, 1, text),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("training", [True, False])
def test_right_function_changes_nothing(name, training, rng):
    build, function, places, data = NETWORKS[name]
    model, x = build().train(training), data(rng)
    scores, gradients = scores_and_gradients(model, x)
    calls = []

    def counted(*arguments, **options):
        calls.append(1)
        return function(*arguments, **options)

    assert transplant(model, graft_for(name), counted) == places
    yours, your_gradients = scores_and_gradients(model, x)
    assert len(calls) >= places
    # float32: the learner's sums are made in another order
    np.testing.assert_allclose(yours, scores, rtol=1e-4, atol=1e-4)
    for mine, expected in zip(your_gradients, gradients, strict=True):
        np.testing.assert_allclose(mine, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_model_computes_on_the_function(name, rng):
    build, function, _, data = NETWORKS[name]
    model, x = build(), data(rng)
    scores, _ = scores_and_gradients(model, x)

    def halved(*arguments, **options):
        result = function(*arguments, **options)
        return tuple(part / 2 for part in result) if isinstance(result, tuple) else result / 2

    transplant(model, graft_for(name), halved)
    assert np.abs(scores_and_gradients(model, x)[0] - scores).max() > 1e-3


def test_function_written_with_torch_gets_and_gives_arrays(tmp_path, rng):
    path = tmp_path / "mine.py"
    path.write_text(
        "import torch\n\ndef lstm_step(x, h, c, Wx, Wh, b):\n    return torch.tanh(h), c + torch.ones_like(c)\n"
    )
    function = function_in(path, exercise_named("lstm_step"))
    h, c = function(*(rng.standard_normal((2, 3)) for _ in range(6)))
    assert isinstance(h, np.ndarray)
    assert isinstance(c, np.ndarray)


def test_other_models_take_nothing():
    with pytest.raises(InputError, match="no function of yours fits into lenet5: gpt, resnet20 and char-lstm take one"):
        graft_for("lenet5")
