"""Every network under PyTorch: the same names, outputs and gradients."""

import numpy as np
import pytest
import torch

import handmade
from handmade import models, nn
from handmade.interop.torch import from_torch, to_torch

TOLERANCE = 1e-10
"""In float64 the two differ by the order of their sums only."""


def twin(x):
    return torch.from_numpy(x.array.copy()) if isinstance(x, handmade.Tensor) else torch.as_tensor(x)


def parts(output) -> list:
    """The float tensors of an output, which may be a tuple of several."""
    if isinstance(output, tuple):
        return [part for each in output for part in parts(each)]
    return [] if output is None else [output]


def assert_same(model: nn.Module, theirs: torch.nn.Module, *inputs) -> None:
    """Outputs, and gradients along random cotangents, which both start from."""
    ours, others = parts(model(*inputs)), parts(theirs(*map(twin, inputs)))
    assert len(ours) == len(others) > 0
    rng = np.random.default_rng(1)
    for output, other in zip(ours, others, strict=True):
        np.testing.assert_allclose(other.detach().numpy(), output.array, rtol=TOLERANCE, atol=TOLERANCE)
        cotangent = rng.standard_normal(output.shape)
        output.backward(cotangent, retain_graph=True)
        other.backward(torch.from_numpy(cotangent), retain_graph=True)
    gradients = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    compared = 0
    for name, parameter in model.named_parameters():
        if parameter.grad is None:
            assert gradients[name] is None, name
        else:
            scale = max(np.abs(parameter.grad.array).max(), 1.0)
            difference = np.abs(parameter.grad.array - gradients[name].numpy()).max()
            assert difference <= TOLERANCE * scale, f"{name}: {difference}"
            compared += 1
    assert compared


def test_lenet5_and_back():
    model = models.lenet5().double()
    theirs = to_torch(model)
    assert list(theirs.state_dict()) == list(model.state_dict())
    assert isinstance(theirs.c1, torch.nn.Conv2d)
    assert_same(model, theirs, handmade.randn(2, 1, 32, 32, dtype=handmade.float64))
    with torch.no_grad():
        theirs.f6.weight += 1.0
    before = model.f6.weight.array.copy()
    assert from_torch(theirs, model) is model
    np.testing.assert_array_equal(model.f6.weight.array, before + 1.0)


def test_a_network_that_does_not_fit_is_told_and_nothing_is_copied():
    model = models.lenet5()
    before = model.f6.weight.array.copy()
    with pytest.raises(RuntimeError, match=r"misshapen: out.weight: given \(7, 84\), expected \(10, 84\)"):
        from_torch(to_torch(models.lenet5(num_classes=7)), model)
    np.testing.assert_array_equal(model.f6.weight.array, before)
