"""GPT: transformers' numbers, the cache, causality, published files, and a trained network's every activation."""

import base64
import json
import os
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

import handmade
from handmade import tensor
from handmade.errors import InputError
from handmade.models.char_lm import IGNORED
from handmade.models.gpt import CARDS, CONFIGS, GPT, Cache, GPTConfig, gpt
from handmade.nn import functional as F
from handmade.weights import load, save

V, BLOCK = 29, 11
SMALL = GPTConfig(V, BLOCK, n_layer=3, n_head=3, n_embd=24, dropout=0.0)
NANO = GPTConfig(V, BLOCK, n_layer=2, n_head=2, n_embd=24, dropout=0.0, bias=False, tied=False)


def randomised(config):
    """A float64 model none of whose weights are zero or one."""
    model = GPT(config).double()
    for parameter in model.parameters():
        handmade.nn.init.normal_(parameter, std=0.3)
    return model.eval()


@pytest.fixture(params=[SMALL, NANO], ids=["gpt2", "nano"])
def model(request):
    return randomised(request.param)


def some_tokens(rng, *shape):
    return tensor(rng.integers(0, V, shape))


def arrays_of(model):
    return {name: value.numpy() for name, value in model.state_dict().items()}


# --- against transformers ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published():
    """transformers' GPT-2 with random weights."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=V, n_positions=BLOCK, n_layer=3, n_head=3, n_embd=24, bos_token_id=0, eos_token_id=0,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, attn_implementation="eager",
    )  # fmt: skip
    torch.manual_seed(0)
    model = GPT2LMHeadModel(config).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.3)
    return model


@pytest.mark.slow
def test_values_and_gradients_are_those_of_transformers(published, rng):
    model = GPT(SMALL).double()
    state = arrays_of(published)
    assert model.state_dict().keys() == state.keys()
    model.load_state_dict(state)
    tokens, targets = rng.integers(0, V, (2, 9)), rng.integers(0, V, (2, 9))
    targets[1, 3] = IGNORED
    logits, loss = model(tensor(tokens), tensor(targets))
    loss.backward()

    published.zero_grad()
    theirs = published(torch.tensor(tokens)).logits
    their_loss = torch.nn.functional.cross_entropy(theirs.flatten(0, 1), torch.tensor(targets).flatten())
    their_loss.backward()
    assert_allclose(logits.numpy(), theirs.detach().numpy(), rtol=0, atol=1e-10)
    assert loss.item() == pytest.approx(their_loss.item(), rel=1e-12)
    gradients = {name: parameter.grad.numpy() for name, parameter in published.named_parameters()}
    assert {name for name, _ in model.named_parameters()} == gradients.keys()
    for name, parameter in model.named_parameters():
        assert_allclose(parameter.grad.numpy(), gradients[name], rtol=0, atol=1e-12, err_msg=name)


def test_attention_weights_are_recorded_layer_by_layer(published, rng):
    model = GPT(SMALL).double()
    model.load_state_dict(arrays_of(published))
    tokens = rng.integers(0, V, (2, 7))
    with F.recorded_attention() as weights:
        model(tensor(tokens))
    theirs = published(torch.tensor(tokens), output_attentions=True).attentions
    assert len(weights) == len(theirs) == 3
    for mine, other in zip(weights, theirs, strict=True):
        assert_allclose(mine, other.detach().numpy(), rtol=0, atol=1e-12)


# --- configurations and initial weights -------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", CARDS, ids=lambda entry: entry.name)
def test_the_counts_are_exact(entry):
    """By the formula; tests/models/test_costs.py counts those of the models themselves."""
    config = CONFIGS[dict(entry.arguments)["name"]]
    size, C, L = config.vocab_size + config.block_size, config.n_embd, config.n_layer
    norms_and_biases = L * (13 if config.bias else 2) * C + (2 if config.bias else 1) * C
    assert size * C + L * 12 * C * C + norms_and_biases == entry.parameters


def test_first_weights_have_the_stated_deviations():
    model = gpt("gpt-baby")
    block = model.transformer.h[3]
    for weight in (model.transformer.wte.weight, model.transformer.wpe.weight, block.attn.c_attn.weight):
        assert weight.numpy().std() == pytest.approx(0.02 * 2**0.5, rel=0.05)  # 384 channels: half of 768
    for weight in (block.attn.c_proj.weight, block.mlp.c_proj.weight):
        assert weight.numpy().std() == pytest.approx(0.02 * 2**0.5 / 12**0.5, rel=0.05)
    logits, loss = model(tensor(np.zeros((1, 8), int)), tensor(np.arange(8)[None]))
    assert logits.shape == (1, 8, 65)
    assert loss.item() == pytest.approx(np.log(65), abs=0.3)


def test_the_head_is_the_table():
    model = gpt("gpt-cpu")
    assert model.lm_head.weight is model.transformer.wte.weight
    untied = gpt("gpt-cpu", tied=False)
    assert untied.lm_head.weight is not untied.transformer.wte.weight


def test_dropout_acts_in_training_only(rng):
    model = GPT(GPTConfig(V, BLOCK, 2, 2, 24, dropout=0.5))
    tokens = some_tokens(rng, 1, 8)
    assert not np.allclose(model(tokens)[0].numpy(), model(tokens)[0].numpy())
    model.eval()
    assert_array_equal(model(tokens)[0].numpy(), model(tokens)[0].numpy())


# --- causality and the cache ------------------------------------------------------------------------------------------


def test_a_future_token_changes_no_past_logit(model, rng):
    tokens = rng.integers(0, V, (2, BLOCK))
    before = model(tensor(tokens))[0].numpy()
    for place in range(1, BLOCK):
        changed = tokens.copy()
        changed[:, place] = (changed[:, place] + 1) % V
        after = model(tensor(changed))[0].numpy()
        assert_array_equal(after[:, :place], before[:, :place])
        assert (after[:, place:] != before[:, place:]).any(axis=-1).all()


def last_logits(model, tokens):
    """Without a cache: the scores after the last token, from the window that the head of the file describes."""
    start = 0
    while tokens.shape[1] - start > BLOCK:
        start += BLOCK - BLOCK // 2
    return model(tensor(tokens[:, start:]))[0].numpy()[:, -1]


@pytest.mark.slow
@pytest.mark.parametrize("pieces", [(1,) * 30, (5, 1, 1, 9, 14), (30,), (11, 11, 8), (12, 18)], ids=str)
def test_reading_in_pieces_is_reading_every_window_anew(model, rng, pieces):
    tokens = rng.integers(0, V, (2, 30))
    expected = np.stack([last_logits(model, tokens[:, : place + 1]) for place in range(30)], axis=1)
    cache, parts = None, []
    for end, size in zip(np.cumsum(pieces), pieces, strict=True):
        logits, cache = model.read(tensor(tokens[:, end - size : end]), cache)
        parts.append(logits.numpy())
    assert_allclose(np.concatenate(parts, axis=1), expected, rtol=0, atol=1e-11)


def test_a_future_token_changes_no_past_logit_of_the_cache(model, rng):
    tokens = rng.integers(0, V, (1, 20))
    changed = tokens.copy()
    changed[:, 13:] = (changed[:, 13:] + 1) % V
    before, after = (model.read(tensor(x))[0].numpy() for x in (tokens, changed))
    assert_array_equal(after[:, :13], before[:, :13])
    assert not np.allclose(after[:, 13:], before[:, 13:])


def test_a_step_gives_the_last_scores(model, rng):
    tokens = some_tokens(rng, 2, 17)
    logits, _ = model.read(tokens)
    _, cache = model.step(tokens[:, :16])
    last, _ = model.step(tokens[:, 16:], cache)
    assert_allclose(last.numpy(), logits.numpy()[:, -1], rtol=0, atol=1e-11)


def test_a_token_costs_one_query(model, rng):
    """With the cache, attention meets one query a layer, whatever came before."""
    _, cache = model.read(some_tokens(rng, 1, 6))
    with F.recorded_attention() as weights:
        model.read(some_tokens(rng, 1, 1), cache)
    assert [w.shape[-2:] for w in weights] == [(1, 7)] * model.config.n_layer


def test_reading_records_nothing(model, rng):
    logits, cache = model.read(some_tokens(rng, 1, 5))
    assert not logits.requires_grad
    assert isinstance(cache, Cache)


def test_a_block_of_one_place(rng):
    model = randomised(GPTConfig(V, 1, 1, 1, 4))
    tokens = rng.integers(0, V, (1, 4))
    expected = [model(tensor(tokens[:, place : place + 1]))[0].numpy()[:, 0] for place in range(4)]
    assert_allclose(model.read(tensor(tokens))[0].numpy(), np.stack(expected, axis=1), atol=1e-12)


# --- what cannot be used ----------------------------------------------------------------------------------------------


def test_more_tokens_than_places(model, rng):
    message = "tokens have shape (1, 12), B T; expected 1 <= T <= block_size = 11. Longer texts go through read()"
    with pytest.raises(ValueError, match=re.escape(message)):
        model(some_tokens(rng, 1, 12))


def test_no_tokens(model):
    empty = tensor(np.zeros((1, 0), int))
    with pytest.raises(ValueError, match="expected 1 <= T"):
        model(empty)
    for read in (model.read, model.step):
        with pytest.raises(ValueError, match="there is nothing to read; give one token at least"):
            read(empty)


def test_a_token_outside_the_vocabulary(model):
    with pytest.raises(IndexError, match=r"index 29 is outside the table, which has 29 rows \(0 to 28\)"):
        model.read(tensor(np.array([[3, 29]])))


def test_a_cache_of_other_rows(model, rng):
    _, cache = model.read(some_tokens(rng, 2, 3))
    with pytest.raises(ValueError, match=r"the cache holds 2 texts, tokens \(1, 1\) are of 1"):
        model.read(some_tokens(rng, 1, 1), cache)


def test_heads_that_do_not_divide():
    with pytest.raises(ValueError, match="n_head is 5, which does not divide n_embd = 24: heads share it"):
        GPTConfig(n_head=5, n_embd=24)


def test_no_layers():
    with pytest.raises(ValueError, match="n_layer is 0, expected at least 1"):
        GPTConfig(n_layer=0)


def test_an_unknown_configuration():
    with pytest.raises(ValueError, match="name is 'gpt3'; expected one of gpt2, gpt2-medium"):
        gpt("gpt3")


# --- published files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "transformer."])
def test_published_files_as_they_are(prefix, rng, tmp_path):
    """With and without the prefix; masks among the weights; no head, since it is the table."""
    model = randomised(SMALL).float()
    arrays = {name.replace("transformer.", prefix, 1): array for name, array in arrays_of(model).items()}
    del arrays["lm_head.weight"]
    for layer in range(3):
        arrays[f"{prefix}h.{layer}.attn.bias"] = np.tri(BLOCK, dtype=np.float32).reshape(1, 1, BLOCK, BLOCK)
        arrays[f"{prefix}h.{layer}.attn.masked_bias"] = np.array(-1e4, np.float32)
    save(tmp_path / "model.safetensors", arrays)
    loaded = GPT(SMALL).eval()
    load(loaded, tmp_path / "model.safetensors")
    tokens = some_tokens(rng, 2, 8)
    assert_array_equal(loaded(tokens)[0].numpy(), model(tokens)[0].numpy())


def test_weights_of_another_configuration_say_what_differs(tmp_path):
    other = GPT(GPTConfig(V, 16, n_layer=2, n_head=3, n_embd=36, bias=False))
    save(tmp_path / "other.safetensors", arrays_of(other))
    model = GPT(SMALL)
    before = model.transformer.wte.weight.numpy().copy()
    with pytest.raises(InputError) as raised:
        load(model, tmp_path / "other.safetensors")
    for line in (
        "block_size: given 16, expected 11",
        "n_layer: given 2, expected 3",
        "n_embd: given 36, expected 24",
        "bias: given False, expected True",
    ):
        assert line in str(raised.value)
    assert "vocab_size" not in str(raised.value)
    assert_array_equal(model.transformer.wte.weight.numpy(), before)


def test_weights_of_a_known_size_are_named():
    state = arrays_of(gpt("gpt-cpu"))
    with pytest.raises(RuntimeError, match=r"n_layer: given 4, expected 3\nThey are those of 'gpt-cpu'"):
        gpt("gpt-cpu", n_layer=3).load_state_dict(state)


def test_weights_of_no_gpt_are_listed():
    with pytest.raises(RuntimeError, match="missing: transformer.wte.weight"):
        GPT(SMALL).load_state_dict({"fc.weight": np.zeros((2, 2))})


def test_a_head_that_is_not_the_table():
    untied = GPT(GPTConfig(V, BLOCK, 3, 3, 24, 0.0, tied=False))
    with pytest.raises(RuntimeError, match=r"these weights want GPTConfig\(tied=False\)"):
        GPT(SMALL).load_state_dict(arrays_of(untied))


# --- a trained network, activation by activation ----------------------------------------------------------------------


def decoded(entry):
    """An array of the file: float32, base64."""
    return np.frombuffer(base64.b64decode(entry["data"]), np.float32).reshape(entry["shape"])


@pytest.fixture(scope="module")
def nano_sort(shared_data):
    """minGPT's gpt-nano that sorts letters: model, tokens, and what each part of it gave (bbycroft/llm-viz)."""
    folder = shared_data / "weights" / "gpt-nano-sort"
    state = json.loads((folder / "gpt-nano-sort-model.json").read_text())
    stored = json.loads((folder / "gpt-nano-sort-t0-partials.json").read_text())
    config = state.pop("config")
    stored.pop("config")
    sizes = {name: config[name] for name in ("vocab_size", "block_size", "n_layer", "n_head", "n_embd")}
    model = GPT(GPTConfig(**sizes, tied=False)).eval()
    linear = re.compile(r"transformer\.h\.\d\.(attn|mlp)\.c_\w+\.weight")  # (out, in) in this file
    arrays = {name: decoded(entry) for name, entry in state.items()}
    model.load_state_dict({name: x.T if linear.fullmatch(name) else x for name, x in arrays.items()})
    stored = {name: decoded(entry) for name, entry in stored.items()}
    return SimpleNamespace(model=model, tokens=tensor(stored.pop("idx").astype(np.int64)), stored=stored)


