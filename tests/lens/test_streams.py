"""What each branch adds to the residual stream: against sums taken by hand, and what the picture says of them."""

import numpy as np
import pytest

import handmade
from handmade import nn
from handmade.draw import Added
from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.lens import added_by_blocks, added_by_branches, block_flow, draw_added, recording
from handmade.lens.hooks import undisturbed
from handmade.models.bert import BertConfig, BertForMaskedLM
from handmade.models.gpt import GPT, GPTConfig
from handmade.models.resnet_cifar import CifarResNet
from handmade.models.transformer import Transformer

TOKENS = Tensor(np.array([[3, 9, 4, 4, 1, 10]]))
TARGET = Tensor(np.array([[5, 2, 7, 8]]))

length = lambda tensor: np.linalg.norm(tensor.array.astype(np.float64), axis=-1).mean()


@pytest.fixture(scope="module")
def gpt():
    handmade.manual_seed(2)
    return GPT(GPTConfig(11, 8, n_layer=2, n_head=2, n_embd=8, dropout=0.3))


def test_of_a_gpt_the_stream_is_the_sum_of_all_before(gpt):
    added = added_by_branches(gpt, TOKENS)
    assert [(one.block, one.branch) for one in added] == [
        ("layer 0", "attention"), ("layer 0", "MLP"), ("layer 1", "attention"), ("layer 1", "MLP")
    ]  # fmt: skip
    with undisturbed(gpt), no_grad():
        parts = gpt.transformer
        x = parts.wte(TOKENS) + parts.wpe(Tensor(np.arange(6)))
        for n, block in enumerate(parts.h):
            for one, norm, branch in (
                (added[2 * n], block.ln_1, block.attn),
                (added[2 * n + 1], block.ln_2, block.mlp),
            ):
                given = branch(norm(x))
                assert (one.stream, one.added) == (pytest.approx(length(x)), pytest.approx(length(given)))
                assert one.ratio == pytest.approx(length(given) / length(x))
                x = x + given
    assert gpt.training  # as it was


@pytest.mark.parametrize("norm_first", [False, True])
def test_of_a_transformer_each_branch_is_what_its_sublayer_gives(norm_first):
    handmade.manual_seed(4)
    model = Transformer(11, 8, num_heads=2, num_layers=1, dim_feedforward=12, dropout=0.3, norm_first=norm_first)
    added = {(one.block, one.branch): one for one in added_by_branches(model, TOKENS, TARGET)}
    assert list(added) == [
        ("encoder 0", "attention"), ("encoder 0", "MLP"),
        ("decoder 0", "attention"), ("decoder 0", "to the source"), ("decoder 0", "MLP"),
    ]  # fmt: skip
    layer = model.encoder.layers[0]
    with undisturbed(model), no_grad():
        x = model._embed(model.source_embedding, TOKENS)
        read = layer.norm1(x) if norm_first else x
        given = layer.self_attn(read, read, read, None, False)[0]
        then = x + given if norm_first else layer.norm1(x + given)
        fed = layer._feed_forward(layer.norm2(then) if norm_first else then)
    attention, mlp = added["encoder 0", "attention"], added["encoder 0", "MLP"]
    assert (attention.stream, attention.added) == (pytest.approx(length(x)), pytest.approx(length(given), rel=1e-5))
    assert (mlp.stream, mlp.added) == (pytest.approx(length(then)), pytest.approx(length(fed), rel=1e-5))


def test_of_a_bert_the_norm_has_set_the_length_back():
    handmade.manual_seed(1)
    config = BertConfig(20, 8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12)
    model = BertForMaskedLM(config)
    added = added_by_branches(model, TOKENS)
    assert len(added) == 4
    for one in added:  # a norm of 8 channels, with its first weights, gives vectors of length sqrt(8)
        assert one.stream == pytest.approx(np.sqrt(8), rel=1e-4)
    with undisturbed(model), no_grad(), recording(model) as outputs:
        model(TOKENS)
    given = outputs["bert.encoder.layer.1.output.dense"][0]
    assert added[3].added == pytest.approx(length(given))


def test_of_a_resnet_they_are_the_norms_of_skip_and_branch(rng):
    model = CifarResNet(8)
    image = Tensor(rng.standard_normal((1, 3, 8, 8)).astype(np.float32))
    added, flow = added_by_blocks(model, image), block_flow(model, image)
    assert [one.block for one in added] == ["layer1.0", "layer2.0", "layer3.0"]
    assert [one.ratio for one in added] == pytest.approx([block.ratio for block in flow.blocks])


def test_others_have_none():
    with pytest.raises(InputError, match="Linear has no branches of attention and MLP"):
        added_by_branches(nn.Linear(2, 2), Tensor(np.zeros((1, 2), np.float32)))
    with pytest.raises(InputError, match="Linear has no residual blocks"):
        added_by_blocks(nn.Linear(2, 2), Tensor(np.zeros((1, 1, 2, 2), np.float32)))


@pytest.mark.slow
def test_the_picture_says_what_adds_most_and_least(tmp_path):
    added = [Added("a", "MLP", 2.0, 3.0), Added("b", "attention", 5.0, 1.0), Added("b", "MLP", 6.0, 4.0)]
    draw_added(tmp_path / "added.png", added, "a model: branches", "Of all.")
    assert (tmp_path / "added.txt").read_text() == (
        "a model: branches\n\nMost is added by the MLP of a, 1.50 times the length of what is there; least by the "
        "attention of b, 0.20 times. What is there has the length 2 before the first, 6 before the last.\n"
    )
