"""The language models of characters: one contract, PyTorch's numbers, what each sees of the past."""

import math

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

import handmade
from handmade import tensor
from handmade.models.char_lm import (
    CARDS,
    IGNORED,
    MLPLM,
    char_bigram,
    char_gru,
    char_lstm,
    char_mlp,
    char_rnn,
)

V = 11
SMALL = {
    "bigram": lambda: char_bigram(V),
    "mlp": lambda: char_mlp(V, context=3, embedding_dim=4, hidden_size=7),
    "rnn": lambda: char_rnn(V, hidden_size=6, num_layers=2, embedding_dim=5),
    "lstm": lambda: char_lstm(V, hidden_size=6, num_layers=2, embedding_dim=5),
    "gru": lambda: char_gru(V, hidden_size=6, num_layers=2, embedding_dim=5),
}


@pytest.fixture(params=SMALL)
def model(request):
    model = SMALL[request.param]().double()
    for parameter in model.parameters():
        handmade.nn.init.normal_(parameter)  # a bigram model starts at zero
    return model


def some_tokens(rng, *shape):
    return tensor(rng.integers(0, V, shape))


@pytest.mark.parametrize("entry", CARDS, ids=lambda entry: entry.name)
def test_the_zoo_states_how_many_numbers_each_learns(entry):
    model = entry.make()
    assert sum(parameter.numel() for parameter in model.parameters()) == entry.parameters
    logits, loss = model(handmade.zeros(2, *entry.input_shape, dtype=handmade.int64))
    assert logits.shape == (2, 64, dict(entry.arguments).get("vocab_size", 65))
    assert loss is None


def test_the_loss_is_minus_log_p_of_the_targets_that_count(model, rng):
    tokens, targets = some_tokens(rng, 3, 5), rng.integers(0, V, (3, 5))
    targets[1, 2:] = IGNORED
    logits, loss = model(tokens, tensor(targets))
    scores = logits.numpy()
    log_p = scores - np.log(np.exp(scores).sum(axis=2, keepdims=True))
    counted = [log_p[b, t, targets[b, t]] for b in range(3) for t in range(5) if targets[b, t] != IGNORED]
    assert len(counted) == 12
    assert loss.item() == pytest.approx(-np.mean(counted), rel=1e-12)


def test_a_text_in_pieces_reads_as_the_whole(model, rng):
    tokens = some_tokens(rng, 2, 9)
    whole, last = model.read(tokens)
    pieces, state = [], None
    for begin, end in ((0, 1), (1, 5), (5, 9)):
        logits, state = model.read(tokens[:, begin:end], state)
        pieces.append(logits.numpy())
    assert_allclose(np.concatenate(pieces, axis=1), whole.numpy(), rtol=1e-12)
    for ours, expected in zip(state, last, strict=True):
        assert_allclose(ours.numpy(), expected.numpy(), rtol=1e-12)


@pytest.mark.parametrize(("name", "reach"), [("bigram", 1), ("mlp", 3), ("rnn", 8), ("lstm", 8), ("gru", 8)])
def test_each_sees_as_far_back_as_it_says_and_never_ahead(name, reach, rng):
    model, tokens = SMALL[name]().double(), rng.integers(0, V, (1, 8))
    for parameter in model.parameters():
        handmade.nn.init.normal_(parameter)
    before = model(tensor(tokens))[0].numpy()
    for place in range(8):
        changed = tokens.copy()
        changed[0, place] = (changed[0, place] + 1) % V
        moved = np.abs(model(tensor(changed))[0].numpy() - before).max(axis=(0, 2)) > 0
        assert_array_equal(moved, [0 <= t - place < reach for t in range(8)])


