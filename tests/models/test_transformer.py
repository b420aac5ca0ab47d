"""The Transformer against one made of PyTorch's parts, and what must hold of any: no look into the future, no effect of
padding, one token at a time as all at once.
"""

import numpy as np
import pytest
import torch

import handmade
from handmade import nn, no_grad, tensor
from handmade.models.sequence_to_sequence import BOS, EOS, PAD
from handmade.models.transformer import CONFIGURATIONS, Configuration, Transformer, parameter_count, transformer
from handmade.nn.positions import sinusoidal_positions
from handmade.text import beam_search, greedy_search
from tests.support.against_torch import assert_close

V, E, H, N, F = 23, 12, 3, 2, 20
NORMS = pytest.mark.parametrize("norm_first", [False, True])


class Reference(torch.nn.Module):
    """Vaswani et al. 2017 with PyTorch's layers."""

    def __init__(self, norm_first):
        super().__init__()
        options = {"dropout": 0.0, "batch_first": True, "norm_first": norm_first}
        final = lambda: torch.nn.LayerNorm(E) if norm_first else None
        self.target_embedding = self.source_embedding = torch.nn.Embedding(V, E)
        encoder_layer = torch.nn.TransformerEncoderLayer(E, H, F, **options)
        self.encoder = torch.nn.TransformerEncoder(encoder_layer, N, final(), enable_nested_tensor=False)
        self.decoder = torch.nn.TransformerDecoder(torch.nn.TransformerDecoderLayer(E, H, F, **options), N, final())

    def forward(self, source, target):
        padding = source == PAD
        causal = torch.ones(target.shape[1], target.shape[1], dtype=torch.bool).triu(1)
        memory = self.encoder(self.embed(source), src_key_padding_mask=padding)
        x = self.decoder(self.embed(target), memory, tgt_mask=causal, memory_key_padding_mask=padding)
        return x @ self.target_embedding.weight.T

    def embed(self, tokens):
        x = self.target_embedding(tokens)
        return x * E**0.5 + torch.tensor(sinusoidal_positions(tokens.shape[1], E), dtype=x.dtype)


def made(norm_first=False, dropout=0.0, **changes):
    """A small model; biases and norms that are not zero and one."""
    model = Transformer(V, E, H, N, F, dropout, norm_first, **changes)
    with no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.3 * handmade.randn(*parameter.shape))
    return model


def pairs(rng):
    """Sources of 7, 4 and 1 tokens, and targets of 5, 3 and 5."""
    source, target = rng.integers(4, V, (3, 7)), rng.integers(4, V, (3, 5))
    source[1, 4:] = source[2, 1:] = PAD
    target[:, 0] = BOS
    target[1, 3:] = PAD
    return tensor(source), tensor(target)


@NORMS
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_values_and_gradients_are_those_of_pytorchs_parts(norm_first, dtype, rng):
    ours, theirs = made(norm_first).to(dtype), Reference(norm_first).to(getattr(torch, dtype))
    theirs.load_state_dict({name: torch.tensor(np.array(value)) for name, value in ours.state_dict().items()})
    source, target = pairs(rng)
    logits, expected = ours(source, target), theirs(torch.tensor(source.numpy()), torch.tensor(target.numpy()))
    assert_close(logits.numpy(), expected.detach().numpy(), "logits")
    cotangent = rng.standard_normal(logits.shape).astype(dtype)
    logits.backward(cotangent)
    expected.backward(torch.tensor(cotangent))
    gradients = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    assert {name for name, _ in ours.named_parameters()} == set(gradients)
    for name, parameter in ours.named_parameters():
        assert_close(parameter.grad.numpy(), gradients[name].numpy(), name)


@NORMS
def test_a_future_token_changes_no_past_score(norm_first, rng):
    model, (source, target) = made(norm_first), pairs(rng)
    before = model(source, target).numpy()
    for t in range(1, target.shape[1]):
        changed = target.numpy().copy()
        changed[:, t] = (changed[:, t] + 5) % (V - 4) + 4
        after = model(source, tensor(changed)).numpy()
        assert np.array_equal(after[:, :t], before[:, :t])
        assert (np.abs(after[:, t] - before[:, t]).max(-1) > 1e-4).all()


