"""Recurrent sequence-to-sequence models: as in PyTorch, blind to padding and to the future, and searchable."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

import handmade
from handmade.engine import Tensor
from handmade.models import seq2seq, seq2seq_attention
from handmade.models.seq2seq import AdditiveAttention, BahdanauSeq2Seq, LSTMSeq2Seq, LuongAttention, reversed_places
from handmade.models.sequence_to_sequence import BOS, EOS, PAD
from handmade.nn import functional as F
from handmade.text import beam_search, greedy_search
from tests.support.against_torch import assert_close

V, E, H = 11, 5, 6
SOURCE_LENGTHS, TARGET_LENGTHS = (4, 7, 1), (5, 2, 4)

MODELS = {
    "sutskever": lambda: seq2seq(V, E, H),
    "two layers": lambda: seq2seq(V, E, H, num_layers=2),
    "both directions": lambda: LSTMSeq2Seq(V, E, H, 2, bidirectional=True),
    "dot": lambda: seq2seq_attention(V, E, H, attention="dot"),
    "general": lambda: seq2seq_attention(V, E, H, 2),
    "concat": lambda: seq2seq_attention(V, E, H, attention="concat"),
    "reversed, with attention": lambda: LSTMSeq2Seq(V, E, H, reverse_source=True, attention="general"),
    "bahdanau": lambda: seq2seq_attention(V, E, H, attention="additive"),
}


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]().double()


@pytest.fixture
def pairs(rng):
    """Sources B S and targets B T, padded: no padding within, several lengths."""
    return tuple(padded_tokens(rng, lengths) for lengths in (SOURCE_LENGTHS, TARGET_LENGTHS))


def padded_tokens(rng, lengths):
    tokens = np.full((len(lengths), max(lengths)), PAD)
    for row, length in zip(tokens, lengths, strict=True):
        row[:length] = rng.integers(3, V, length)
    return tokens


def gradients(model):
    return {name: parameter.grad.array for name, parameter in model.named_parameters()}


# --- against PyTorch --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", ["additive", "dot", "general", "concat"])
def test_attention_is_pytorchs(rng, kind, dtype):
    B, T, S, Q, M = 3, 4, 5, 6, 6 if kind == "dot" else 7
    attention = AdditiveAttention(Q, M, 8) if kind == "additive" else LuongAttention(Q, M, kind)
    attention = attention.double() if dtype == np.float64 else attention
    visible = np.arange(S) < np.array([[5], [2], [1]])
    arrays = [rng.standard_normal(shape).astype(dtype) for shape in ((B, T, Q), (B, S, M))]
    query, memory = (Tensor(array, requires_grad=True) for array in arrays)
    context, weights = attention(query, memory, attention.keys(memory), Tensor(visible))

    theirs = [torch.tensor(array, requires_grad=True) for array in arrays]
    named = {name: torch.tensor(p.array, requires_grad=True) for name, p in attention.named_parameters()}
    scores = torch_scores({name.removeprefix("additive."): p for name, p in named.items()}, kind, *theirs)
    their_weights = scores.masked_fill(torch.tensor(~visible)[:, None], -torch.inf).softmax(-1)
    their_context = their_weights @ theirs[1]
    assert_close(weights.array, their_weights.detach().numpy(), "weights")
    assert_close(context.array, their_context.detach().numpy(), "context")

    on_context, on_weights = (rng.standard_normal(x.shape).astype(dtype) for x in (context, weights))
    ((context * Tensor(on_context)).sum() + (weights * Tensor(on_weights)).sum()).backward()
    ((their_context * torch.tensor(on_context)).sum() + (their_weights * torch.tensor(on_weights)).sum()).backward()
    for ours, other in zip((query, memory), theirs, strict=True):
        assert_close(ours.grad.array, other.grad.numpy(), "gradient of query or memory")
    for name, gradient in gradients(attention).items():
        assert_close(gradient, named[name].grad.numpy(), f"gradient of {name}")


def torch_scores(p, kind, query, memory):
    """The equations, one query and one place at a time."""
    if kind == "dot":
        score = lambda q, m: q @ m
    elif kind == "general":
        score = lambda q, m: q @ (p["W.weight"] @ m)
    else:
        joined = torch.cat([p["W.weight"], p["U.weight"]], dim=1)
        score = lambda q, m: p["v.weight"][0] @ torch.tanh(joined @ torch.cat([q, m]))
    return torch.stack(
        [
            torch.stack([torch.stack([score(q, m) for m in ms]) for q in qs])
            for qs, ms in zip(query, memory, strict=True)
        ]
    )


def test_values_and_gradients_are_pytorchs(model, pairs, rng):
    """The reference takes one pair at a time, without any padding: padding must change nothing."""
    source, target = pairs
    logits = model(Tensor(source), Tensor(target))
    cotangent = rng.standard_normal(logits.shape) * (target != PAD)[..., None]
    logits.backward(cotangent)

    p = {name: torch.tensor(q.array, requires_grad=True) for name, q in model.named_parameters()}
    reference = bahdanau_reference if isinstance(model, BahdanauSeq2Seq) else lstm_reference
    for row, (S, T) in enumerate(zip(SOURCE_LENGTHS, TARGET_LENGTHS, strict=True)):
        expected = reference(p, model, torch.tensor(source[row, :S]), torch.tensor(target[row, :T]))
        assert_close(logits.array[row, :T], expected.detach().numpy(), f"logits of row {row}")
        expected.backward(torch.tensor(cotangent[row, :T]))
    for name, gradient in gradients(model).items():
        assert_close(gradient, p[name].grad.numpy(), f"gradient of {name}")


def part(p, prefix):
    return {name.removeprefix(prefix): value for name, value in p.items() if name.startswith(prefix)}


def lstm_reference(p, model, source, target):
    """The logits T V of one pair."""
    layers, both = model.encoder.num_layers, model.encoder.bidirectional
    encoder = torch.nn.LSTM(E, H // (1 + both), layers, bidirectional=both, dtype=torch.float64)
    decoder = torch.nn.LSTM(E, H, layers, dtype=torch.float64)
    x = p["source_vectors.weight"][source.flip(0) if model.reverse_source else source]
    memory, final = torch.func.functional_call(encoder, part(p, "encoder."), (x,))
    if both:
        final = tuple(torch.cat([state[0::2], state[1::2]], dim=1) for state in final)
    output, _ = torch.func.functional_call(decoder, part(p, "decoder."), (p["target_vectors.weight"][target], final))
    if model.attention is not None:
        names = {name.removeprefix("additive."): value for name, value in part(p, "attention.").items()}
        kind = "concat" if "v.weight" in names else "general" if names else "dot"
        weights = torch_scores(names, kind, output[None], memory[None])[0].softmax(-1)
        output = torch.tanh(torch.cat([weights @ memory, output], dim=1) @ p["combine.weight"].T)
    return output @ p["out.weight"].T + p["out.bias"]


def gru_cell(p, suffix, x, h):
    """The paper's unit: the reset gate acts before the product."""
    a = p[f"weight_ih_l0{suffix}"] @ x + p[f"bias_ih_l0{suffix}"] + p[f"bias_hh_l0{suffix}"]
    W_r, W_z, W_n = p[f"weight_hh_l0{suffix}"].chunk(3)
    a_r, a_z, a_n = a.chunk(3)
    r, z = torch.sigmoid(a_r + W_r @ h), torch.sigmoid(a_z + W_z @ h)
    return (1 - z) * torch.tanh(a_n + W_n @ (r * h)) + z * h