def test_padding_changes_neither_the_loss_nor_a_gradient(model, rng):
    rows = [rng.integers(0, V, length) for length in (2, 6, 4)]
    inputs, targets = np.zeros((3, 5), int), np.full((3, 5), IGNORED)
    for row, sequence in enumerate(rows):
        inputs[row, : len(sequence) - 1], targets[row, : len(sequence) - 1] = sequence[:-1], sequence[1:]
    model(tensor(inputs), tensor(targets))[1].backward()
    padded = [parameter.grad.numpy().copy() for parameter in model.parameters()]
    model.zero_grad()
    for sequence in rows:
        alone = model(tensor(sequence[None, :-1]), tensor(sequence[None, 1:]))[1]
        (alone * (len(sequence) - 1) / 9).backward()
    for parameter, expected in zip(model.parameters(), padded, strict=True):
        assert_allclose(parameter.grad.numpy(), expected, atol=1e-13)


class Reference(torch.nn.Module):
    """PyTorch's network with the same names."""

    def __init__(self, kind):
        super().__init__()
        self.vectors = torch.nn.Embedding(V, 5)
        self.network = getattr(torch.nn, kind)(5, 6, 2, batch_first=True)
        self.out = torch.nn.Linear(6, V)

    def forward(self, tokens, targets):
        logits = self.out(self.network(self.vectors(tokens))[0])
        return logits, torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


@pytest.mark.parametrize(("kind", "name"), [("RNN", "rnn"), ("LSTM", "lstm"), ("GRU", "gru")])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
def test_logits_loss_and_gradients_are_pytorchs(kind, name, dtype, tolerance, rng):
    model, reference = SMALL[name]().to(np.dtype(dtype)), Reference(kind).to(getattr(torch, dtype))
    reference.load_state_dict({key: torch.tensor(value.numpy().copy()) for key, value in model.state_dict().items()})
    tokens, targets = rng.integers(0, V, (3, 7)), rng.integers(0, V, (3, 7))
    logits, loss = model(tensor(tokens), tensor(targets))
    expected_logits, expected = reference(torch.tensor(tokens), torch.tensor(targets))
    loss.backward()
    expected.backward()
    assert_allclose(logits.numpy(), expected_logits.detach().numpy(), atol=tolerance)
    assert loss.item() == pytest.approx(expected.item(), rel=tolerance)
    gradients = dict(reference.named_parameters())
    for key, parameter in model.named_parameters():
        assert_allclose(parameter.grad.numpy(), gradients[key].grad.numpy(), atol=tolerance, err_msg=key)


def test_the_mlp_is_bengios_equation(rng):
    model, tokens = SMALL["mlp"]().double(), rng.integers(0, V, (2, 5))
    C, H, d = model.vectors.weight.numpy(), model.hidden.weight.numpy(), model.hidden.bias.numpy()
    U, b = model.out.weight.numpy(), model.out.bias.numpy()
    logits = model(tensor(tokens))[0].numpy()
    for row in range(2):
        for t in range(5):
            seen = [tokens[row, t - back] if t >= back else V for back in (2, 1, 0)]
            x = np.concatenate([C[token] for token in seen])
            assert_allclose(logits[row, t], b + U @ np.tanh(d + H @ x), rtol=1e-12)


def test_the_best_bigram_model_counts(rng):
    """At the logarithms of the counts the gradient is zero."""
    text = np.concatenate([rng.integers(0, V, 400), np.arange(V).repeat(2)])
    counts = np.zeros((V, V))
    np.add.at(counts, (text[:-1], text[1:]), 1)
    model = char_bigram(V).double()
    assert model(tensor(text[None, :-1]), tensor(text[None, 1:]))[1].item() == pytest.approx(math.log(V))
    shares = np.where(counts > 0, counts, 1e-300) / counts.sum(axis=1, keepdims=True)
    model.logits.weight.data.copy_(tensor(np.log(shares)))
    model(tensor(text[None, :-1]), tensor(text[None, 1:]))[1].backward()
    assert_allclose(model.logits.weight.grad.numpy(), 0, atol=1e-15)


def test_a_context_of_nothing_is_refused():
    with pytest.raises(ValueError, match="context must be at least 1 token, got 0"):
        MLPLM(V, context=0, embedding_dim=2, hidden_size=3)


def test_a_token_outside_the_vocabulary_is_refused():
    with pytest.raises(IndexError, match="index 11 is outside the table, which has 11 rows"):
        char_lstm(V)(tensor([[3, 11]]))