def test_every_stored_activation_is_reproduced(nano_sort):
    given, made = {}, {}

    def watch(name):
        def look(module, inputs, output):
            given[name], made[name] = inputs[0], output

        return look

    named = nano_sort.model.named_modules()
    handles = [module.register_forward_hook(watch(name.removeprefix("transformer."))) for name, module in named]
    with F.recorded_attention() as weights:
        logits, _ = nano_sort.model(nano_sort.tokens)
    for handle in handles:
        handle.remove()

    qkv = made["h.0.attn.c_attn"]
    query, key, value = qkv.numpy().reshape(3, 11, 3, 3, 16).transpose(2, 0, 3, 1, 4)  # each B H T D
    scores = np.where(np.tri(11, dtype=bool), query @ key.swapaxes(-1, -2) / 4, -np.inf)
    computed = {
        "tok_emb": made["wte"], "pos_emb": made["wpe"].unsqueeze(0), "x": given["h.0"], "ln1": made["h.0.ln_1"],
        "qkv": qkv, "q": query, "k": key, "v": value, "att": scores, "attSm": weights[0],
        "y": given["h.0.attn.c_proj"], "yProj": made["h.0.attn.c_proj"], "attnResid": given["h.0.ln_2"],
        "ln2": made["h.0.ln_2"], "fc": made["h.0.mlp.c_fc"], "gelu": made["h.0.mlp.act"], "mlp": made["h.0.mlp"],
        "mlpResid": made["h.0"], "block0": made["h.0"], "block1": made["h.1"], "block2": made["h.2"],
        "ln_f": made["ln_f"], "lm_head": logits, "probs": logits.softmax(-1),
    }  # fmt: skip
    for name, reference in nano_sort.stored.items():
        ours = computed.get(name, made.get(name))
        assert ours is not None, name
        assert_allclose(np.asarray(ours), reference, rtol=0, atol=1e-5, err_msg=name)


def test_it_sorts(nano_sort):
    """Six letters in, six letters out, in order; the cache changes nothing."""
    tokens = whole = np.array([[2, 0, 1, 2, 0, 1], [1, 1, 0, 2, 0, 0], [2, 1, 0, 2, 1, 0]])
    cache = None
    for _ in range(6):
        logits, cache = nano_sort.model.step(tensor(tokens), cache)
        tokens = logits.numpy().argmax(axis=1)[:, None]
        assert_array_equal(nano_sort.model(tensor(whole))[0].numpy()[:, -1].argmax(axis=1), tokens[:, 0])
        whole = np.concatenate([whole, tokens], axis=1)
    assert_array_equal(whole[:, 6:], np.sort(whole[:, :6], axis=1))
