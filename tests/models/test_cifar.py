"""AlexNet, VGG-11 and GoogLeNet for 32x32: counts, shapes, and the losses of networks with small classifiers."""

import numpy as np
import pytest

import handmade
from handmade import models, nn, tensor
from handmade.models.cifar import CARDS
from handmade.models.inception_v3 import InceptionOutputs, InceptionV3
from tests.support.networks import count


@pytest.mark.slow
@pytest.mark.parametrize("entry", CARDS, ids=lambda entry: entry.name)
def test_parameters_and_scores(entry, rng):
    model = entry.make()
    assert count(model) == entry.parameters
    weight, bias = list(model.parameters())[-2:]
    assert len(weight) == len(bias) == 10
    other = entry.build(num_classes=7)
    assert count(model) - count(other) == 3 * weight.shape[1] + 3
    images = tensor(rng.standard_normal((2, *entry.input_shape)).astype(np.float32))
    assert other.eval()(images).shape == (2, 7)


def test_googlenets_maps_are_of_32_224ths_their_size(rng):
    model = models.googlenet_cifar().eval()
    x = model._stem(tensor(rng.standard_normal((1, 3, 32, 32)).astype(np.float32)))
    assert x.shape == (1, 192, 8, 8)
    assert model.maxpool3(x).shape[2:] == (4, 4)


@pytest.mark.slow
def test_googlenets_small_classifiers_fit_small_images(rng):
    model = models.googlenet_cifar(num_classes=5, aux_logits=True)
    outputs = model(tensor(rng.standard_normal((3, 3, 32, 32)).astype(np.float32)))
    assert [scores.shape for scores in outputs] == [(3, 5)] * 3


def test_inception_v3s_loss_smooths_targets_and_counts_its_small_classifier(rng):
    scores, aux = (tensor(rng.standard_normal((4, 6))) for _ in range(2))
    labels = tensor(np.array([0, 5, 2, 2]))
    main, other = (nn.functional.cross_entropy(x, labels, label_smoothing=0.1).item() for x in (scores, aux))
    loss = InceptionV3.loss
    assert loss(None, InceptionOutputs(scores, aux), labels).item() == pytest.approx(main + 0.4 * other)
    assert loss(None, scores, labels).item() == pytest.approx(main)


def test_alexnets_first_scores_are_of_ordinary_size(rng):
    handmade.manual_seed(1)
    scores = models.alexnet_cifar().eval()(tensor(rng.standard_normal((8, 3, 32, 32)).astype(np.float32)))
    assert 0.02 < scores.numpy().std() < 2
