"""Convolutions: parity with PyTorch over random shapes, gradients, transposition, bad input."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from handmade.ops.convolution import conv1d, conv2d, conv_transpose2d
from tests.support.against_torch import agrees_with_torch, run

F = torch.nn.functional
PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))
PADDINGS = st.tuples(st.integers(0, 3), st.integers(0, 3))
few = settings(max_examples=40, deadline=None, derandomize=True)


@st.composite
def convolutions(draw, transposed: bool = False):
    """Inputs x, weight, bias and options that fit each other; one in three is depthwise."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    per_group, filters = draw(st.integers(1, 5)), groups * draw(st.integers(1, 3))
    if draw(st.integers(0, 2)) == 0:
        groups = filters = draw(st.integers(2, 9))
        per_group = 1
    kernel, stride, padding, dilation = draw(PAIRS), draw(PAIRS), draw(PADDINGS), draw(PAIRS)
    span = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    if transposed:
        options["output_padding"] = tuple(
            draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True)
        )
        least = [
            1 + max(0, -(-(2 * p - sp + 1 - extra) // s))
            for p, sp, s, extra in zip(padding, span, stride, options["output_padding"], strict=True)
        ]
    else:
        least = [max(1, sp - 2 * p) for sp, p in zip(span, padding, strict=True)]
    size = [low + draw(st.integers(0, 7)) for low in least]
    channels = groups * per_group
    x = rng.normal(size=(draw(st.integers(1, 3)), filters if transposed else channels, *size))
    weight = rng.normal(size=(filters, per_group, *kernel))
    bias = rng.normal(size=channels if transposed else filters) if draw(st.booleans()) else None
    return x, weight, bias, options


def in_memory_of(layout: str, x: np.ndarray) -> np.ndarray:
    """The same numbers with the channels last in memory, or first."""
    if layout == "first":
        return np.ascontiguousarray(x)
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


@few
@given(convolutions())
def test_conv2d_is_torchs(case):
    x, weight, bias, options = case
    agrees_with_torch(conv2d, lambda *inputs: F.conv2d(*inputs, **options), x, weight, bias, **options)


@few
@given(convolutions(transposed=True))
def test_conv_transpose2d_is_torchs(case):
    x, weight, bias, options = case
    agrees_with_torch(
        conv_transpose2d, lambda *inputs: F.conv_transpose2d(*inputs, **options), x, weight, bias, **options
    )


@few
@given(convolutions(), st.integers(1, 9))
def test_conv1d_is_torchs(case, length):
    x, weight, bias, options = case
    options = {name: option if name == "groups" else option[0] for name, option in options.items()}
    x, weight = x[..., 0], weight[..., 0]
    agrees_with_torch(conv1d, lambda *inputs: F.conv1d(*inputs, **options), x, weight, bias, **options)


@few
@given(convolutions())
def test_the_transpose_is_the_adjoint(case):
    """<conv(x), g> = <x, conv_T(g)>: neither is compared with itself."""
    x, weight, _, options = case
    y, _ = conv2d(x, weight, **options)
    g = np.random.default_rng(2).normal(size=y.shape)
    reach = [
        (o - 1) * s - 2 * p + (k - 1) * d + 1
        for o, s, p, k, d in zip(
            y.shape[2:], options["stride"], options["padding"], weight.shape[2:], options["dilation"], strict=True
        )
    ]
    if min(reach) < 1:
        return
    extra = tuple(size - reached for size, reached in zip(x.shape[2:], reach, strict=True))
    back, _ = conv_transpose2d(g, weight, output_padding=extra, **options)
    assert back.shape == x.shape
    assert np.vdot(y, g) == pytest.approx(np.vdot(x, back), rel=1e-10, abs=1e-10)


@few
@given(convolutions())
def test_gradients_match_finite_differences(case):
    """A random direction in all inputs at once: the slope of <y, g> along it."""
    x, weight, bias, options = case
    inputs = [x, weight] if bias is None else [x, weight, bias]
    rng = np.random.default_rng(3)
    directions = [rng.normal(size=array.shape) for array in inputs]
    _, gradients, g = run(conv2d, inputs, options)
    # conv2d is bilinear in x and weight, so that central differences are exact up to rounding
    ahead, behind = (
        conv2d(*(a + sign * 0.5 * d for a, d in zip(inputs, directions, strict=True)), **options)[0] for sign in (1, -1)
    )
    slope = np.vdot(ahead - behind, g)
    expected = sum(np.vdot(gradient, d) for gradient, d in zip(gradients, directions, strict=False))
    assert slope == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("layout", ["first", "last"])
@pytest.mark.parametrize("groups", [1, 2, 6])
def test_the_layout_of_memory_does_not_matter(rng, layout, groups):
    x, weight = rng.normal(size=(2, 6, 7, 5)), rng.normal(size=(6, 6 // groups, 3, 2))
    options = {"padding": (1, 1), "stride": (2, 1), "groups": groups}
    bias = rng.normal(size=6)
    got, gradients, _ = run(conv2d, [in_memory_of(layout, x), in_memory_of(layout, weight), bias], options)
    reversed_twice = np.ascontiguousarray(x[..., ::-1])[..., ::-1]
    expected, expected_gradients, _ = run(conv2d, [reversed_twice, weight, bias], options)
    for mine, other in zip([got, *gradients], [expected, *expected_gradients], strict=True):
        np.testing.assert_array_equal(mine, other)


def test_values_are_channels_last_in_memory(rng):
    y, pullback = conv2d(rng.normal(size=(2, 3, 6, 5)), rng.normal(size=(4, 3, 3, 3)), padding=(1, 1))
    gradient = pullback(rng.normal(size=y.shape))[0]()
    assert y.transpose(0, 2, 3, 1).flags.c_contiguous
    assert gradient.transpose(0, 2, 3, 1).flags.c_contiguous


def test_an_empty_batch_has_an_empty_value(rng):
    y, gradients, _ = run(conv2d, [np.empty((0, 3, 8, 7)), rng.normal(size=(4, 3, 3, 3)), np.ones(4)], {})
    assert y.shape == (0, 4, 6, 5)
    assert gradients[0].shape == (0, 3, 8, 7)
    assert not gradients[1].any()
    assert not gradients[2].any()


def test_no_bias_no_gradient(rng):
    y, pullback = conv2d(rng.normal(size=(1, 1, 4, 4)), rng.normal(size=(1, 1, 2, 2)))
    assert pullback(y)[2] is None


BAD = {
    "no batch": ((3, 8, 8), (4, 3, 3, 3), {}, "must have the axes (N, C, H, W), got shape (3, 8, 8). Add a batch axis"),
    "weight of a matrix": ((2, 3, 8, 8), (4, 3), {}, "the weight must have 4 axes, like the input (2, 3, 8, 8), got"),
    "channels": ((2, 5, 8, 8), (4, 3, 3, 3), {}, "input (2, 5, 8, 8) and weight (4, 3, 3, 3) do not fit"),
    "input groups": ((2, 5, 8, 8), (4, 3, 3, 3), {"groups": 2}, "5 input channels cannot be divided into groups=2"),
    "output groups": ((2, 6, 8, 8), (5, 3, 3, 3), {"groups": 2}, "5 output channels cannot be divided into groups=2"),
    "no groups": ((2, 6, 8, 8), (5, 3, 3, 3), {"groups": 0}, "groups=0"),
    "large kernel": ((2, 3, 4, 9), (4, 3, 7, 3), {"padding": (1, 0)}, "covers (7, 3) pixels, but the input (4, 9)"),
    "stride": ((2, 3, 8, 8), (4, 3, 3, 3), {"stride": (0, 1)}, "stride must be at least 1, got (0, 1)"),
    "padding": ((2, 3, 8, 8), (4, 3, 3, 3), {"padding": (0, -1)}, "padding must be at least 0, got (0, -1)"),
    "dilation": ((2, 3, 8, 8), (4, 3, 3, 3), {"dilation": (1, 0)}, "dilation must be at least 1, got (1, 0)"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_to_conv2d(case):
    x, weight, options, message = BAD[case]
    with pytest.raises(ValueError, match="^conv2d: .*" + re.escape(message)):
        conv2d(np.zeros(x), np.zeros(weight), **options)


def test_bad_bias():
    with pytest.raises(ValueError, match=re.escape("one number per output channel, (4,), got (3,)")):
        conv2d(np.zeros((1, 3, 5, 5)), np.zeros((4, 3, 3, 3)), np.zeros(3))


def test_an_image_of_bytes_is_a_type_error():
    with pytest.raises(TypeError, match="the input is uint8, the weight float64"):
        conv2d(np.zeros((1, 3, 5, 5), np.uint8), np.zeros((4, 3, 3, 3)))


def test_conv1d_names_itself():
    with pytest.raises(ValueError, match=r"^conv1d: .*\(N, C, L\), got shape \(3, 9\)"):
        conv1d(np.zeros((3, 9)), np.zeros((4, 3, 3)))
    with pytest.raises(ValueError, match=r"^conv1d: the kernel"):
        conv1d(np.zeros((1, 3, 2)), np.zeros((4, 3, 3)))


BAD_TRANSPOSED = {
    "channels": ({}, (3, 4, 3, 3), "input (1, 5, 6, 6) and weight (3, 4, 3, 3) do not fit"),
    "groups": ({"groups": 2}, (5, 4, 3, 3), "5 input channels cannot be divided into groups=2"),
    "output padding": (
        {"output_padding": (1, 0)},
        (5, 4, 3, 3),
        "output_padding (1, 0) must be at least 0 and smaller",
    ),
    "padding": ({"padding": (4, 4)}, (5, 4, 3, 3), "gives an output of (0, 0). Use less padding."),
    "stride": ({"stride": (1, 0)}, (5, 4, 3, 3), "stride must be at least 1, got (1, 0)"),
}


@pytest.mark.parametrize("case", BAD_TRANSPOSED)
def test_bad_input_to_conv_transpose2d(case):
    options, weight, message = BAD_TRANSPOSED[case]
    with pytest.raises(ValueError, match="^conv_transpose2d: .*" + re.escape(message)):
        conv_transpose2d(np.zeros((1, 5, 6, 6)), np.zeros(weight), **options)
