"""MobileNetV2: torchvision's names, counts and logits; the block; the widths; and that it learns."""

import numpy as np
import pytest
import torch

import handmade
from handmade import models, nn, tensor
from handmade.models.mobilenet_v2 import InvertedResidual, rounded
from handmade.recipes import recipe_of
from tests.support.against_torch import assert_close, check_layer, compare_gradients
from tests.support.networks import count

# Parameters of torchvision's mobilenet_v2(width_mult=...), as it counts them.
PARAMETERS = {0.35: 1_677_128, 0.5: 1_968_680, 0.75: 2_636_424, 1.0: 3_504_872, 1.4: 6_108_776}


def norm_relu6(c, k, size, stride=1, groups=1):
    conv = torch.nn.Conv2d(c, k, size, stride, (size - 1) // 2, groups=groups, bias=False)
    return torch.nn.Sequential(conv, torch.nn.BatchNorm2d(k), torch.nn.ReLU6())


class TorchBlock(torch.nn.Module):
    """Table 1, in PyTorch and under torchvision's names."""

    def __init__(self, c, k, s, t):
        super().__init__()
        first = [norm_relu6(c, t * c, 1)] if t > 1 else []
        last = [torch.nn.Conv2d(t * c, k, 1, bias=False), torch.nn.BatchNorm2d(k)]
        self.conv = torch.nn.Sequential(*first, norm_relu6(t * c, t * c, 3, s, t * c), *last)
        self.add = s == 1 and c == k

    def forward(self, x):
        return x + self.conv(x) if self.add else self.conv(x)


class TorchMobileNetV2(torch.nn.Module):
    """Table 2, line by line."""

    def __init__(self):
        super().__init__()
        blocks = [TorchBlock(32, 16, 1, 1)]
        for c, k, n, s in [
            (16, 24, 2, 2),
            (24, 32, 3, 2),
            (32, 64, 4, 2),
            (64, 96, 3, 1),
            (96, 160, 3, 2),
            (160, 320, 1, 1),
        ]:
            blocks += [TorchBlock(c if i == 0 else k, k, s if i == 0 else 1, 6) for i in range(n)]
        self.features = torch.nn.Sequential(norm_relu6(3, 32, 3, 2), *blocks, norm_relu6(320, 1280, 1))
        self.classifier = torch.nn.Sequential(torch.nn.Dropout(0.2), torch.nn.Linear(1280, 1000))

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_names_logits_and_gradients_are_torchs(dtype, rng, undrawn):
    theirs = TorchMobileNetV2().to(getattr(torch, dtype)).eval()
    with torch.no_grad():
        for name, value in theirs.state_dict().items():
            if "running" in name or value.ndim == 1:  # as after training: statistics and norms of all sizes
                value.copy_(torch.tensor(rng.uniform(0.5, 1.5, value.shape)))
    ours = models.mobilenet_v2().to(getattr(handmade, dtype)).eval()
    shapes = [(name, tuple(value.shape)) for name, value in ours.state_dict().items()]
    assert shapes == [(name, tuple(value.shape)) for name, value in theirs.state_dict().items()]
    ours.load_state_dict({name: value.numpy().copy() for name, value in theirs.state_dict().items()})
    images = rng.standard_normal((2, 3, 64, 96)).astype(dtype)
    logits, expected = ours(tensor(images)), theirs(torch.tensor(images))
    assert_close(logits.numpy(), expected.detach().numpy(), "logits")
    if dtype == "float64":
        cotangent = rng.standard_normal(logits.shape)
        logits.backward(cotangent)
        expected.backward(torch.tensor(cotangent))
        compare_gradients(ours, theirs)


@pytest.mark.parametrize("width", PARAMETERS)
def test_parameters_of_every_width_are_torchvisions(width, unfilled):
    assert count(models.mobilenet_v2(width_mult=width)) == PARAMETERS[width]


def test_channels_are_multiples_of_8_and_lose_a_tenth_at_most():
    assert [rounded(c) for c in (3, 8, 11.2, 12, 24 * 0.35, 32 * 0.35, 320 * 1.4)] == [8, 8, 16, 16, 8, 16, 448]


@pytest.mark.parametrize(("arguments", "adds"), [((8, 8, 1, 6), True), ((8, 8, 2, 6), False), ((8, 12, 1, 1), False)])
def test_blocks_are_torchs_and_add_x_where_shapes_agree(arguments, adds, rng):
    make = lambda library: (InvertedResidual if library is nn else TorchBlock)(*arguments)
    check_layer(make, rng.standard_normal((3, 8, 6, 9)), training=False)
    assert InvertedResidual(*arguments).shortcut is adds


def test_the_form_for_small_images_keeps_their_size_until_the_third_stage():
    model = models.mobilenet_v2_cifar()
    x = tensor(np.zeros((1, 3, 32, 32), np.float32))
    sizes = []
    with handmade.no_grad():
        for layer in model.eval().features:
            x = layer(x)
            sizes.append(x.shape[-1])
    assert sizes == [32] * 4 + [16] * 3 + [8] * 7 + [4] * 5


@pytest.mark.slow
def test_it_learns_sixteen_images(rng):
    model = models.mobilenet_v2(num_classes=4, width_mult=0.35, dropout=0.0)
    images, labels = tensor(rng.standard_normal((16, 3, 48, 48)).astype(np.float32)), tensor(np.arange(16) % 4)
    # at five times this rate the loss jumps about between 0.01 and 1, and rounding decides where it ends
    optimizer = handmade.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    losses = []
    for _ in range(20):
        loss = nn.functional.cross_entropy(model(images), labels)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[0] == pytest.approx(np.log(4), abs=0.1)  # scores start small
    assert losses[-1] < 0.3


def test_its_recipe_builds_it_for_small_images():
    built = recipe_of("mobilenet_v2-cifar").build(7)
    assert built.features[0][0].stride == (1, 1)
    assert built.classifier[1].out_features == 7