def bahdanau_reference(p, model, source, target):
    x, encoder, h = p["source_vectors.weight"][source], part(p, "encoder."), torch.zeros(H, dtype=torch.float64)
    forwards, backwards, back = [], [], h
    for step in x:
        forwards.append(h := gru_cell(encoder, "", step, h))
    for step in x.flip(0):
        backwards.insert(0, back := gru_cell(encoder, "_reverse", step, back))
    memory = torch.cat([torch.stack(forwards), torch.stack(backwards)], dim=1)
    h, logits = torch.tanh(p["begin.weight"] @ backwards[0] + p["begin.bias"]), []
    for y in p["target_vectors.weight"][target]:
        scores = torch_scores(part(p, "attention."), "additive", h[None, None], memory[None])[0, 0]
        context = scores.softmax(0) @ memory
        h = gru_cell(part(p, "decoder."), "", torch.cat([y, context]), h)
        joined = p["maxout.weight"] @ torch.cat([h, y, context]) + p["maxout.bias"]
        logits.append(p["out.weight"] @ torch.maximum(joined[0::2], joined[1::2]) + p["out.bias"])
    return torch.stack(logits)


# --- what every sequence-to-sequence model keeps ----------------------------------------------------------------------


def test_more_padding_changes_nothing(model, pairs):
    target = pairs[1]
    longer = tuple(np.pad(tokens, ((0, 0), (0, 3))) for tokens in pairs)
    results = []
    for read, written in (pairs, longer, (longer[0], target)):
        model.zero_grad()
        logits = model(Tensor(read), Tensor(written))
        F.cross_entropy(logits.flatten(0, 1), Tensor(written.reshape(-1)), ignore_index=PAD).backward()
        results.append((logits.array[:, : target.shape[1]][target != PAD], gradients(model)))
    (logits, grads), *others = results
    for other, other_grads in others:
        assert_allclose(other, logits, rtol=0, atol=1e-12)
        for name, gradient in grads.items():
            assert_allclose(other_grads[name], gradient, rtol=0, atol=1e-12, err_msg=name)


def test_the_future_changes_nothing(model, pairs):
    source, target = pairs
    before = model(Tensor(source), Tensor(target)).array
    for t in range(1, target.shape[1]):
        changed = target.copy()
        changed[:, t] = (changed[:, t] + 1) % V
        after = model(Tensor(source), Tensor(changed)).array
        assert_array_equal(after[:, :t], before[:, :t])
        assert not np.allclose(after[:, t], before[:, t])


