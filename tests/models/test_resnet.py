"""ResNets: blocks against PyTorch, shortcuts, plain and pre-activated networks, and published weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch.nn.functional import batch_norm, conv2d, pad, relu

import handmade
from handmade import data, models, nn, no_grad, tensor, weights
from handmade.models import resnet, resnet_cifar
from handmade.models.resnet import BasicBlock, BasicBlockV2, Bottleneck, BottleneckV2, ResNet, ZeroPadding, stage
from handmade.models.resnet_cifar import CifarResNet
from tests.support.networks import count


@pytest.mark.slow
@pytest.mark.parametrize("entry", [*resnet.CARDS, *resnet_cifar.CARDS], ids=lambda entry: entry.name)
def test_parameters(entry, unfilled):
    assert count(entry.make()) == entry.parameters


# --- blocks ---------------------------------------------------------------------------------------------------------


def randomised(module: nn.Module, rng: np.random.Generator) -> nn.Module:
    """`module` in float64, with weights, and statistics of its norms, drawn at random."""
    module.double()
    with no_grad():
        for name, values in module.state_dict().items():
            if name.endswith("running_var") or (values.ndim == 1 and name.endswith("weight")):
                values.copy_(rng.uniform(0.5, 1.5, values.shape))
            elif not name.endswith("num_batches_tracked"):
                values.copy_(rng.standard_normal(values.shape) / 5)
    return module


class Reference:
    """The equations of the blocks in PyTorch, on the parameters of one of ours; `training` as the norms have it."""

    def __init__(self, block, stride, training):
        self.state = {name: torch.tensor(value.numpy().copy()) for name, value in block.state_dict().items()}
        for name, value in self.state.items():
            value.requires_grad_(name.endswith(("weight", "bias")))
        self.stride, self.training = stride, training

    def conv(self, name, x, stride=1):
        weight = self.state[f"{name}.weight"]
        return conv2d(x, weight, None, stride, weight.shape[2] // 2)

    def bn(self, name, x):
        mean, var, weight, bias = (
            self.state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return batch_norm(x, mean, var, weight, bias, self.training)

    def shortcut(self, x, channels):
        """Of option B if there are weights for it, else of option A, else x."""
        if "downsample.0.weight" in self.state:
            x = self.conv("downsample.0", x, self.stride)
            return self.bn("downsample.1", x) if "downsample.1.weight" in self.state else x
        extra = channels - x.shape[1]
        return pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, extra // 2, extra - extra // 2))

    def BasicBlock(self, x, skip):
        y = relu(self.bn("bn1", self.conv("conv1", x, self.stride)))
        y = self.bn("bn2", self.conv("conv2", y))
        return relu(y + self.shortcut(x, y.shape[1]) if skip else y)

    def Bottleneck(self, x, skip):
        y = relu(self.bn("bn1", self.conv("conv1", x)))
        y = relu(self.bn("bn2", self.conv("conv2", y, self.stride)))
        y = self.bn("bn3", self.conv("conv3", y))
        return relu(y + self.shortcut(x, y.shape[1]) if skip else y)

    def BasicBlockV2(self, x, skip):
        a = relu(self.bn("bn1", x))
        y = self.conv("conv2", relu(self.bn("bn2", self.conv("conv1", a, self.stride))))
        changes = y.shape != x.shape
        return y + self.shortcut(a if changes else x, y.shape[1]) if skip else y

    def BottleneckV2(self, x, skip):
        a = relu(self.bn("bn1", x))
        y = self.conv("conv2", relu(self.bn("bn2", self.conv("conv1", a))), self.stride)
        y = self.conv("conv3", relu(self.bn("bn3", y)))
        changes = y.shape != x.shape
        return y + self.shortcut(a if changes else x, y.shape[1]) if skip else y


@pytest.mark.slow
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("shortcut", "skip"), [("A", True), ("B", True), ("A", False)])
@pytest.mark.parametrize(("in_channels", "stride"), [(3, 2), (4, 1)])
@pytest.mark.parametrize("kind", [BasicBlock, Bottleneck, BasicBlockV2, BottleneckV2])
def test_a_block_as_its_equations(kind, in_channels, stride, shortcut, skip, training, rng):
    channels = 4 if kind.expansion == 1 else 2
    block = randomised(stage(kind, 1, in_channels, channels, stride, shortcut, skip), rng)[0].train(training)
    reference = Reference(block, stride, training)
    x = rng.standard_normal((2, in_channels, 7, 6))
    ours_x, theirs_x = tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    output, expected = block(ours_x), getattr(reference, kind.__name__)(theirs_x, skip)
    assert_allclose(output.numpy(), expected.detach().numpy(), rtol=1e-10, atol=1e-12)
    g = rng.standard_normal(output.shape)
    output.backward(g)
    expected.backward(torch.tensor(g))
    assert_allclose(ours_x.grad.numpy(), theirs_x.grad.numpy(), rtol=1e-10, atol=1e-11)
    for name, parameter in block.named_parameters():
        assert_allclose(parameter.grad.numpy(), reference.state[name].grad.numpy(), rtol=1e-9, atol=1e-10)


def test_zero_padding_before_and_behind(rng):
    x = rng.standard_normal((2, 3, 5, 4))
    y = ZeroPadding(3, 8, 2)(tensor(x)).numpy()
    assert y.shape == (2, 8, 3, 2)
    assert (y[:, 2:5] == x[:, :, ::2, ::2]).all()
    assert (y[:, :2] == 0).all()
    assert (y[:, 5:] == 0).all()


# --- networks -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_stages_halve_the_image(rng):
    shapes = {}
    model = models.resnet50(num_classes=4).eval()
    for name, module in model.named_children():
        module.register_forward_hook(lambda module, given, made, name=name: shapes.update({name: made.shape}))
    with no_grad():
        assert model(handmade.zeros(1, 3, 96, 64)).shape == (1, 4)
    assert shapes["conv1"] == (1, 64, 48, 32)
    assert [shapes[f"layer{i}"] for i in (1, 2, 3, 4)] == [
        (1, 256, 24, 16),
        (1, 512, 12, 8),
        (1, 1024, 6, 4),
        (1, 2048, 3, 2),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("build", [models.resnet18, models.resnet20, models.resnet50])
def test_the_first_block_of_v2_takes_what_the_stem_has_activated(build, rng):
    model = randomised(build(num_classes=4, resnet_v2=True), rng).eval()
    names = model.state_dict().keys()
    assert "layer1.0.bn1.weight" not in names
    assert {"layer1.0.bn2.weight", "layer1.1.bn1.weight", "layer2.0.bn1.weight", "bn2.weight"} <= names
    assert not any("downsample.1" in name for name in names)
    x = tensor(rng.standard_normal((2, 3, 33, 32)))
    with no_grad():
        signal = model.bn1(model.conv1(x)).relu()
        signal = model.maxpool(signal) if isinstance(model, ResNet) else signal
        for layer in (model.layer1, model.layer2, model.layer3, getattr(model, "layer4", nn.Identity())):
            signal = layer(signal)
        features = model.bn2(signal).relu().mean((2, 3))
        head = model.fc if isinstance(model, ResNet) else model.linear
        assert_allclose(model(x).numpy(), head(features).numpy(), rtol=1e-10)


def test_a_plain_network_has_the_layers_of_the_residual_one_and_no_more(unfilled):
    plain, residual = models.resnet56(skip=False), models.resnet56()
    assert plain.state_dict().keys() == residual.state_dict().keys()
    assert not any("downsample" in name for name in models.resnet34(skip=False).state_dict())


def test_blocks_that_add_nothing_pass_the_signal_on(rng):
    """With F = 0 a residual block is the identity, a plain one ends the signal."""
    for skip in (True, False):
        model = models.resnet20(skip=skip).eval()
        for block in model.layer1:
            nn.init.zeros_(block.bn2.weight)
        x = tensor(rng.standard_normal((1, 16, 8, 8))).float().relu()
        with no_grad():
            assert_allclose(model.layer1(x).numpy(), x.numpy() if skip else np.zeros(x.shape))


@pytest.mark.slow
@pytest.mark.parametrize("build", [models.resnet18, models.resnet50, models.resnet20])
def test_zero_init_residual_starts_as_the_identity(build, rng):
    model = build(num_classes=3, zero_init_residual=True)
    last = "bn3" if build is models.resnet50 else "bn2"
    for name, parameter in model.named_parameters():
        if "layer" in name and "bn" in name and name.endswith("weight"):
            assert (parameter.numpy() == (0 if last in name else 1)).all(), name
    block = model.layer1[1]
    x = tensor(rng.standard_normal((2, block.conv1.in_channels, 6, 5))).float().relu()
    assert (block(x).numpy() == x.numpy()).all()


@pytest.mark.slow
def test_first_weights():
    model = models.resnet34(num_classes=2)
    convolution = model.layer3[0].conv1  # 128 to 256 channels: its fan-out is 256 * 9
    assert convolution.weight.numpy().std() == pytest.approx((2 / (256 * 9)) ** 0.5, rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "bar"), [({}, 0.5), ({"skip": False}, 1.6), ({"resnet_v2": True}, 0.5), ({"shortcut": "B"}, 0.5)]
)
def test_learns_sixteen_images(options, bar, rng):
    images, labels = tensor(rng.standard_normal((16, 3, 16, 16))).float(), tensor(np.arange(16) % 10)
    model = models.resnet20(**options)
    optimizer = handmade.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    losses = []
    for _ in range(15):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < bar < 2 < losses[0]
    assert model.bn1.num_batches_tracked.item() == 15


# --- bad arguments --------------------------------------------------------------------------------------------------


def test_an_unknown_shortcut():
    with pytest.raises(ValueError, match=r"shortcut is 'C'; expected 'A' \(zeros for new channels\) or 'B'"):
        models.resnet18(shortcut="C")


def test_zero_init_without_skip():
    with pytest.raises(ValueError, match="zero_init_residual=True: without skip the output would be zero"):
        models.resnet20(zero_init_residual=True, skip=False)


def test_zero_init_of_v2():
    with pytest.raises(ValueError, match="zero_init_residual=True: no norm ends the blocks of resnet_v2"):
        models.resnet50(zero_init_residual=True, resnet_v2=True)


def test_a_depth_that_is_not_6n_plus_2():
    with pytest.raises(ValueError, match="depth is 21; expected 6n \\+ 2, as 20, 32"):
        CifarResNet(21)


def test_an_unknown_depth():
    with pytest.raises(ValueError, match="depth is 51; expected 18, 34, 50, 101 or 152"):
        ResNet(51)


# --- published weights ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_published_resnet20_classifies_cifar10(shared_data, monkeypatch):
    """Every fifth image of the test set, 200 of each class: PyTorch, computing the same, is right for 1,609."""
    monkeypatch.setenv("HANDMADE_DATA", str(shared_data))
    model = models.resnet20().eval()
    weights.load(model, shared_data / "weights" / "resnet20-12fca82f.th")
    test = data.load("cifar10", "test")
    fifth = replace(test, images=test.images[::5], labels=test.labels[::5])
    transforms = (data.ToFloat(), data.Normalize(weights.MEAN, weights.STD))
    right = 0
    for images, labels in data.DataLoader(fifth, 250, transforms=transforms):
        with no_grad():
            right += int((model(images).argmax(1) == labels).array.sum())
    assert abs(right - 1609) <= 1  # the JPEGs' decoder may round otherwise
