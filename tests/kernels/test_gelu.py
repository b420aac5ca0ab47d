"""GELU's tanh form in blocks: PyTorch's values and gradients, at any size and memory layout."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from handmade.kernels import gelu


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (7,), (3, 2 * gelu._BLOCK // 3 + 5)])
def test_values_and_gradients_are_pytorchs(shape, dtype, rng):
    x, g = (np.asarray(rng.normal(scale=4, size=shape)).astype(dtype) for _ in range(2))
    theirs = torch.tensor(x, requires_grad=True)
    value = torch.nn.functional.gelu(theirs, approximate="tanh")
    value.backward(torch.tensor(g))
    ours, s = gelu.gelu_tanh(x)
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    assert ours.dtype == dtype
    assert_allclose(ours, value.detach().numpy(), rtol=0, atol=tolerance)
    assert_allclose(gelu.gelu_tanh_backward(g, x, s), theirs.grad.numpy(), rtol=0, atol=10 * tolerance)


def test_views_whose_memory_is_not_in_order(rng):
    x, g = rng.normal(size=(2, 5, 4))
    value, s = gelu.gelu_tanh(x.T)
    assert_allclose(value, gelu.gelu_tanh(x)[0].T)
    assert_allclose(gelu.gelu_tanh_backward(g.T, x.T, s), gelu.gelu_tanh_backward(g, x, np.ascontiguousarray(s.T)).T)


def test_far_from_zero_nothing_overflows():
    x = np.array([-1e4, -200, -88, 88, 200, 1e4], np.float32)
    value, s = gelu.gelu_tanh(x)
    nothing = 1e-25  # the compiled e^x stops at e^88 instead of infinity: 6e-39, not 0, meets numbers up to 2e11
    assert_allclose(value, [0, 0, 0, 88, 200, 1e4], atol=nothing)
    assert_allclose(gelu.gelu_tanh_backward(np.ones_like(x), x, s), [0, 0, 0, 1, 1, 1], atol=nothing)