def test_steps_give_what_the_whole_target_gives(model, pairs):
    source, target = Tensor(pairs[0]), pairs[1]
    expected = model(source, Tensor(target)).log_softmax(-1).array
    state = model.encode(source)
    for t in range(target.shape[1]):
        log_probs, state = model.step(target[:, t : t + 1], state)
        assert_allclose(log_probs, expected[:, t], rtol=0, atol=1e-12)
    assert not any(isinstance(x, Tensor) and x.requires_grad for name, x in state.items() if name in "hc")
    prompt, _ = model.step(target[:, :3], model.encode(source))
    assert_allclose(prompt, expected[:, 2], rtol=0, atol=1e-12)


def test_search_finds_what_the_model_scores(model, pairs):
    source = Tensor(pairs[0])
    with handmade.no_grad():
        state, prompt = model.encode(source), np.full((3, 1), BOS)
        found = beam_search(model.step, state, prompt, eos=EOS, beam=4, max_len=5)
        greedy = greedy_search(model.step, state, prompt, eos=EOS, max_len=5)
    for row, hypotheses in enumerate(found):
        for tokens, score in hypotheses:
            logits = model(source[row : row + 1], Tensor([[BOS, *tokens[:-1]]]))
            log_probs = logits.log_softmax(-1).array[0]
            assert np.isclose(score, sum(log_probs[t, token] for t, token in enumerate(tokens)))
        assert hypotheses[0].score >= greedy[row].score - 1e-12
        logits = model(source[row : row + 1], Tensor([[BOS, *greedy[row].tokens[:-1]]])).array[0]
        assert logits.argmax(-1).tolist() == greedy[row].tokens


def test_alignment_is_a_distribution_over_the_source(model, pairs):
    source, target = pairs
    weights = model.alignment(Tensor(source), Tensor(target))
    if isinstance(model, LSTMSeq2Seq) and model.attention is None:
        assert weights is None
        return
    assert weights.shape == (3, target.shape[1], source.shape[1])
    assert_allclose(weights.sum(-1), 1)
    assert (weights[:, 0][source == PAD] == 0).all()
    assert (weights.transpose(0, 2, 1)[source != PAD] > 0).all()


def test_alignment_of_a_reversed_source_is_in_its_own_order(pairs):
    """The memory of the last token must be what was read first: it depends on no other token."""
    model = MODELS["reversed, with attention"]().double()
    source = Tensor(pairs[0])
    memory = model.encode(source)["memory"].array
    alone = model.encode(source[:1, 3:4])["memory"].array
    assert_allclose(memory[0, 3], alone[0, 0])  # row 0 has four tokens


def test_dropout_acts_in_training_only(pairs):
    source, target = map(Tensor, pairs)
    for model in (seq2seq(V, E, H, 2, 0.5), seq2seq_attention(V, E, H, dropout=0.5, attention="additive")):
        assert not np.allclose(model(source, target).array, model(source, target).array)
        model.eval()
        assert_array_equal(model(source, target).array, model(source, target).array)


def test_forget_gates_begin_open():
    model = LSTMSeq2Seq(V, E, H, 2, bidirectional=True)
    for network in (model.encoder, model.decoder):
        for name, bias in network.named_parameters():
            if name.startswith("bias"):
                i, f, g, o = bias.array.reshape(4, -1)
                assert (f == 1).all() == name.startswith("bias_ih")
                assert (np.abs([i, g, o]) < 0.6).all()


def test_places_of_a_reversed_source():
    assert reversed_places(Tensor(np.array([3, 1, 4])), 4).tolist() == [[2, 1, 0, 3], [0, 1, 2, 3], [3, 2, 1, 0]]


@pytest.mark.parametrize(
    ("model", "count"),
    [
        (lambda: seq2seq(1000), 1_044_456),
        (lambda: seq2seq_attention(1000), 1_109_992),
        (lambda: seq2seq_attention(1000, attention="additive"), 1_697_384),
    ],
    ids=["sutskever", "luong", "bahdanau"],
)
def test_how_much_there_is_to_learn(model, count):
    assert sum(p.numel() for p in model().parameters()) == count


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LuongAttention(3, 4, "dot"), "'dot' needs a memory of the query's size, got 4 and 3; take 'general'"),
        (lambda: LuongAttention(3, 3, "cosine"), "method must be 'dot', 'general' or 'concat', got 'cosine'"),
        (lambda: seq2seq_attention(V, E, 7), "hidden_size must be even, for the two directions to share it, got 7"),
        (lambda: seq2seq_attention(V, E, H, 2, attention="additive"), "num_layers is 2; Bahdanau's network"),
    ],
)
def test_what_cannot_be_built(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_source_without_tokens(model):
    with pytest.raises(ValueError, match="lengths must be between 1 and the 2 steps of x, got 0 for sequence 1"):
        model(Tensor([[4, 5], [PAD, PAD]]), Tensor([[BOS], [BOS]]))
