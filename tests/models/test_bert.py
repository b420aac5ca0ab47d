"""BERT beside the `transformers` library: the same names, values and gradients."""

import re
from importlib import import_module

import numpy as np
import pytest
import torch

import handmade
from handmade.models import bert
from handmade.models.bert import CONFIGURATIONS, BertConfig, BertForMaskedLM, BertModel
from handmade.models.minilm import mean_pooling
from handmade.nn import functional as F
from tests.support.against_torch import assert_close
from tests.support.networks import count

SIZES = {
    "several heads": {
        "hidden_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "intermediate_size": 40,
        "max_position_embeddings": 11,
    },
    "one head, one layer": {
        "hidden_size": 10,
        "num_hidden_layers": 1,
        "num_attention_heads": 1,
        "intermediate_size": 7,
        "max_position_embeddings": 9,
    },
    "three segments": {
        "hidden_size": 16,
        "num_hidden_layers": 3,
        "num_attention_heads": 8,
        "intermediate_size": 16,
        "max_position_embeddings": 16,
        "type_vocab_size": 3,
        "layer_norm_eps": 1e-2,
    },
}
VOCABULARY, PAD = 37, 0


@pytest.fixture(scope="module")
def transformers():
    """The library, which takes over a second to load: only where a test of it runs."""
    return import_module("transformers")


def pair(ours, theirs, sizes, dtype=np.float64):
    """Both models with the same random weights, far from their first ones, in evaluation mode."""
    torch.manual_seed(0)
    other = theirs(theirs.config_class(vocab_size=VOCABULARY, **sizes)).double().eval()
    rng = np.random.default_rng(0)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(torch.tensor(0.3 * rng.standard_normal(parameter.shape)))
    other.to(getattr(torch, np.dtype(dtype).name))
    model = ours(BertConfig(vocab_size=VOCABULARY, **sizes)).to(dtype).eval()
    model.load_state_dict({name: value.numpy() for name, value in other.state_dict().items()})
    return model, other


