"""VGG: the configurations of table 1, their sizes, and the network that slides."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import handmade
from handmade import models, nn, no_grad, tensor
from handmade.models.vgg import CARDS, CONFIGURATIONS, VGG
from tests.support.networks import count


@pytest.mark.parametrize("entry", CARDS, ids=lambda entry: entry.name)
def test_parameters(entry, unfilled):
    assert count(entry.make()) == entry.parameters


def test_configurations_as_table_1_and_2():
    weights = {name: sum(item != "M" for item in items.split()) + 3 for name, items in CONFIGURATIONS.items()}
    assert weights == {"A": 11, "B": 13, "C": 16, "D": 16, "E": 19}
    assert all(items.split().count("M") == 5 and items.endswith("M") for items in CONFIGURATIONS.values())
    millions = {entry.name: round(entry.parameters / 1e6) for entry in CARDS}
    assert millions["vgg11"] == millions["vgg13"] == 133
    assert (millions["vgg16-c"], millions["vgg16"], millions["vgg19"]) == (134, 138, 144)


def test_1x1_convolutions_end_the_last_three_stages_of_c(unfilled):
    kernels = [layer.kernel_size[0] for layer in VGG("C", num_classes=2).features if isinstance(layer, nn.Conv2d)]
    assert kernels == [3, 3, 3, 3, 3, 3, 1, 3, 3, 1, 3, 3, 1]


@pytest.fixture(scope="module")
def vgg11() -> VGG:
    return models.vgg11(num_classes=5).eval()


@pytest.mark.slow
def test_first_weights(vgg11):
    first, last = vgg11.features[0], vgg11.features[18]
    assert first.weight.numpy().std() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.1)
    assert last.weight.numpy().std() == pytest.approx((2 / (512 * 9)) ** 0.5, rel=0.01)
    assert vgg11.classifier[3].weight.numpy().std() == pytest.approx(0.01, rel=0.01)
    biases = [parameter for name, parameter in vgg11.named_parameters() if name.endswith("bias")]
    assert all((bias.numpy() == 0).all() for bias in biases)


@pytest.mark.slow
def test_the_convolutional_form_is_the_same_at_224(vgg11, rng):
    sliding = models.convolutional(vgg11)
    image = tensor(rng.standard_normal((2, 3, 224, 224))).float()
    with no_grad():
        scores = sliding.score_map(image)  # whose mean it answers with: the next test
        assert scores.shape == (2, 5, 1, 1)
        assert_allclose(scores.numpy()[:, :, 0, 0], vgg11(image).numpy(), atol=1e-5)


@pytest.mark.slow
def test_the_convolutional_form_scores_every_7x7_window_of_the_maps(vgg11, rng):
    sliding = models.convolutional(vgg11)
    image = tensor(rng.standard_normal((1, 3, 256, 295))).float()
    with no_grad():
        scores, maps = sliding.score_map(image), vgg11.features(image)
        assert scores.shape == (1, 5, 2, 3)
        for top in range(2):
            for left in range(3):
                window = maps[:, :, top : top + 7, left : left + 7]
                expected = vgg11.classifier(window.flatten(1)).numpy()
                assert_allclose(scores.numpy()[:, :, top, left], expected, atol=1e-5)
        assert_allclose(sliding(image).numpy(), scores.numpy().mean((2, 3)), atol=1e-6)


@pytest.mark.slow
def test_the_convolutional_form_keeps_the_mode_and_the_original(vgg11):
    before = vgg11.classifier[0].weight.shape
    sliding = models.convolutional(vgg11)
    assert not any(module.training for module in sliding.modules())
    assert sliding.features is vgg11.features
    assert vgg11.classifier[0].weight.shape == before == (4096, 25088)


@pytest.mark.slow
def test_other_sizes_by_the_mean_before_the_classifier(vgg11):
    with no_grad():
        assert vgg11(handmade.zeros(2, 3, 64, 101)).shape == (2, 5)


def test_too_small_an_image(vgg11):
    with no_grad(), pytest.raises(ValueError, match="max_pool2d"):
        vgg11(handmade.zeros(1, 3, 31, 40))


@pytest.mark.slow
def test_a_training_step_reaches_every_parameter(rng):
    model = models.vgg11_bn(num_classes=3, dropout=0.25)
    assert [layer.p for layer in model.classifier if isinstance(layer, nn.Dropout)] == [0.25, 0.25]
    before = model.features[1].running_mean.numpy().copy()
    nn.functional.cross_entropy(model(tensor(rng.standard_normal((2, 3, 64, 64))).float()), tensor([0, 2])).backward()
    for name, parameter in model.named_parameters():
        assert np.abs(parameter.grad.numpy()).max() > 0, name
    assert (model.features[1].running_mean.numpy() != before).all()
    assert model.features[1].num_batches_tracked.item() == 1
