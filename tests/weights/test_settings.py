"""config.json beside weights: networks that Hugging Face's library saved are built as it says, or refused by name."""

import json
import os

import numpy as np
import pytest
import torch

import handmade
from handmade.errors import InputError
from handmade.models.bert import BertConfig, BertForMaskedLM, BertModel
from handmade.models.gpt import GPT, GPTConfig
from handmade.tasks.language.writer import published_writer
from handmade.tasks.masked.published import published_bert
from handmade.text.bpe import CHARACTER_TO_BYTE
from handmade.weights import load

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
pytestmark = pytest.mark.slow  # loading transformers is

GPT_SIZES = {"vocab_size": 256, "n_positions": 9, "n_layer": 2, "n_head": 4, "n_embd": 8}
BERT_SIZES = {
    "vocab_size": 30_522, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 12,
    "max_position_embeddings": 9,
}  # fmt: skip


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory):
    """A folder as transformers writes it, with its model: norms of another epsilon, 4 heads of 2 numbers."""
    import transformers

    folder = tmp_path_factory.mktemp("gpt2")
    torch.manual_seed(0)
    config = transformers.GPT2Config(**GPT_SIZES, layer_norm_epsilon=0.1, initializer_range=0.5)
    model = transformers.GPT2LMHeadModel(config).eval()
    model.save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(CHARACTER_TO_BYTE)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return folder, model


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    import transformers

    folder = tmp_path_factory.mktemp("bert")
    torch.manual_seed(0)
    config = transformers.BertConfig(**BERT_SIZES, layer_norm_eps=0.1, initializer_range=0.5)
    model = transformers.BertForMaskedLM(config).eval()
    model.save_pretrained(folder)
    return folder, model


def edited(folder, tmp_path, **settings):
    """A copy of the folder whose config.json says something else."""
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = json.loads((folder / "config.json").read_text()) | settings
    (tmp_path / "config.json").write_text(json.dumps(config))
    return tmp_path


def test_a_gpt_is_built_as_its_config_says(gpt2):
    folder, theirs = gpt2
    model = published_writer("gpt2", folder).model
    assert (model.config.n_head, model.config.layer_norm_epsilon) == (4, 0.1)
    tokens = np.arange(7)[None]
    with torch.no_grad():
        expected = theirs(torch.tensor(tokens)).logits.numpy()
    np.testing.assert_allclose(model.eval()(handmade.tensor(tokens))[0].numpy(), expected, rtol=0, atol=1e-4)


def test_a_bert_is_built_as_its_config_says(bert):
    folder, theirs = bert
    model = published_bert("bert-base-uncased", str(folder)).model
    tokens = np.arange(7)[None]
    with torch.no_grad():
        expected = theirs(torch.tensor(tokens)).logits.numpy()
    np.testing.assert_allclose(model.eval()(handmade.tensor(tokens)).numpy(), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"activation_function": "relu"}, 'activation_function is "relu", and this GPT computes "gelu_new"'),
        ({"scale_attn_weights": False}, "scale_attn_weights is false, and this GPT computes true only"),
        ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx is true"),
        ({"n_inner": 20}, "n_inner is 20, and this GPT computes null or 32 only"),
        ({"add_cross_attention": True}, "add_cross_attention is true"),
        ({"model_type": "gptj"}, 'model_type is "gptj"'),
        ({"n_layer": 10**9}, "n_layer is 1000000000, expected a whole number up to 1,000"),
        ({"n_embd": 2**20}, "means a network of .* numbers or more, and .* has .* bytes"),
        ({"n_head": 0}, "n_head is 0, expected at least 1"),
        ({"n_head": "4"}, 'n_head is "4", expected a whole number'),
        ({"layer_norm_epsilon": "small"}, "layer_norm_epsilon is .*, expected a number from 0 to 1"),
        ({"n_embd": 4}, "the weights are of another configuration"),
    ],
)
def test_other_networks_are_refused_by_name(gpt2, tmp_path, setting, says):
    with pytest.raises(InputError, match=says):
        published_writer("gpt2", edited(gpt2[0], tmp_path, **setting))


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"hidden_act": "relu"}, 'hidden_act is "relu", and this BERT computes "gelu" only'),
        ({"is_decoder": True}, "is_decoder is true"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type is"),
        ({"hidden_size": 2**20}, "means a network of"),
        ({"num_attention_heads": 3}, "hidden_size 8 is no multiple of num_attention_heads 3"),
        ({"num_attention_heads": 0}, "no multiple of num_attention_heads 0"),
    ],
)
def test_other_berts_are_refused_by_name(bert, tmp_path, setting, says):
    with pytest.raises(InputError, match=says):
        published_bert("bert-base-uncased", str(edited(bert[0], tmp_path, **setting)))


def test_a_model_that_is_not_the_one_of_the_config_is_not_loaded(gpt2, bert):
    file = gpt2[0] / "model.safetensors"
    sizes = {"vocab_size": 256, "block_size": 9, "n_layer": 2, "n_embd": 8, "n_head": 4}
    with pytest.raises(InputError, match=r"config.json: layer_norm_epsilon is 0.1, and this model has 1e-05: build it"):
        load(GPT(GPTConfig(**sizes)), file)
    with pytest.raises(InputError, match=r"n_head is 4, and this model has 2: build it with GPTConfig\(n_head=4\)"):
        load(GPT(GPTConfig(**sizes | {"n_head": 2}, layer_norm_epsilon=0.1)), file)
    load(GPT(GPTConfig(**sizes, layer_norm_epsilon=0.1, dropout=0.0)), file)
    for kind in (BertModel, BertForMaskedLM):
        with pytest.raises(InputError, match=r"layer_norm_eps is 0.1, and this model has 1e-12"):
            load(kind(BertConfig(**BERT_SIZES)), bert[0] / "model.safetensors")


def test_the_config_of_a_run_says_nothing_of_published_weights(gpt2, tmp_path):
    folder = edited(gpt2[0], tmp_path)
    (folder / "config.json").write_text('{"recipe": "gpt"}')
    with pytest.raises(InputError, match="vocab.json has 256 tokens, gpt2 50,257"):
        published_writer("gpt2", folder)