def tokens_and_mask(rng, longest):
    """Three texts, of all the positions, of some and of a single token; segments differ, and there is padding."""
    tokens = rng.integers(1, VOCABULARY, (3, longest))
    mask = (np.arange(longest) < np.array([longest, longest // 2, 1])[:, None]).astype(np.int64)
    return np.where(mask, tokens, PAD), mask


def check_gradients(model, other):
    theirs = {name: parameter.grad for name, parameter in other.named_parameters()}
    ours = {name: parameter.grad for name, parameter in model.named_parameters()}
    assert ours.keys() == theirs.keys()
    for name, gradient in ours.items():
        terms = 1.0 if name.endswith("key.bias") else 0.0  # added to all scores of a row: softmax does not see it
        assert_close(gradient.numpy(), theirs[name].numpy(), name, terms)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_the_encoder_as_in_transformers(transformers, rng, sizes, dtype):
    model, other = pair(BertModel, transformers.BertModel, sizes, dtype)
    tokens, mask = tokens_and_mask(rng, sizes["max_position_embeddings"])
    segments = rng.integers(0, sizes.get("type_vocab_size", 2), tokens.shape)
    got = model(*map(handmade.tensor, (tokens, mask, segments)))
    expected = other(*map(torch.tensor, (tokens, mask, segments)))
    assert_close(got.last_hidden_state.numpy(), expected.last_hidden_state.detach().numpy(), "last_hidden_state")
    assert_close(got.pooler_output.numpy(), expected.pooler_output.detach().numpy(), "pooler_output")
    by_token, by_text = (rng.standard_normal(part.shape).astype(dtype) for part in got)
    ((got[0] * handmade.tensor(by_token)).sum() + (got[1] * handmade.tensor(by_text)).sum()).backward()
    ((expected[0] * torch.tensor(by_token)).sum() + (expected[1] * torch.tensor(by_text)).sum()).backward()
    check_gradients(model, other)


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_masked_language_modelling_as_in_transformers(transformers, rng, sizes):
    model, other = pair(BertForMaskedLM, transformers.BertForMaskedLM, sizes)
    tokens, mask = tokens_and_mask(rng, sizes["max_position_embeddings"])
    targets = np.where(rng.random(tokens.shape) < 0.5, rng.integers(0, VOCABULARY, tokens.shape), -100)
    expected = other(torch.tensor(tokens), torch.tensor(mask), labels=torch.tensor(targets))
    logits = model(handmade.tensor(tokens), handmade.tensor(mask))
    loss = F.cross_entropy(logits.flatten(0, 1), handmade.tensor(targets).flatten())
    assert_close(logits.numpy(), expected.logits.detach().numpy(), "logits")
    assert loss.item() == pytest.approx(expected.loss.item(), rel=1e-10)
    loss.backward()
    expected.loss.backward()
    check_gradients(model, other)


def test_names_are_those_of_the_checkpoints(transformers):
    sizes = SIZES["several heads"]
    for ours, theirs in ((BertModel, transformers.BertModel), (BertForMaskedLM, transformers.BertForMaskedLM)):
        model, other = pair(ours, theirs, sizes)
        expected = {name: tuple(value.shape) for name, value in other.state_dict().items()}
        assert {name: value.shape for name, value in model.state_dict().items()} == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("bert-base-uncased", 109_482_240), ("bert-large-uncased", 335_141_888), ("minilm", 22_713_216)],
)
def test_parameters(name, expected, unfilled):
    assert count(bert(name)) == expected
    D, F_, L = (
        getattr(CONFIGURATIONS[name], field) for field in ("hidden_size", "intermediate_size", "num_hidden_layers")
    )
    embeddings = (30_522 + 512 + 2) * D + 2 * D
    layer = 4 * (D * D + D) + 2 * D + D * F_ + F_ + F_ * D + D + 2 * D
    assert embeddings + L * layer + D * D + D == expected


def test_the_head_shares_the_words_vectors(rng):
    config = BertConfig(vocab_size=VOCABULARY, **SIZES["several heads"])
    model = BertForMaskedLM(config)
    assert model.cls.predictions.decoder.weight is model.bert.embeddings.word_embeddings.weight
    D = config.hidden_size
    assert count(model) == count(BertModel(config, pooler=False)) + D * D + D + 2 * D + VOCABULARY


def test_first_weights_are_cut_off_at_two_standard_deviations():
    model = BertModel(BertConfig(vocab_size=300, hidden_size=64, num_hidden_layers=1, num_attention_heads=2))
    weight = model.encoder.layer[0].intermediate.dense.weight.numpy()
    assert np.abs(weight).max() <= 0.04
    assert weight.std() == pytest.approx(0.88 * 0.02, rel=0.05)  # cutting takes 12 % off
    assert not model.embeddings.word_embeddings.weight.numpy()[PAD].any()
    assert not model.pooler.dense.bias.numpy().any()


# ---- what the network sees


def tiny(**changes):
    return BertConfig(vocab_size=VOCABULARY, **(SIZES["several heads"] | changes))


def test_every_token_sees_every_other_and_no_padding(rng):
    model = BertModel(tiny()).double().eval()
    tokens, mask = rng.integers(1, VOCABULARY, (1, 8)), np.array([[1, 1, 1, 1, 1, 0, 0, 0]])
    before = model(handmade.tensor(tokens), handmade.tensor(mask)).last_hidden_state.numpy()[0]
    for place in range(8):
        changed = tokens.copy()
        changed[0, place] = 1 + tokens[0, place] % (VOCABULARY - 1)
        after = model(handmade.tensor(changed), handmade.tensor(mask)).last_hidden_state.numpy()[0]
        moved = np.abs(after - before).max(axis=1) > 1e-9
        assert moved[:5].all() if mask[0, place] else not moved[np.arange(8) != place].any()


def test_dropout_acts_in_training_only(rng):
    model = BertModel(tiny())
    tokens = handmade.tensor(rng.integers(1, VOCABULARY, (2, 5)))
    drawn = [model(tokens).last_hidden_state.numpy() for _ in range(2)]
    assert not np.array_equal(*drawn)
    model.eval()
    steady = [model(tokens).last_hidden_state.numpy() for _ in range(2)]
    assert np.array_equal(*steady)


def test_mean_pooling_by_hand():
    hidden = handmade.tensor(np.array([[[1.0, 2], [3, 6], [50, 60]], [[0, -4], [9, 9], [9, 9]]]))
    mask = handmade.tensor(np.array([[True, True, False], [True, False, False]]))
    assert mean_pooling(hidden, mask, normalize=False).numpy().tolist() == [[2, 4], [0, -4]]
    lengths = mean_pooling(hidden, mask).numpy()
    assert lengths == pytest.approx(np.array([[1 / 5**0.5, 2 / 5**0.5], [0, -1]]))
    nothing = mean_pooling(hidden, handmade.tensor(np.zeros((2, 3), bool)))
    assert not nothing.numpy().any()


# ---- checkpoints of other kinds


def test_a_checkpoint_with_a_prefix_and_a_head_fills_the_bare_encoder(transformers, rng):
    model, other = pair(BertForMaskedLM, transformers.BertForMaskedLM, SIZES["several heads"])
    arrays = {name: value.numpy() for name, value in other.state_dict().items()}
    arrays["bert.embeddings.position_ids"] = np.arange(11)[None]
    bare = BertModel(tiny(), pooler=False).double().eval()
    bare.load_state_dict(bare.from_published(arrays))
    tokens = handmade.tensor(rng.integers(1, VOCABULARY, (2, 5)))
    assert np.array_equal(bare(tokens).last_hidden_state.numpy(), model.bert(tokens).last_hidden_state.numpy())


def test_the_first_checkpoints_names(transformers, rng):
    """Google's, converted: gamma and beta, the second task's head, and no decoder, as it is the words' vectors."""
    model, other = pair(BertForMaskedLM, transformers.BertForMaskedLM, SIZES["several heads"])
    old = {}
    for name, value in other.state_dict().items():
        name = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        if "decoder" not in name:
            old[name] = value.numpy()
    old["cls.seq_relationship.weight"] = np.zeros((2, 24))
    old["bert.pooler.dense.weight"] = np.zeros((24, 24))
    again = BertForMaskedLM(tiny()).double()
    again.load_state_dict(again.from_published(old))
    for name, value in model.state_dict().items():
        assert np.array_equal(again.state_dict()[name].numpy(), value.numpy()), name


# ---- what makes no sense


def test_a_text_longer_than_the_positions():
    with pytest.raises(ValueError, match="input_ids hold 12 tokens, and this BERT has positions for 11: cut the text"):
        BertModel(tiny())(handmade.zeros(1, 12, dtype=handmade.int64))


@pytest.mark.parametrize("shape", [(2, 4), (5,), (2, 5, 5), (1, 5)])
def test_a_mask_of_another_shape(shape):
    tokens, mask = handmade.zeros(2, 5, dtype=handmade.int64), handmade.ones(*shape, dtype=handmade.int64)
    message = f"attention_mask has shape {shape}, expected (batch, tokens) = (2, 5): 1 for each token, 0 for padding"
    with pytest.raises(ValueError, match=re.escape(message)):
        BertModel(tiny())(tokens, mask)
    with pytest.raises(ValueError, match=re.escape(message)):
        mean_pooling(handmade.zeros(2, 5, 3), mask)


def test_a_token_outside_the_vocabulary():
    with pytest.raises(IndexError, match="37"):
        BertModel(tiny())(handmade.tensor([[1, 37]]))


def test_heads_that_do_not_divide_the_width():
    with pytest.raises(ValueError, match="hidden_size 24 is no multiple of num_attention_heads 5"):
        tiny(num_attention_heads=5)


def test_an_unknown_configuration():
    with pytest.raises(ValueError, match="no configuration is called 'bert-tiny'; there are bert-base-uncased, "):
        bert("bert-tiny")
