"""The compiled convolutions against the plain ones: awkward shapes, memory in any order, any number of threads."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handmade.kernels import convolution
from handmade.kernels.windows import Window
from tests.support.compiled_forms import assert_same, using

pytest.importorskip("numba")

CHANNELS = st.sampled_from([1, 2, 3, 5, 6, 16, 17, 33, 65])
SIDE = st.integers(1, 19)


@st.composite
def layers(draw):
    """Images, weight, window and groups that fit together."""
    groups = draw(st.sampled_from([1, 1, 1, 2, 3]))
    channels, filters = (draw(CHANNELS) * groups for _ in range(2))
    window = Window(
        (draw(st.integers(1, 5)), draw(st.integers(1, 5))),
        (draw(st.integers(1, 3)), draw(st.integers(1, 3))),
        (draw(st.integers(0, 3)), draw(st.integers(0, 3))),
        (draw(st.integers(1, 2)), draw(st.integers(1, 2))),
    )
    least = [max(1, span - 2 * padding) for span, padding in zip(window.span, window.padding, strict=True)]
    height, width = draw(SIDE) + least[0] - 1, draw(SIDE) + least[1] - 1
    return (draw(st.integers(1, 3)), channels, height, width), filters, window, groups


def arrays(shape, filters, window, groups, rng):
    x = rng.normal(size=shape).astype("f4")
    weight = rng.normal(size=(filters, shape[1] // groups, *window.kernel)).astype("f4")
    g = rng.normal(size=(shape[0], filters, *window.output_size(shape[2:]))).astype("f4")
    return x, weight, rng.normal(size=filters).astype("f4"), g


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(layers(), st.integers(0, 2**32 - 1))
def test_all_three_products(layer, seed):
    (shape, filters, window, groups), rng = layer, np.random.default_rng(seed)
    x, weight, bias, g = arrays(shape, filters, window, groups, rng)
    assert_same(convolution.conv2d, x, weight, bias, window, groups)
    assert_same(convolution.conv2d, x, weight, None, window, groups)
    assert_same(convolution.conv2d_weight_gradient, x, g, window, groups)
    assert_same(convolution.conv2d_input_gradient, g, weight, shape[2:], window, groups)


@settings(max_examples=20, deadline=None)
@given(layers(), st.integers(0, 2**32 - 1))
def test_depthwise(layer, seed):
    (shape, _, window, _), rng = layer, np.random.default_rng(seed)
    channels = shape[1] + 1  # one channel alone is no depthwise convolution
    shape = (shape[0], channels, *shape[2:])
    x, weight, bias, g = arrays(shape, channels, window, channels, rng)
    wide = np.stack([bias, bias], 1)
    wide.flags.writeable = False
    assert_same(convolution.conv2d, x, weight, wide[:, 0], window, channels)
    assert_same(convolution.conv2d, x[..., ::-1], weight, None, window, channels)
    assert_same(convolution.conv2d_weight_gradient, x, g, window, channels)
    assert_same(convolution.conv2d_input_gradient, g, weight, shape[2:], window, channels)


@pytest.mark.parametrize(
    ("shape", "filters", "window"),
    [
        ((64, 1, 32, 32), 6, Window((5, 5))),  # LeNet-5's layers
        ((16, 6, 14, 14), 16, Window((5, 5))),
        ((16, 16, 5, 5), 120, Window((5, 5))),
        ((2, 3, 70, 70), 64, Window((7, 7), (2, 2), (3, 3))),  # ResNet's stem
        ((2, 3, 75, 75), 64, Window((11, 11), (4, 4), (2, 2))),  # AlexNet's
        ((9, 64, 7, 7), 128, Window((1, 1), (2, 2))),
        ((3, 65, 30, 31), 48, Window((1, 1))),
        ((2, 4, 3, 3), 4, Window((5, 5), padding=(2, 2))),  # the kernel is larger than the image
        ((1, 8, 20, 300), 16, Window((3, 3), padding=(1, 1))),  # blocks of some rows
        ((3, 20, 11, 9), 50, Window((3, 3), (2, 1), (1, 1))),  # neither tiles nor panels nor parts are full
        ((130, 8, 4, 4), 16, Window((3, 3), padding=(1, 1))),  # blocks of several images
    ],
)
def test_layers_of_the_networks(shape, filters, window, rng):
    x, weight, bias, g = arrays(shape, filters, window, 1, rng)
    assert_same(convolution.conv2d, x, weight, bias, window)
    assert_same(convolution.conv2d_weight_gradient, x, g, window)
    assert_same(convolution.conv2d_input_gradient, g, weight, shape[2:], window)


def test_memory_in_any_order_and_read_only(rng):
    window = Window((3, 3), padding=(1, 1))
    x, weight, bias, g = arrays((2, 6, 10, 12), 8, window, 1, rng)
    wide = rng.normal(size=(4, 12, 20, 24)).astype("f4")
    for image in (wide[::2, ::2, ::2, ::2], wide[:2, :6, 3:13, 5:17][:, ::-1], np.asfortranarray(x)):
        image.flags.writeable = False
        assert_same(convolution.conv2d, image, weight, bias, window)
        assert_same(convolution.conv2d_weight_gradient, image, g, window)
    g.flags.writeable = weight.flags.writeable = False
    assert_same(convolution.conv2d_input_gradient, g[..., ::-1], weight[:, ::-1], (10, 12), window)


def test_an_empty_batch_is_left_to_numpy(rng):
    with using("compiled"):
        y = convolution.conv2d(np.empty((0, 3, 8, 8), "f4"), np.ones((4, 3, 3, 3), "f4"), None, Window((3, 3)))
    assert y.shape == (0, 4, 6, 6)
