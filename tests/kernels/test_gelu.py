"""GELU's tanh form in blocks: PyTorch's values and gradients, at any size and memory layout."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from handmade.kernels import gelu
from tests.support.compiled_forms import using


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


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_compiled_exact_form_is_the_plain_one(order, rng):
    x, g = (np.asarray(rng.normal(scale=3, size=(73, 150)), "f4", order=order) for _ in range(2))
    x[0, :4] = np.nan, -40, 40, 0
    value, phi = gelu.gelu.plain(x)
    with using("compiled", 2):
        ours, share = gelu.gelu(x)
        back = gelu.gelu_backward(g, x, share)
        turned = gelu.gelu_backward(g[::-1], x, share)
    assert_allclose(ours, value, rtol=0, atol=4e-6)  # erf is exact to 1e-7: at -40, gelu to 40 times that
    assert_allclose(back, gelu.gelu_backward.plain(g, x, phi), rtol=0, atol=1e-5)
    assert_allclose(turned, gelu.gelu_backward.plain(g[::-1], x, phi), rtol=0, atol=1e-5)
