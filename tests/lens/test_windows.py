"""Convolution by hand is the convolution of handmade.nn, sizes and counts included."""

import numpy as np
import pytest

import handmade.nn.functional as F
from handmade import nn
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.lens.costs import cost
from handmade.lens.windows import layer_counts, output_size, slide


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 2])
@pytest.mark.parametrize("dilation", [1, 2])
def test_every_window_is_that_of_conv2d(rng, stride, padding, dilation):
    image, kernel = rng.standard_normal((7, 9)), rng.standard_normal((2, 3))
    windows = slide(image, kernel, 0.5, stride, padding, dilation)
    x, w, b = (Tensor(array) for array in (image[None, None], kernel[None, None], np.array([0.5])))
    expected = F.conv2d(x, w, b, stride, padding, dilation).array[0, 0]
    np.testing.assert_allclose(windows.output, expected, atol=1e-12)
    assert windows.padded.shape == (7 + 2 * padding, 9 + 2 * padding)
    assert output_size(7, 2, stride, padding, dilation) == len(expected)


def test_a_window_that_does_not_fit_is_refused():
    with pytest.raises(InputError, match="reaches over 5 pixels, and the padded image has 4"):
        output_size(4, 3, dilation=2)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_the_counts_are_those_of_a_layer(groups):
    layer = nn.Conv2d(4, 8, (3, 2), padding=1, groups=groups)
    measured = cost(nn.Sequential(layer), Tensor(np.zeros((1, 4, 6, 5), np.float32)))
    OH, OW = output_size(6, 3, padding=1), output_size(5, 2, padding=1)
    assert layer_counts(4, 8, 3, 2, OH, OW, groups) == (measured.parameters, measured.multiply_adds)
    with pytest.raises(InputError, match="3 groups cannot share 4 channels and 8 kernels"):
        layer_counts(4, 8, 3, 2, OH, OW, 3)