@NORMS
def test_the_cache_keeps_the_past_as_it_was(norm_first, rng):
    """Two continuations of one beginning: what the cache held before they part is the same, and is not changed."""
    model, (source, _) = made(norm_first).eval(), pairs(rng)
    _, state = model.step(np.full((3, 1), BOS), model.encode(source))
    kept = [array.numpy().copy() for pair in state.past for array in pair]
    first, after_first = model.step(np.full((3, 1), 5), state)
    second, after_second = model.step(np.full((3, 1), 9), state)
    assert np.abs(first - second).max() > 1e-3
    for after in (after_first, after_second):
        for array, before in zip((array for pair in after.past for array in pair), kept, strict=True):
            assert array.shape[2] == 2
            assert np.array_equal(array.numpy()[:, :, :1], before)


@NORMS
def test_padding_changes_nothing(norm_first, rng):
    model, (source, target) = made(norm_first).eval(), pairs(rng)
    together = model(source, target).numpy()
    for row, (S, T) in enumerate([(7, 5), (4, 3), (1, 5)]):
        alone = model(source[row : row + 1, :S], target[row : row + 1, :T]).numpy()
        np.testing.assert_allclose(together[row : row + 1, :T], alone, rtol=0, atol=1e-5)
        state = model.encode(source[row : row + 1, :S])
        log_probs, _ = model.step(target.numpy()[row : row + 1, :1], state)
        all_rows, _ = model.step(target.numpy()[:, :1], model.encode(source))
        np.testing.assert_allclose(all_rows[row], log_probs[0], rtol=0, atol=1e-5)


@NORMS
def test_steps_are_the_forward_pass_token_by_token(norm_first, rng):
    model, (source, target) = made(norm_first, dropout=0.5).eval(), pairs(rng)
    expected = model(source, target).log_softmax(-1).numpy()
    state = model.encode(source)
    for t in range(target.shape[1]):
        log_probs, state = model.step(target.numpy()[:, t : t + 1], state)
        np.testing.assert_allclose(log_probs, expected[:, t], rtol=0, atol=1e-5)
    several, after = model.step(target.numpy(), model.encode(source))
    np.testing.assert_allclose(several, log_probs, rtol=0, atol=1e-5)
    assert after.past[0][0].shape == (3, H, 5, E // H)


def test_a_step_computes_one_token_alone(rng, monkeypatch):
    """O(T) a token: no product has more rows for a later token, but for keys and values that are looked at."""
    model, (source, target) = made().eval(), pairs(rng)
    seen = []
    linear = nn.functional.linear
    monkeypatch.setattr(nn.functional, "linear", lambda x, *rest: seen.append(x.numel()) or linear(x, *rest))
    state = model.encode(source)
    counts = []
    for t in range(4):
        seen.clear()
        _, state = model.step(target.numpy()[:, t : t + 1], state)
        counts.append(sum(seen))
    assert len(set(counts)) == 1


@pytest.mark.slow
def test_search_finds_what_scoring_every_prefix_anew_finds(rng):
    model, (source, _) = made().eval(), pairs(rng)
    prompt, options = np.full((3, 1), BOS), {"eos": EOS, "max_len": 6}

    def whole(tokens, state):
        prefix = tokens if state[1] is None else np.concatenate([state[1], tokens], axis=1)
        return model(tensor(state[0]), tensor(prefix)).log_softmax(-1).numpy()[:, -1], (state[0], prefix)

    for beam in (1, 4):
        found = beam_search(model.step, model.encode(source), prompt, beam=beam, alpha=0.6, **options)
        expected = beam_search(whole, (source.numpy(), None), prompt, beam=beam, alpha=0.6, **options)
        assert [h.tokens for row in found for h in row] == [h.tokens for row in expected for h in row]
    greedy = greedy_search(model.step, model.encode(source), prompt, **options)
    assert greedy[0].tokens == beam_search(model.step, model.encode(source), prompt, beam=1, **options)[0][0].tokens


def test_alignment_looks_at_the_source_and_not_at_its_padding(rng):
    model, (source, target) = made().eval(), pairs(rng)
    weights = model.alignment(source, target)
    assert weights.shape == (3, 5, 7)
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-5)
    assert not weights[1, :, 4:].any()
    assert np.all(weights[2, :, 0] > 0.999)


