"""Inception v3: sizes of its maps, the small classifier, initial weights."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch.nn import functional as torch_functional

import handmade
from handmade import models, nn, no_grad, tensor
from handmade.models.googlenet import from_imagenet_statistics
from handmade.models.inception_v3 import CARDS, InceptionAux, InceptionOutputs
from tests.support.networks import count


def test_parameters(unfilled):
    (entry,) = CARDS
    assert count(entry.make()) == entry.parameters == 27_161_264
    assert count(models.inception_v3(aux_logits=False)) == 23_834_568


@pytest.mark.slow
def test_maps_have_the_sizes_of_table_1(undrawn):
    model, shapes = models.inception_v3(num_classes=9).eval(), {}
    for name, module in model.named_children():
        module.register_forward_hook(lambda module, given, made, name=name: shapes.update({name: made.shape[1:]}))
    with no_grad():
        assert model(handmade.zeros(1, 3, 299, 299)).shape == (1, 9)
    assert shapes["Conv2d_1a_3x3"] == (32, 149, 149)
    assert shapes["Conv2d_2b_3x3"] == (64, 147, 147)
    assert shapes["maxpool2"] == (192, 35, 35)
    assert [shapes[f"Mixed_5{letter}"] for letter in "bcd"] == [(256, 35, 35), (288, 35, 35), (288, 35, 35)]
    assert [shapes[f"Mixed_6{letter}"] for letter in "abcde"] == [(768, 17, 17)] * 5
    assert [shapes[f"Mixed_7{letter}"] for letter in "abc"] == [(1280, 8, 8), (2048, 8, 8), (2048, 8, 8)]


def test_the_small_classifier_as_torch(rng):
    head = InceptionAux(6, 4).double()
    state = {name: torch.tensor(value.numpy()) for name, value in head.state_dict().items()}
    x = rng.standard_normal((3, 6, 17, 17))
    maps = torch_functional.avg_pool2d(torch.tensor(x), 5, stride=3)
    for name in ("conv0", "conv1"):
        maps = torch_functional.conv2d(maps, state[f"{name}.conv.weight"])
        maps = torch_functional.batch_norm(maps, None, None, training=True, eps=1e-3).relu()
    expected = torch_functional.linear(maps.flatten(1), state["fc.weight"], state["fc.bias"])
    assert_allclose(head(tensor(x)).numpy(), expected.numpy(), rtol=1e-8, atol=1e-11)


@pytest.mark.slow
def test_training_gives_two_scores_and_evaluation_one(rng):
    model = models.inception_v3(num_classes=3)
    images, labels = tensor(rng.standard_normal((2, 3, 299, 299))).float(), tensor([2, 0])
    output = model(images)
    assert isinstance(output, InceptionOutputs)
    assert output._fields == ("logits", "aux_logits")
    assert [scores.shape for scores in output] == [(2, 3)] * 2

    nn.functional.cross_entropy(output.aux_logits, labels).backward()
    assert model.Mixed_6e.branch_pool.conv.weight.grad is not None
    assert model.Mixed_7a.branch3x3_1.conv.weight.grad is None

    nn.functional.cross_entropy(model(images).logits, labels).backward()
    for name, parameter in model.named_parameters():
        assert np.abs(parameter.grad.numpy()).max() > 0, name
    assert model.Conv2d_1a_3x3.bn.num_batches_tracked.item() == 2


@pytest.mark.slow
def test_without_the_small_classifier(undrawn):
    model = models.inception_v3(num_classes=3, aux_logits=False, dropout=0.25)
    assert not any(name.startswith("AuxLogits") for name in model.state_dict())
    assert model.dropout.p == 0.25
    with no_grad():
        assert model(handmade.zeros(2, 3, 80, 91)).shape == (2, 3)


@pytest.mark.slow
def test_transform_input(rng):
    model = models.inception_v3(num_classes=3, aux_logits=False, transform_input=True).eval()
    images = tensor(rng.standard_normal((1, 3, 75, 90))).float()
    with no_grad():
        changed = model(images).numpy()
        model.transform_input = False
        assert (model(from_imagenet_statistics(images)).numpy() == changed).all()
        assert np.abs(model(images).numpy() - changed).max() > 1e-3


@pytest.mark.slow
def test_first_weights():
    model = models.inception_v3(num_classes=1000)
    deviations = {
        model.Mixed_6b.branch7x7_2.conv: 0.1,
        model.fc: 0.1,
        model.AuxLogits.conv0.conv: 0.1,
        model.AuxLogits.conv1.conv: 0.01,
        model.AuxLogits.fc: 0.001,
    }
    for layer, deviation in deviations.items():
        assert layer.weight.numpy().std() == pytest.approx(deviation, rel=0.02)
