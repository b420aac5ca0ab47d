"""Pooling: parity with PyTorch over random shapes, ties, NaN, gradients, bad input."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from handmade.kernels.pooling import max_pool2d as max_pool2d_kernel
from handmade.kernels.pooling import max_pool2d_indices
from handmade.kernels.windows import Window
from handmade.ops.pooling import adaptive_avg_pool2d, avg_pool2d, max_pool2d
from tests.support.against_torch import agrees_with_torch, run

F = torch.nn.functional
few = settings(max_examples=80, deadline=None, derandomize=True)


@st.composite
def poolings(draw, dilated: bool = False):
    """An image and options that fit it."""
    pair = st.tuples(st.integers(1, 4), st.integers(1, 4))
    kernel, stride = draw(pair), draw(pair)
    dilation = draw(st.tuples(st.integers(1, 3), st.integers(1, 3))) if dilated else (1, 1)
    span = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    # Half the kernel, not half the span: PyTorch reads beyond the image where a window has padding only.
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    size = [max(1, sp) + draw(st.integers(0, 8)) for sp in span]
    x = np.random.default_rng(draw(st.integers(0, 2**31))).normal(size=(draw(st.integers(1, 3)), 3, *size))
    options = {"kernel_size": kernel, "stride": stride, "padding": padding, "ceil_mode": draw(st.booleans())}
    return x, options | ({"dilation": dilation} if dilated else {})


@few
@given(poolings(dilated=True))
def test_max_pool2d_is_torchs(case):
    x, options = case
    agrees_with_torch(max_pool2d, lambda x: F.max_pool2d(x, **options), x, **options)


@few
@given(poolings(dilated=True), st.sampled_from(["ties", "nan", "minus infinity"]))
def test_ties_nan_and_minus_infinity_win_where_they_do_in_torch(case, kind):
    x, options = case
    x = np.round(x)  # many equals
    if kind != "ties":
        x[x > 0.5] = np.nan if kind == "nan" else -np.inf
    window = Window(options["kernel_size"], options["stride"], options["padding"], options["dilation"])
    y, winner = max_pool2d_kernel(x, window, options["ceil_mode"])
    expected, indices = F.max_pool2d(torch.tensor(x), return_indices=True, **options)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(max_pool2d_indices(winner, x.shape[2:], window), indices)


def test_the_gradient_goes_to_the_first_of_equals():
    x = np.zeros((1, 1, 3, 3))
    _, pullback = max_pool2d(x, kernel_size=(2, 2), stride=(1, 1))
    (gradient,) = pullback(np.array([[[[1.0, 2.0], [3.0, 4.0]]]]))
    np.testing.assert_array_equal(gradient[0, 0], [[1, 2, 0], [3, 4, 0], [0, 0, 0]])


def test_a_kernel_with_more_taps_than_a_byte_can_count(rng):
    options = {"kernel_size": (17, 19), "stride": (1, 2), "padding": (8, 0)}
    agrees_with_torch(max_pool2d, lambda x: F.max_pool2d(x, **options), rng.normal(size=(1, 2, 19, 23)), **options)


@few
@given(poolings(), st.booleans())
def test_avg_pool2d_is_torchs(case, count_include_pad):
    x, options = case
    options["count_include_pad"] = count_include_pad
    agrees_with_torch(avg_pool2d, lambda x: F.avg_pool2d(x, **options), x, **options)


@few
@given(*[st.integers(1, 9)] * 4)
def test_adaptive_avg_pool2d_is_torchs(height, width, out_height, out_width):
    x, size = np.random.default_rng(height).normal(size=(2, 3, height, width)), (out_height, out_width)
    agrees_with_torch(adaptive_avg_pool2d, lambda x: F.adaptive_avg_pool2d(x, size), x, output_size=size)


OPERATIONS = {
    "max_pool2d": (max_pool2d, {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 1), "dilation": (1, 2)}),
    "avg_pool2d": (avg_pool2d, {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 1), "ceil_mode": True}),
    "adaptive_avg_pool2d": (adaptive_avg_pool2d, {"output_size": (3, 4)}),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_gradients_match_finite_differences(rng, name):
    operation, options = OPERATIONS[name]
    x, direction = rng.normal(size=(2, 3, 7, 6)), 1e-6 * rng.normal(size=(2, 3, 7, 6))
    _, (gradient,), g = run(operation, [x], options)
    slope = np.vdot(operation(x + direction, **options)[0] - operation(x - direction, **options)[0], g) / 2
    assert slope == pytest.approx(np.vdot(gradient, direction), rel=1e-6)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_empty_batch_has_an_empty_value(name):
    operation, options = OPERATIONS[name]
    y, (gradient,), _ = run(operation, [np.empty((0, 3, 7, 6))], options)
    assert len(y) == 0
    assert gradient.shape == (0, 3, 7, 6)


@pytest.mark.parametrize("name", OPERATIONS)
def test_shapes_and_types_that_are_no_batch_of_images(name):
    operation, options = OPERATIONS[name]
    with pytest.raises(ValueError, match=rf"^{name}: .*got shape \(3, 7, 6\). Add a batch axis"):
        operation(np.zeros((3, 7, 6)), **options)
    with pytest.raises(ValueError, match=rf"^{name}: .*got shape \(2, 3, 0, 6\)"):
        operation(np.zeros((2, 3, 0, 6)), **options)
    with pytest.raises(TypeError, match=f"^{name}: the input is uint8"):
        operation(np.zeros((2, 3, 7, 6), np.uint8), **options)


BAD = {
    "large kernel": ({"kernel_size": (8, 2)}, "covers (8, 2) pixels, but the input (7, 6)"),
    "padding": ({"padding": (2, 0)}, "padding (2, 0) must be at most half of what the kernel covers, (2, 2)"),
    "stride": ({"stride": (0, 1)}, "stride must be at least 1, got (0, 1)"),
}


@pytest.mark.parametrize("operation", [max_pool2d, avg_pool2d])
@pytest.mark.parametrize("case", BAD)
def test_bad_windows(operation, case):
    options, message = BAD[case]
    with pytest.raises(ValueError, match=f"^{operation.__name__}: .*" + re.escape(message)):
        operation(np.zeros((1, 1, 7, 6)), **({"kernel_size": (2, 2), "stride": (2, 2)} | options))


def test_bad_output_size():
    with pytest.raises(ValueError, match=re.escape("output_size must be at least 1, got (0, 2)")):
        adaptive_avg_pool2d(np.zeros((1, 1, 4, 4)), output_size=(0, 2))