def test_vectors_are_shared_by_source_target_and_logits():
    model = made()
    assert model.source_embedding is model.target_embedding
    assert {name for name, _ in model.named_parameters() if "embedding" in name} == {"target_embedding.weight"}
    apart = made(source_vocab_size=31)
    assert apart.source_embedding.weight.shape == (31, E)
    assert apart.target_embedding.weight.shape == (V, E)
    assert apart(handmade.full((2, 3), 30), handmade.full((2, 4), 5)).shape == (2, 4, V)


def test_first_weights():
    handmade.manual_seed(0)
    model = Transformer(500, 64, 4, 2, 100)
    assert model.target_embedding.weight.numpy().std() == pytest.approx(64**-0.5, rel=0.02)
    first, second = (layer.linear1.weight.numpy() for layer in model.encoder.layers)
    assert np.abs(first - second).max() > 0.01, "copies of a layer begin with weights of their own"
    assert np.abs(first).max() <= (6 / 164) ** 0.5
    embedded = model.target_embedding.weight.numpy() * 64**0.5
    assert embedded.std() == pytest.approx(1, rel=0.02)


def test_dropout_is_on_in_training_alone(rng):
    model, (source, target) = made(dropout=0.5), pairs(rng)
    assert not np.allclose(model(source, target).numpy(), model(source, target).numpy())
    model.eval()
    assert np.array_equal(model(source, target).numpy(), model(source, target).numpy())


@pytest.mark.parametrize(("name", "count"), [("base", 63_082_496), ("big", 214_245_376)])
def test_parameters_of_the_papers_models(name, count, unfilled):
    assert parameter_count(CONFIGURATIONS[name], 37_000) == count
    model = transformer(37_000, name, num_layers=1)  # the formula is linear in the number of layers
    one = CONFIGURATIONS[name]._replace(num_layers=1)
    assert sum(parameter.numel() for parameter in model.parameters()) == parameter_count(one, 37_000)


def test_parameters_of_the_small_one():
    configuration = CONFIGURATIONS["small"]
    model = transformer(500, "small")
    assert sum(parameter.numel() for parameter in model.parameters()) == parameter_count(configuration, 500)
    assert isinstance(configuration, Configuration)


def test_sizes_and_names_that_do_not_fit():
    with pytest.raises(ValueError, match="configuration is 'huge'; expected one of base, big, small"):
        transformer(configuration="huge")
    with pytest.raises(ValueError, match="num_heads is 5, which does not divide embed_dim = 12"):
        Transformer(V, E, 5)
    with pytest.raises(IndexError, match="index 23 is outside the table, which has 23 rows"):
        made()(handmade.full((1, 2), V), handmade.full((1, 2), 5))


@pytest.mark.slow
def test_it_learns_to_reverse():
    """Sixty steps on reversed digits: guessing has a loss of log 10 = 2.3."""
    handmade.manual_seed(0)
    rng = np.random.default_rng(0)
    model = Transformer(14, 32, 4, 1, 64, 0.0, norm_first=True)
    optimizer = handmade.optim.Adam(model.parameters(), 1e-2, betas=(0.9, 0.98))
    for _ in range(60):
        source = rng.integers(4, 14, (32, 4))
        target = np.concatenate([np.full((32, 1), BOS), source[:, ::-1]], axis=1)
        logits = model(tensor(source), tensor(target[:, :-1]))
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), tensor(target[:, 1:].reshape(-1)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 1.2 < np.log(10)
