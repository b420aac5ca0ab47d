"""Where windows lie, and that images cut into blocks give what they give in one piece."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handmade.kernels import convolution, pooling, windows
from handmade.kernels.windows import Window, blocks


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 5), st.integers(1, 9), st.integers(0, 4 * windows.BLOCK_BYTES))
def test_blocks_cover_every_row_of_every_image_once(images, rows, bytes_per_row):
    covered = np.zeros((images, rows), int)
    for block in blocks(images, rows, bytes_per_row):
        covered[block] += 1
        assert covered[block].flags.c_contiguous
        assert covered[block].size * bytes_per_row <= max(windows.BLOCK_BYTES, bytes_per_row)
    assert (covered == 1).all()


@settings(deadline=None, derandomize=True)
@given(*[st.integers(1, 4)] * 3, st.integers(0, 5), st.integers(1, 9), st.integers(0, 4))
def test_a_tap_lists_the_outputs_for_which_it_is_inside(kernel, stride, dilation, padding, size, first_row):
    window = Window((kernel, 1), (stride, 1), (padding, 0), (dilation, 1))
    for r, _, (_, reached, _), (_, read, _) in window.taps((size, 1), (5, 1), first_row):
        expected = [(o, (first_row + o) * stride + r * dilation - padding) for o in range(5)]
        inside = [(o, i) for o, i in expected if 0 <= i < size]
        assert list(zip(range(5)[reached], range(size)[read], strict=True)) == inside


SIZE = (9, 8)
WINDOW = Window((3, 2), (2, 1), (1, 1), (1, 2))


def all_kernels(rng, groups):
    """Every kernel on the same arrays."""
    x, weight, bias = rng.normal(size=(3, 6, *SIZE)), rng.normal(size=(6, 6 // groups, 3, 2)), rng.normal(size=6)
    pool = Window((3, 2), (2, 1), (1, 1))
    y = convolution.conv2d(x, weight, bias, WINDOW, groups)
    g = rng.normal(size=y.shape)
    largest, winner = pooling.max_pool2d(x, pool)
    h = rng.normal(size=largest.shape)
    return {
        "conv2d": y,
        "conv2d_input_gradient": convolution.conv2d_input_gradient(g, weight, SIZE, WINDOW, groups),
        "conv2d_weight_gradient": convolution.conv2d_weight_gradient(x, g, WINDOW, groups),
        "max_pool2d": largest,
        "winner": winner,
        "max_pool2d_gradient": pooling.max_pool2d_gradient(h, winner, SIZE, pool),
        "avg_pool2d": pooling.avg_pool2d(x, pool, count_include_pad=False),
        "avg_pool2d_gradient": pooling.avg_pool2d_gradient(h, SIZE, pool, count_include_pad=False),
    }


@pytest.mark.parametrize("block", [1, 2000, 7000])
@pytest.mark.parametrize("groups", [1, 2, 6])
def test_the_size_of_the_blocks_does_not_matter(monkeypatch, block, groups):
    whole = all_kernels(np.random.default_rng(0), groups)
    monkeypatch.setattr(windows, "BLOCK_BYTES", block)
    cut = all_kernels(np.random.default_rng(0), groups)
    for name, expected in whole.items():
        np.testing.assert_allclose(cut[name], expected, rtol=1e-12, atol=1e-12, err_msg=name)


def test_a_sum_over_many_positions_is_accurate_in_float32(rng):
    """The weight's gradient adds up all positions of a batch; it must not lose them to rounding."""
    x = rng.normal(size=(32, 3, 32, 32)).astype(np.float32) + 1
    g = rng.normal(size=(32, 4, 32, 32)).astype(np.float32) + 1
    window = Window((3, 3), padding=(1, 1))
    expected = convolution.conv2d_weight_gradient(x.astype(np.float64), g.astype(np.float64), window)
    got = convolution.conv2d_weight_gradient(x, g, window)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, rtol=2e-6)
    np.testing.assert_allclose(convolution.conv2d_bias_gradient(g), g.astype(float).sum((0, 2, 3)), rtol=2e-6)


def test_a_large_image_needs_little_memory_beside_itself(rng):
    """The matrix of patches of this layer would take 57 MB; a block of it must do."""
    x = rng.normal(size=(1, 64, 157, 158)).astype(np.float32)
    x = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    weight = rng.normal(size=(8, 64, 3, 3)).astype(np.float32)
    window = Window((3, 3), padding=(1, 1))
    tracemalloc.start()
    try:
        y = convolution.conv2d(x, weight, None, window)
        convolution.conv2d_weight_gradient(x, y, window)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < y.nbytes + 10 * 2**20
