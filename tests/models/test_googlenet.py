"""GoogLeNet: the paper's form against an independent graph, the small classifiers, the input's scale."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch.nn import functional as torch_functional

import handmade
from handmade import models, nn, no_grad, tensor
from handmade.models.googlenet import CARDS, GoogLeNetOutputs, InceptionAux, from_imagenet_statistics
from tests.support import light_graphs
from tests.support.networks import count, filled

FORMS = pytest.mark.parametrize("paper", [False, True], ids=["published", "paper"])


@pytest.mark.parametrize("entry", CARDS, ids=lambda entry: entry.name)
def test_parameters(entry, unfilled):
    assert count(entry.make()) == entry.parameters


def test_parameters_without_the_small_classifiers(unfilled):
    assert count(models.googlenet(aux_logits=False)) == 6_624_904
    assert count(models.googlenet(aux_logits=False, paper=True)) == 6_998_552


@FORMS
def test_without_the_small_classifiers_their_names_are_gone(paper, unfilled):
    whole, without = (models.googlenet(paper=paper, aux_logits=aux).state_dict() for aux in (True, False))
    assert {name.split(".")[0] for name in whole.keys() - without.keys()} == {"aux1", "aux2"}
    assert not without.keys() - whole.keys()


@pytest.mark.slow
def test_the_papers_form_as_an_independent_graph(unfilled, shared_parity):
    # The graph is Caffe's, made for pools that round down; here they round up as in table 1: 112, 56, 28, 14, 7.
    model = filled(models.googlenet(paper=True, aux_logits=False), shared_parity.fill).eval()
    image = shared_parity.fill.image_batch(1, 224)
    pools = {"MaxPool": {"pads": [0, 0, 1, 1]}, "AveragePool": {"pads": [0, 0, 0, 0]}}
    expected = light_graphs.run("inception_v1", model, image, **pools)
    with no_grad():
        logits = model(tensor(image).float()).numpy()
    assert np.abs(logits - expected).max() < 1e-4 * expected.std()


@FORMS
def test_maps_have_the_sizes_of_table_1(paper, undrawn):
    model, shapes = models.googlenet(paper=paper).eval(), {}
    for name, module in model.named_children():
        module.register_forward_hook(lambda module, given, made, name=name: shapes.update({name: made.shape[1:]}))
    with no_grad():
        assert model(handmade.zeros(1, 3, 224, 224)).shape == (1, 1000)
    assert [shapes[name] for name in ("conv1", "maxpool1", "conv3", "maxpool2", "inception3a", "inception3b")] == [
        (64, 112, 112), (64, 56, 56), (192, 56, 56), (192, 28, 28), (256, 28, 28), (480, 28, 28),
    ]  # fmt: skip
    assert [shapes[f"inception4{letter}"] for letter in "abcde"] == [(c, 14, 14) for c in (512, 512, 512, 528, 832)]
    assert [shapes[name] for name in ("maxpool4", "inception5a", "inception5b")] == [
        (c, 7, 7) for c in (832, 832, 1024)
    ]
    kernel = model.inception3a.branch3[1]
    assert (kernel if paper else kernel.conv).kernel_size == ((5, 5) if paper else (3, 3))


# --- the small classifiers ------------------------------------------------------------------------------------------


@FORMS
def test_a_small_classifier_as_torch(paper, rng):
    head = InceptionAux(6, 5, dropout=0.0, paper=paper).double()
    state = {name: torch.tensor(value.numpy()) for name, value in head.state_dict().items()}
    x = rng.standard_normal((3, 6, 14, 14))
    pool = torch.nn.AvgPool2d(5, stride=3) if paper else torch.nn.AdaptiveAvgPool2d(4)
    pooled = pool(torch.tensor(x))
    if paper:
        maps = torch_functional.conv2d(pooled, state["conv.weight"], state["conv.bias"])
    else:
        maps = torch_functional.conv2d(pooled, state["conv.conv.weight"])
        maps = torch_functional.batch_norm(maps, None, None, training=True, eps=1e-3)
    hidden = torch_functional.linear(maps.relu().flatten(1), state["fc1.weight"], state["fc1.bias"]).relu()
    expected = torch_functional.linear(hidden, state["fc2.weight"], state["fc2.bias"])
    assert_allclose(head(tensor(x)).numpy(), expected.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.slow
@FORMS
def test_training_gives_three_scores_and_evaluation_one(paper, rng):
    model = models.googlenet(num_classes=7, paper=paper)
    images = tensor(rng.standard_normal((2, 3, 224, 224))).float()
    output = model(images)
    assert isinstance(output, GoogLeNetOutputs)
    assert output._fields == ("logits", "aux_logits2", "aux_logits1")
    assert [scores.shape for scores in output] == [(2, 7)] * 3
    labels = tensor([6, 0])
    losses = [nn.functional.cross_entropy(scores, labels) for scores in output]
    (losses[0] + 0.3 * losses[1] + 0.3 * losses[2]).backward()
    for name, parameter in model.named_parameters():
        assert np.abs(parameter.grad.numpy()).max() > 0, name
    with no_grad():
        assert model.eval()(images).shape == (2, 7)
    assert models.googlenet(num_classes=7, aux_logits=False, paper=paper)(images).shape == (2, 7)


@pytest.mark.slow
@pytest.mark.parametrize(("which", "last"), [("aux_logits1", "4a"), ("aux_logits2", "4d")])
def test_where_the_small_classifiers_look(which, last, rng):
    model = models.googlenet(num_classes=3)
    getattr(model(tensor(rng.standard_normal((2, 3, 64, 64))).float()), which).sum().backward()
    reached = [name for name, block in model.named_children() if name.startswith("inception") and moved(block)]
    assert reached[-1] == f"inception{last}"
    assert model.fc.weight.grad is None


def moved(block: nn.Module) -> bool:
    return all(parameter.grad is not None for parameter in block.parameters())


def test_dropouts(unfilled):
    def probabilities(**options):
        model = models.googlenet(num_classes=2, **options)
        return model.dropout.p, model.aux1.dropout.p, model.aux2.dropout.p

    assert probabilities() == (0.2, 0.7, 0.7)
    assert probabilities(paper=True) == (0.4, 0.7, 0.7)
    assert probabilities(paper=True, dropout=0.1, dropout_aux=0.3) == (0.1, 0.3, 0.3)


# --- the input's scale, initial weights -------------------------------------------------------------------------------


def test_from_imagenet_statistics_to_minus_one_to_one(rng):
    pixels = rng.uniform(size=(2, 3, 4, 5))
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    normalised = (pixels - mean[:, None, None]) / std[:, None, None]
    assert_allclose(from_imagenet_statistics(tensor(normalised)).numpy(), 2 * pixels - 1, atol=1e-14)


@pytest.mark.slow
def test_transform_input(rng):
    # in training, where the norms keep initial weights from drowning the image
    model = models.googlenet(num_classes=3, transform_input=True, aux_logits=False, dropout=0.0)
    images = tensor(rng.standard_normal((2, 3, 64, 64))).float()
    with no_grad():
        changed = model(images).numpy()
        model.transform_input = False
        assert (model(from_imagenet_statistics(images)).numpy() == changed).all()
        assert np.abs(model(images).numpy() - changed).max() > 1e-3


@pytest.mark.slow
def test_first_weights():
    published, paper = models.googlenet(num_classes=2), models.googlenet(num_classes=2, paper=True)
    assert published.inception4a.branch2[1].conv.weight.numpy().std() == pytest.approx(0.01, rel=0.02)
    assert published.aux1.fc1.weight.numpy().std() == pytest.approx(0.01, rel=0.02)
    layer = paper.inception4a.branch2[1]
    assert layer.weight.numpy().std() == pytest.approx((2 / (96 * 9)) ** 0.5, rel=0.02)
    assert (layer.bias.numpy() == 0).all()
    spread = models.googlenet(num_classes=2, init_weights=False).inception4a.branch2[1].conv.weight.numpy()
    assert np.abs(spread).max() <= (96 * 9) ** -0.5
