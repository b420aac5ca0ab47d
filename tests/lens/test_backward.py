"""The gradient of a loss layer by layer: against gradients taken by hand, and nothing is left behind."""

import numpy as np
import pytest

import handmade
from handmade.draw import LayerGradient
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.lens import draw_gradients, gradients_by_layer, masked_losses, next_token_losses, translation_losses
from handmade.lens.backward import class_loss, hidden_loss, text_loss, translation_loss
from handmade.models import ZOO
from handmade.models.bert import BertConfig, BertForMaskedLM
from handmade.models.gpt import GPT, GPTConfig
from handmade.models.transformer import Transformer
from handmade.nn.functional import cross_entropy

TOKENS = np.array([3, 9, 4, 4, 1, 10])


@pytest.fixture(scope="module")
def lenet():
    handmade.manual_seed(0)
    return ZOO["lenet5"].make()


def test_they_are_the_norms_of_the_gradients_and_those_before_come_back(lenet, rng):
    image = Tensor(rng.standard_normal((1, 1, 32, 32)).astype(np.float32))
    kept = Tensor(np.ones_like(lenet.c1.bias.array))
    lenet.c1.bias.grad = kept
    layers = gradients_by_layer(lenet, class_loss(lenet, image, 7))
    assert lenet.c1.bias.grad is kept
    assert lenet.out.weight.grad is None
    assert lenet.training
    lenet.c1.bias.grad = None
    cross_entropy(lenet(image), Tensor(np.array([7]))).backward()
    assert [one.name for one in layers] == ["c1", "c3", "c5", "f6", "out"]
    for one in layers:
        parts = [p for name, p in lenet.named_parameters() if name.startswith(one.name)]
        whole = lambda arrays: np.linalg.norm(np.concatenate([array.ravel() for array in arrays]))
        assert one.gradient == pytest.approx(whole([p.grad.array for p in parts]), rel=1e-5)
        assert one.weights == pytest.approx(whole([p.array for p in parts]), rel=1e-5)
        assert one.ratio == pytest.approx(one.gradient / one.weights)
    for parameter in lenet.parameters():
        parameter.grad = None


def test_an_error_leaves_the_gradients_as_they_were(lenet):
    kept = lenet.c1.bias.grad = Tensor(np.ones_like(lenet.c1.bias.array))
    with pytest.raises(ZeroDivisionError):
        gradients_by_layer(lenet, lambda: 1 / 0)
    assert lenet.c1.bias.grad is kept
    lenet.c1.bias.grad = None


def test_the_losses_are_the_means_of_those_of_the_tokens():
    handmade.manual_seed(1)
    gpt = GPT(GPTConfig(11, 8, n_layer=1, n_head=2, n_embd=8, dropout=0.0))
    assert text_loss(gpt, TOKENS)().item() == pytest.approx(next_token_losses(gpt, TOKENS).mean(), rel=1e-5)
    bert = BertForMaskedLM(BertConfig(20, 8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)).eval()
    masked = np.nanmean(masked_losses(bert, TOKENS, 4))
    assert hidden_loss(bert, TOKENS, 4)().item() == pytest.approx(masked, rel=1e-5)
    model, target = Transformer(11, 8, 2, 1, 8).eval(), np.array([1, 5, 7, 2])
    said = translation_losses(model, TOKENS, target).mean()
    assert translation_loss(model, TOKENS, target)().item() == pytest.approx(said, rel=1e-5)
    with pytest.raises(InputError, match="1 tokens, expected two at least"):
        text_loss(gpt, TOKENS[:1])


def test_the_same_batch_has_the_same_gradients():
    model = GPT(GPTConfig(11, 8, n_layer=1, n_head=2, n_embd=8, dropout=0.5)).train()
    once, again = (gradients_by_layer(model, text_loss(model, TOKENS)) for _ in range(2))
    assert once == again  # nothing is dropped


@pytest.mark.slow
def test_the_picture_says_where_it_is_largest_and_writes_a_zero(tmp_path):
    layers = [LayerGradient("one", 4.0, 2e-5), LayerGradient("two", 1.0, 0.0), LayerGradient("three", 2.0, 0.3)]
    draw_gradients(tmp_path / "gradients.png", layers, "a model: gradients", "The loss: of one.")
    assert (tmp_path / "gradients.txt").read_text() == (
        "a model: gradients\n\nThe gradient is largest in three, 0.3; in the first layer, one, it is 2e-05, and in the "
        "last, three, 0.3.\n"
    )
