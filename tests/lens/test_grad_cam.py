import numpy as np
import pytest
import torch

import handmade
from handmade import nn
from handmade.draw.images import enlarged
from handmade.errors import InputError
from handmade.lens import draw_grad_cam, find_layer, grad_cam


def networks():
    """The same small network here and in PyTorch, float64, with distinct weights and running statistics."""

    def build(library):
        return library.Sequential(
            library.Conv2d(3, 5, 3, stride=2, padding=1),
            library.BatchNorm2d(5),
            library.ReLU(),
            library.Conv2d(5, 7, 3, bias=False),
            library.ReLU(),
            library.AvgPool2d(2),
            library.Flatten(),
            library.Linear(7 * 2 * 3, 4),
        )

    theirs, ours = build(torch.nn).double(), build(nn).double()
    torch.manual_seed(0)
    with torch.no_grad():
        for value in theirs.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.rand_like(value) * 0.8 + 0.1)
        theirs[3].weight.sub_(0.5)
        theirs[7].weight.sub_(0.5)
    ours.load_state_dict({name: value.numpy() for name, value in theirs.state_dict().items()})
    return ours, theirs.eval()


@pytest.mark.parametrize("layer", [0, 3, 4])
def test_against_the_equations_in_torch(rng, layer):
    ours, theirs = networks()
    image = rng.standard_normal((1, 3, 13, 17))

    maps = theirs[: layer + 1](torch.tensor(image))  # A^k
    score = theirs[layer + 1 :](maps)[0, 2]  # y^c
    (gradient,) = torch.autograd.grad(score, maps)
    alpha = gradient.sum((2, 3)) / (maps.shape[2] * maps.shape[3])  # equation 1
    expected = torch.relu((alpha[:, :, None, None] * maps).sum(1))[0].detach().numpy()  # equation 2

    heat = grad_cam(ours, handmade.tensor(image), 2, str(layer))
    assert expected.max() > 0
    np.testing.assert_allclose(heat, expected, rtol=1e-10, atol=1e-12)


def test_the_model_is_left_as_it_was(rng):
    model, _ = networks()
    model.train()
    before = {name: value.numpy().copy() for name, value in model.state_dict().items()}
    grad_cam(model, handmade.tensor(rng.standard_normal((1, 3, 13, 17))), 0, "3")
    assert all(np.array_equal(before[name], value.numpy()) for name, value in model.state_dict().items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    assert find_layer(model, "1").training


def test_a_layer_without_maps(rng):
    model, _ = networks()
    with pytest.raises(InputError, match="layer '7' gives an output of shape \\(4,\\)"):
        grad_cam(model, handmade.tensor(rng.standard_normal((1, 3, 13, 17))), 0, "7")


def test_enlarged_is_bilinear_interpolation(rng):
    small = rng.standard_normal((3, 5)).astype(np.float32)
    expected = torch.nn.functional.interpolate(torch.tensor(small)[None, None], (21, 40), mode="bilinear")
    np.testing.assert_allclose(enlarged(small, 21, 40), expected[0, 0].numpy(), atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_drawn_even_without_evidence(tmp_path, rng, channels):
    path = tmp_path / "map.png"
    draw_grad_cam(path, np.zeros((2, 3), np.float32), rng.random((channels, 20, 30)), "layer4", "nothing")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert sorted(tmp_path.iterdir()) == [path, tmp_path / "map.txt"]
