"""AlexNet: the paper's form against an independent graph, its initial weights, and what it refuses."""

import numpy as np
import pytest

import handmade
from handmade import models, nn, no_grad, tensor
from handmade.models.alexnet import CARDS, PaperAlexNet
from tests.support import light_graphs
from tests.support.networks import count, filled


@pytest.mark.parametrize("entry", CARDS, ids=lambda entry: entry.name)
def test_parameters(entry, unfilled):
    assert count(entry.make()) == entry.parameters


def test_parameters_of_the_papers_layers(unfilled):
    model = models.alexnet(paper=True)
    counts = {name: count(layer) for name, layer in model.named_children() if count(layer)}
    assert counts == {
        "conv1": 34_944,
        "conv2": 307_456,
        "conv3": 885_120,
        "conv4": 663_936,
        "conv5": 442_624,
        "fc6": 37_752_832,
        "fc7": 16_781_312,
        "fc8": 4_097_000,
    }


@pytest.fixture
def paper(unfilled, shared_parity):
    return filled(models.alexnet(paper=True), shared_parity.fill).eval()


@pytest.mark.slow
def test_the_papers_form_as_an_independent_graph(paper, shared_parity):
    # The graph is Caffe's: k = 1, and alpha over the number of maps. Its last pool is padded to suit 224.
    image = shared_parity.fill.image_batch(1, 227)
    norm, pool = {"bias": 2.0, "alpha": 5e-4}, {"pads": [0, 0, 0, 0]}
    expected = light_graphs.run("bvlc_alexnet", paper, image, LRN=norm, MaxPool=pool)
    with no_grad():
        logits = paper(tensor(image).float()).numpy()
    assert np.abs(logits - expected).max() < 1e-4 * expected.std()


@pytest.mark.slow
def test_224_is_227_with_zeros_at_the_right_and_below(paper, rng):
    image = rng.standard_normal((1, 3, 224, 224)).astype(np.float32)
    larger = np.zeros((1, 3, 227, 227), np.float32)
    larger[:, :, :224, :224] = image
    with no_grad():
        assert (paper(tensor(image)).numpy() == paper(tensor(larger)).numpy()).all()


@pytest.mark.slow
def test_first_weights_of_the_paper():
    model = PaperAlexNet(num_classes=10)
    biases = {name: parameter.numpy() for name, parameter in model.named_parameters() if name.endswith("bias")}
    ones = {"conv2.bias", "conv4.bias", "conv5.bias", "fc6.bias", "fc7.bias"}
    for name, bias in biases.items():
        assert (bias == (name in ones)).all(), name
    for name, parameter in model.named_parameters():
        if name.endswith("weight"):
            assert parameter.numpy().std() == pytest.approx(0.01, rel=0.02), name
            assert abs(parameter.numpy().mean()) < 1e-3, name


@pytest.mark.slow
@pytest.mark.parametrize("paper", [False, True])
def test_dropout_in_training_only(paper, undrawn, rng):
    model = models.alexnet(num_classes=3, dropout=0.25, paper=paper)
    dropouts = [module for module in model.modules() if isinstance(module, nn.Dropout)]
    assert {module.p for module in dropouts} == {0.25}
    calls = []
    for module in dropouts:
        module.register_forward_hook(lambda module, given, made: calls.append((given[0] is made, made.shape)))
    image = tensor(rng.standard_normal((1, 3, 224, 224))).float()
    with no_grad():
        model.eval()(image)
    assert calls == [(True, (1, 4096))] * 2 if paper else [(True, (1, 9216)), (True, (1, 4096))]


@pytest.mark.slow
@pytest.mark.parametrize("paper", [False, True])
def test_a_training_step_reaches_every_parameter(paper, rng):
    model = models.alexnet(num_classes=5, paper=paper)
    images = tensor(rng.standard_normal((2, 3, 224, 224))).float()
    nn.functional.cross_entropy(model(images), tensor([1, 4])).backward()
    for name, parameter in model.named_parameters():
        assert np.abs(parameter.grad.numpy()).max() > 0, name


def test_the_published_form_takes_other_sizes(undrawn):
    model = models.alexnet(num_classes=4).eval()
    with no_grad():
        assert model(handmade.zeros(2, 3, 97, 130)).shape == (2, 4)


def test_the_papers_form_takes_its_size_only(undrawn):
    with no_grad(), pytest.raises(ValueError, match=r"linear: input of shape \(1, 6400\)"):
        models.alexnet(paper=True)(handmade.zeros(1, 3, 192, 200))
