"""What is seen of a network while it learns: gradient norms by layer, and the loss of guessing."""

import numpy as np
import pytest

from handmade.engine import Tensor
from handmade.lens.learning import MOST_LAYERS, chance_loss, gradient_norms_by_layer, layers_of, total_norm
from handmade.models import ZOO
from handmade.nn.functional import cross_entropy
from handmade.nn.utils import clip_grad_norm_


@pytest.fixture(scope="module")
def model(rng=None):
    model = ZOO["lenet5"].make()
    images = Tensor(np.random.default_rng(0).standard_normal((4, 1, 32, 32)).astype(np.float32))
    cross_entropy(model(images), Tensor(np.array([0, 3, 3, 9]))).backward()
    return model


def test_the_norms_of_the_layers_are_those_of_their_gradients(model):
    norms = gradient_norms_by_layer(model)
    assert list(norms) == ["c1", "c3", "c5", "f6", "out"]
    gradients = [parameter.grad.array for name, parameter in model.named_parameters() if name.startswith("c3")]
    assert norms["c3"] == pytest.approx(np.linalg.norm(np.concatenate([g.ravel() for g in gradients])), rel=1e-5)
    assert total_norm(norms) == pytest.approx(clip_grad_norm_(model.parameters(), 1e9).item(), rel=1e-5)


def test_a_layer_without_a_gradient_has_none(model):
    model.c1.weight.grad = model.c1.bias.grad = None
    assert gradient_norms_by_layer(model)["c1"] == 0


@pytest.mark.parametrize("name", ["lenet5", "resnet20", "gpt-cpu", "char-lstm"])
def test_every_parameter_is_in_one_layer_and_there_are_few(name):
    model = ZOO[name].make()
    layers = layers_of(model)
    assert 2 <= len(layers) <= MOST_LAYERS
    names = [name for names in layers.values() for name in names]
    assert names == [name for name, _ in model.named_parameters()]


def test_guessing_among_ten_costs_the_logarithm_of_ten():
    scores = Tensor(np.zeros((3, 10), np.float32))
    assert chance_loss(10) == pytest.approx(cross_entropy(scores, Tensor(np.array([1, 4, 9]))).item(), rel=1e-6)
