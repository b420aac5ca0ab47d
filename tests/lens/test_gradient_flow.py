"""Gradient flow: the norms are those of the written-out Jacobian, under the bound, and the picture is drawn."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from handmade import nn, tensor
from handmade.draw.lines import GATED, SERIES
from handmade.lens.gradient_flow import bound, draw_gradient_flow, gradient_norms, spectral_radius

T, B, I, H = 6, 3, 4, 5


def expected_norms(kind, layer, x):
    """By PyTorch: the Jacobian of the last state by each state, through its own cell, step by step."""
    cell = getattr(torch.nn, f"{kind}Cell")(I, H).double()
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    cell.load_state_dict({name: torch.tensor(layer.state_dict()[f"{name}_l0"].numpy().copy()) for name in names})
    parts = 2 if kind == "LSTM" else 1
    norms = np.zeros((parts, T + 1))
    for sequence in range(B):

        def last(state, start, sequence=sequence):
            pair = torch.split(state, H)
            for t in range(start, T):
                given = torch.tensor(x[t, sequence])
                pair = cell(given, pair) if kind == "LSTM" else (cell(given, pair[0]),)
            return torch.cat(pair)

        for t in range(T + 1):
            state = torch.zeros(parts * H, dtype=torch.float64)
            for before in range(t):
                pair = torch.split(state, H)
                given = torch.tensor(x[before, sequence])
                state = torch.cat(cell(given, pair)) if kind == "LSTM" else cell(given, pair[0])
            jacobian = torch.autograd.functional.jacobian(lambda s, t=t: last(s, t), state.detach())[:H]
            for part in range(parts):
                norms[part, t] += torch.linalg.matrix_norm(jacobian[:, part * H : (part + 1) * H], 2).item() / B
    return dict(zip("hc", norms, strict=False))


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_norms_are_those_of_the_whole_jacobian(kind, rng):
    layer, x = getattr(nn, kind)(I, H).double(), rng.standard_normal((T, B, I))
    found = gradient_norms(layer, tensor(x))
    expected = expected_norms(kind, layer, x)
    assert found.keys() == expected.keys()
    for state, norms in expected.items():
        assert_allclose(found[state], norms, rtol=1e-9, atol=1e-14)
    assert found["h"][-1] == 1


def test_batch_first_and_parameters_are_left_alone(rng):
    layer, x = nn.LSTM(I, H, batch_first=True).double(), rng.standard_normal((T, B, I))
    layer(tensor(x.swapaxes(0, 1)))[0].sum().backward()
    before = {name: parameter.grad.numpy().copy() for name, parameter in layer.named_parameters()}
    found = gradient_norms(layer, tensor(x.swapaxes(0, 1)))
    same = nn.LSTM(I, H).double()
    same.load_state_dict(layer.state_dict())
    assert_allclose(found["h"], gradient_norms(same, tensor(x))["h"], rtol=1e-12)
    for name, parameter in layer.named_parameters():
        assert parameter.requires_grad
        assert_allclose(parameter.grad.numpy(), before[name])


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_elmans_norms_are_under_the_bound(scale, rng):
    layer, x = nn.RNN(I, H).double(), rng.standard_normal((T, B, I))
    layer.weight_hh_l0.data.mul_(scale)
    assert (gradient_norms(layer, tensor(x))["h"] <= bound(layer, T) * (1 + 1e-12)).all()
    # without squashing and input the derivative is a power of W_hh, and the bound of an orthogonal one is reached
    q, _ = np.linalg.qr(rng.standard_normal((H, H)))
    layer.weight_hh_l0.data.copy_(tensor(0.7 * q))
    for bias in (layer.bias_ih_l0, layer.bias_hh_l0):
        nn.init.zeros_(bias)
    assert_allclose(gradient_norms(layer, tensor(np.zeros((T, 1, I))))["h"], 0.7 ** np.arange(T, -1, -1))
    assert_allclose(bound(layer, T), 0.7 ** np.arange(T, -1, -1))
    assert spectral_radius(layer) == pytest.approx(0.7)


def test_an_open_forget_gate_keeps_the_cells_gradient(rng):
    layer, x = nn.LSTM(I, H), tensor(rng.standard_normal((40, B, I)).astype(np.float32))
    shut = gradient_norms(layer, x)["c"]
    layer.bias_ih_l0.array[H : 2 * H] = 6.0
    opened = gradient_norms(layer, x)["c"]
    assert shut[0] < 1e-4 < 0.1 < opened[0]


def test_one_layer_in_one_direction():
    x = tensor(np.zeros((T, B, I), np.float32))
    with pytest.raises(ValueError, match="one layer in one direction, got 2 layers$"):
        gradient_norms(nn.GRU(I, H, num_layers=2), x)
    with pytest.raises(ValueError, match="got 1 layers in both directions"):
        gradient_norms(nn.GRU(I, H, bidirectional=True), x)


@pytest.mark.slow
def test_the_picture(tmp_path, rng):
    from PIL import Image

    x = tensor(rng.standard_normal((T, B, I)).astype(np.float32))
    rnn = nn.RNN(I, H)
    networks = {"RNN": gradient_norms(rnn, x), "LSTM, 90 % right": gradient_norms(nn.LSTM(I, H), x)}
    draw_gradient_flow(tmp_path / "flow.png", {"before": networks, "after": networks}, {"before": rnn})
    with Image.open(tmp_path / "flow.png") as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    for kind in ("RNN", "LSTM"):  # both lines are there
        color = [int(SERIES[GATED[kind]][at : at + 2], 16) for at in (1, 3, 5)]
        assert (np.abs(pixels - color).sum(axis=2) < 40).sum() > 200
