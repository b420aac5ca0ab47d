"""The published architectures with the same weights as torchvision's: names, shapes, counts, logits, gradients."""

import numpy as np
import pytest

from handmade import models, no_grad, tensor
from tests.support.networks import count, filled

PUBLISHED = ["alexnet", "vgg11", "vgg16_bn", "resnet18", "resnet50", "googlenet", "inception_v3"]
LARGE = "vgg16_bn"  # its gradients take as long as all others together; their parts occur in vgg11 and resnet18


def test_every_reference_is_compared(shared_parity):
    assert sorted(shared_parity.expected) == sorted(PUBLISHED)


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_as_torchvision(name, shared_parity, unfilled):
    expected, fill, logits = shared_parity.expected[name], shared_parity.fill, shared_parity.logits[name]
    model = getattr(models, name)().eval()
    shapes = {key: list(value.shape) for key, value in model.state_dict().items()}
    assert list(shapes.items()) == list(expected["state_dict"].items())
    assert count(model) == expected["parameters"] == models.ZOO[name].parameters

    with np.errstate(invalid="ignore", over="ignore"):  # of what the memory held
        model.double()
    filled(model, fill).requires_grad_(name != LARGE)
    images = tensor(fill.image_batch(1, expected["image_size"]), requires_grad=True)
    output = model(images)
    assert np.abs(output.numpy() - logits).max() < 1e-9 * logits.std()
    output.backward(fill.direction("logits", output.shape))
    check_gradient("input", images, expected["input_gradient"], fill)
    for key, parameter in model.named_parameters():
        if name != LARGE and key in expected["gradients"]:
            check_gradient(key, parameter, expected["gradients"][key], fill)
        else:
            assert parameter.grad is None, key

    model.zero_grad()
    with no_grad():
        output = model.float()(images.detach().float())
    assert np.abs(output.numpy() - logits).max() < 1e-4 * logits.std()


def check_gradient(name, leaf, expected, fill):
    """The norm of a gradient, and its projection on a random direction, against the reference's."""
    gradient = leaf.grad.numpy()
    norm, projection = np.linalg.norm(gradient), np.vdot(gradient, fill.direction(name, gradient.shape))
    assert abs(norm - expected[0]) < 1e-6 * expected[0], name
    assert abs(projection - expected[1]) < 1e-6 * expected[0], name
