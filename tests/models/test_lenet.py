"""LeNet-5: counts, shapes and gradients of today's form, and each peculiarity of the paper's."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

import handmade
from handmade import gradcheck, tensor
from handmade.models import lenet5
from handmade.models.lenet import CONNECTIONS, DistanceToDrawings, PartialConv2d, Subsample, drawings, squash


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_parameters_layer_by_layer_as_the_paper_counts_them():
    model = lenet5(paper=True)
    layers = [model.c1, model.s2, model.c3, model.s4, model.c5, model.f6]
    assert [count(layer) for layer in layers] == [156, 12, 1516, 32, 48120, 10164]
    assert count(model) == 60_000
    assert count(lenet5()) == 61_706


def test_todays_form_as_torch(rng):
    model = lenet5().double()
    reference = torch.nn.Sequential(
        torch.nn.Conv2d(1, 6, 5), torch.nn.Tanh(), torch.nn.AvgPool2d(2),
        torch.nn.Conv2d(6, 16, 5), torch.nn.Tanh(), torch.nn.AvgPool2d(2),
        torch.nn.Conv2d(16, 120, 5), torch.nn.Tanh(), torch.nn.Flatten(),
        torch.nn.Linear(120, 84), torch.nn.Tanh(), torch.nn.Linear(84, 10),
    ).double()  # fmt: skip
    ours, theirs = model.state_dict(), reference.state_dict()
    reference.load_state_dict(
        {name: torch.tensor(ours[mine].numpy().copy()) for name, mine in zip(theirs, ours, strict=True)}
    )
    x, g = rng.standard_normal((3, 1, 32, 32)), rng.standard_normal((3, 10))
    ours_x, theirs_x = tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    scores, expected = model(ours_x), reference(theirs_x)
    assert_allclose(scores.numpy(), expected.detach().numpy(), rtol=1e-10)
    scores.backward(g)
    expected.backward(torch.tensor(g))
    assert_allclose(ours_x.grad.numpy(), theirs_x.grad.numpy(), atol=1e-12)
    for mine, other in zip(model.parameters(), reference.parameters(), strict=True):
        assert_allclose(mine.grad.numpy(), other.grad.numpy(), atol=1e-10)


def test_every_map_of_table_1_is_seen_by_ten_maps():
    assert len(CONNECTIONS) == len(set(CONNECTIONS)) == 16
    assert sum(len(seen) for seen in CONNECTIONS) == 60
    assert [sum(c in seen for seen in CONNECTIONS) for c in range(6)] == [10] * 6


def test_a_map_sees_what_the_table_says_and_no_more(rng):
    layer = PartialConv2d(6, CONNECTIONS, 5)
    handmade.nn.init.normal_(layer.weight)
    x = rng.standard_normal((1, 6, 8, 9)).astype(np.float32)
    before = layer(tensor(x)).numpy()
    for c in range(6):
        changed = x.copy()
        changed[0, c] += 1
        moved = np.abs(layer(tensor(changed)).numpy() - before).max((0, 2, 3)) > 1e-6
        assert moved.tolist() == [c in seen for seen in CONNECTIONS]


def test_subsampling_adds_four_and_squashes(rng):
    layer = Subsample(2)
    layer.weight.data.copy_(tensor([0.5, -2.0]))
    layer.bias.data.copy_(tensor([0.1, 0.2]))
    x = rng.standard_normal((1, 2, 4, 6))
    four = x[:, :, ::2, ::2] + x[:, :, ::2, 1::2] + x[:, :, 1::2, ::2] + x[:, :, 1::2, 1::2]
    weight, bias = np.array([0.5, -2.0]).reshape(2, 1, 1), np.array([0.1, 0.2]).reshape(2, 1, 1)
    expected = 1.7159 * np.tanh(2 / 3 * (four * weight + bias))
    assert_allclose(layer(tensor(x).float()).numpy(), expected, atol=1e-6)


def test_squash_is_one_at_one():
    assert_allclose(squash(tensor([-1.0, 0.0, 1.0])).numpy(), [-1, 0, 1], atol=1e-4)


def test_output_is_minus_the_squared_distance(rng):
    x = rng.standard_normal((3, 84))
    expected = -((x[:, None] - drawings()) ** 2).sum(-1)
    assert_allclose(DistanceToDrawings().double()(tensor(x)).numpy(), expected, atol=1e-9)


def test_drawings_are_ten_different_codes_of_84():
    codes = drawings()
    assert codes.shape == (10, 84)
    assert set(codes.ravel()) == {-1.0, 1.0}
    assert min(int((codes[a] != codes[b]).sum()) for a in range(10) for b in range(a)) >= 8


def test_loss_is_equation_9(rng):
    y, targets = rng.uniform(0, 30, (4, 10)), np.array([1, 0, 9, 4])
    expected = np.mean(y[np.arange(4), targets] + np.log(np.exp(-10.0) + np.exp(-y).sum(1)))
    assert lenet5(paper=True).loss(tensor(-y), tensor(targets)).item() == pytest.approx(expected)


@pytest.mark.slow
def test_gradients_of_the_papers_form(rng):
    model = lenet5(paper=True).double()
    x = tensor(rng.standard_normal((2, 1, 32, 32)))
    targets = tensor([3, 7])
    weights = [model.s2.weight, model.s4.bias, model.c1.bias, model.c3.bias]
    assert gradcheck(lambda *_: model.loss(model(x), targets), weights) is True


@pytest.mark.slow
@pytest.mark.parametrize("paper", [False, True])
def test_learns_eight_images(paper, rng):
    images, labels = tensor(rng.standard_normal((8, 1, 32, 32))).float(), tensor(np.arange(8))
    model = lenet5(paper=paper)
    optimizer = handmade.optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(80):
        optimizer.zero_grad()
        scores = model(images)
        loss = model.loss(scores, labels) if paper else handmade.nn.functional.cross_entropy(scores, labels)
        loss.backward()
        optimizer.step()
    assert (model(images).argmax(1) == labels).all()


def test_the_papers_form_has_ten_classes():
    with pytest.raises(ValueError, match="num_classes is 7, in_channels 1"):
        lenet5(num_classes=7, paper=True)
    assert lenet5(num_classes=7)(handmade.zeros(2, 1, 32, 32)).shape == (2, 7)
