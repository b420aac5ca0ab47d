import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from handmade.kernels.normalization import batch_statistics
from handmade.ops.normalization import batch_norm, group_norm, layer_norm, local_response_norm, rms_norm
from tests.support.against_torch import agrees_with_torch, assert_close, run

few = settings(max_examples=30, deadline=None, derandomize=True)
F = torch.nn.functional
SIZE = st.integers(1, 5)


def training_norm(x, weight, bias, **options):
    mean, variance = batch_statistics(x)
    return batch_norm(x, weight, bias, mean=mean, variance=variance, training=True, **options)


def channels_last(x):
    """The same array with its channels last in memory."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)


@pytest.mark.parametrize("shape", [(7, 3), (4, 6, 5), (3, 4, 5, 2), (2, 1, 3, 3), (16, 2, 8, 8), (2, 2048, 2, 1)])
def test_batch_norm_in_training(rng, shape):
    x, weight, bias = rng.normal(3, 2, shape), rng.normal(size=shape[1]), rng.normal(size=shape[1])
    agrees_with_torch(training_norm, lambda x, w, b: F.batch_norm(x, None, None, w, b, True), x, weight, bias)
    agrees_with_torch(training_norm, lambda x, w, b: F.batch_norm(x, None, None, w, b, True), x, None, None)


def test_batch_norm_in_training_of_any_memory_order(rng):
    x = rng.normal(size=(2, 3, 5, 4))
    g = rng.normal(size=x.shape)
    value, pullback = training_norm(x, None, None)
    same_value, same_pullback = training_norm(channels_last(x), None, None)
    np.testing.assert_array_equal(value, same_value)
    np.testing.assert_array_equal(pullback(g)[0], same_pullback(channels_last(g))[0])
    assert np.moveaxis(value, 1, -1).flags.c_contiguous


def test_batch_norm_in_evaluation(rng):
    x, weight, bias = rng.normal(size=(3, 4, 5, 2)), rng.normal(size=4), rng.normal(size=4)
    mean, variance = rng.normal(size=4), rng.uniform(0.1, 2, 4)

    def ours(x, weight, bias):
        options = {"mean": mean.astype(x.dtype), "variance": variance.astype(x.dtype), "training": False, "eps": 0.1}
        return batch_norm(x, weight, bias, **options)

    def theirs(x, weight, bias):
        running = torch.tensor(mean, dtype=x.dtype), torch.tensor(variance, dtype=x.dtype)
        return F.batch_norm(x, *running, weight, bias, False, eps=0.1)

    agrees_with_torch(ours, theirs, x, weight, bias)
    agrees_with_torch(ours, theirs, x, None, None)


def test_batch_statistics_are_the_biased_ones(rng):
    x = rng.normal(5, 3, (6, 3, 7, 5))
    mean, variance = batch_statistics(x)
    np.testing.assert_allclose(mean, x.mean((0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(variance, x.var((0, 2, 3)), rtol=1e-12)


def test_batch_statistics_far_from_zero_keep_their_digits_in_float32(rng):
    x = (1e4 + rng.normal(size=(64, 2, 48, 48))).astype(np.float32)
    mean, variance = batch_statistics(x)
    np.testing.assert_allclose(mean, x.mean((0, 2, 3), dtype=np.float64), rtol=1e-6)
    np.testing.assert_allclose(variance, x.var((0, 2, 3), dtype=np.float64), rtol=1e-4)


def test_batch_larger_than_a_block_of_the_kernels(rng):
    x, g = rng.normal(size=(2, 9, 41, 3, 61, 8))  # 540,000 numbers each
    x, g = (np.moveaxis(a.reshape(9, 41, -1, 24), -1, 1) for a in (x, g))
    value, pullback = training_norm(x, None, None)
    tensor = torch.tensor(x, requires_grad=True)
    expected = F.batch_norm(tensor, None, None, None, None, True)
    expected.backward(torch.tensor(g))
    assert_close(value, expected.detach().numpy(), "value")
    assert_close(pullback(g)[0], tensor.grad.numpy(), "gradient")


@few
@given(n=st.integers(2, 5), groups=SIZE, per_group=st.integers(2, 5), positions=st.lists(SIZE, max_size=2))
def test_group_norm(n, groups, per_group, positions):
    rng = np.random.default_rng(0)
    x = rng.normal(1, 2, (n, groups * per_group, *positions))
    weight, bias = rng.normal(size=(2, x.shape[1]))
    ours = lambda *inputs: group_norm(*inputs, num_groups=groups, eps=0.1)
    agrees_with_torch(ours, lambda *inputs: F.group_norm(inputs[0], groups, *inputs[1:], eps=0.1), x, weight, bias)


def test_group_norm_without_weight_and_with_the_default_eps(rng):
    x = rng.normal(size=(3, 6, 4, 5))
    ours = lambda *inputs: group_norm(*inputs, num_groups=2)
    agrees_with_torch(ours, lambda x, w, b: F.group_norm(x, 2, w, b), x, None, None)


@few
@given(leading=st.lists(SIZE, max_size=2), last=st.lists(st.integers(2, 5), min_size=1, max_size=2))
def test_layer_norm(leading, last):
    rng = np.random.default_rng(0)
    x, weight, bias = rng.normal(1, 2, (*leading, *last)), rng.normal(size=last), rng.normal(size=last)
    ours = lambda *inputs: layer_norm(*inputs, normalized_shape=tuple(last), eps=0.1)
    theirs = lambda *inputs: F.layer_norm(inputs[0], last, *inputs[1:], eps=0.1)
    agrees_with_torch(ours, theirs, x, weight, bias)
    agrees_with_torch(ours, theirs, x, weight, None)
    agrees_with_torch(ours, theirs, x, None, bias)
    agrees_with_torch(ours, theirs, x, None, None)


@pytest.mark.parametrize("shape", [(5, 3, 7), (300, 700)])  # the second is more than one block of the kernel
def test_layer_norm_with_the_default_eps(rng, shape):
    x, weight, bias = rng.normal(1, 2, shape), rng.normal(size=shape[-1]), rng.normal(size=shape[-1])
    ours = lambda *inputs: layer_norm(*inputs, normalized_shape=shape[-1:])
    agrees_with_torch(ours, lambda x, w, b: F.layer_norm(x, shape[-1:], w, b), x, weight, bias)


@pytest.mark.parametrize("eps", [None, 0.1])
def test_rms_norm(rng, eps):
    x, weight = rng.normal(1, 2, (3, 4, 5)), rng.normal(size=(4, 5))
    ours = lambda *inputs: rms_norm(*inputs, normalized_shape=(4, 5), eps=eps)
    agrees_with_torch(ours, lambda x, w: F.rms_norm(x, (4, 5), w, eps), x, weight)
    agrees_with_torch(ours, lambda x, w: F.rms_norm(x, (4, 5), w, eps), x, None)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize("shape", [(2, 7, 3, 4), (3, 4, 5)])
def test_local_response_norm(rng, size, shape):
    options = {"size": size, "alpha": 0.7, "beta": 0.6, "k": 1.5}
    agrees_with_torch(
        local_response_norm, lambda x: F.local_response_norm(x, **options), rng.normal(size=shape), **options
    )


def test_local_response_norm_with_the_defaults(rng):
    x = rng.normal(0, 30, (2, 8, 3, 5))
    agrees_with_torch(local_response_norm, lambda x: F.local_response_norm(x, 5), x, size=5)


def test_constant_input_is_normalised_to_the_bias():
    x = np.full((4, 3, 2, 2), 7.0)
    bias = np.arange(3.0)
    value, gradients, _ = run(training_norm, [x, np.ones(3), bias], {})
    np.testing.assert_allclose(value, np.broadcast_to(bias[:, None, None], x.shape), atol=1e-12)
    assert np.isfinite(gradients[0]).all()


@pytest.mark.parametrize("shape", [(0, 3), (0, 3, 4, 5)])
def test_no_values_outside_training(shape):
    constants = {"mean": np.zeros(3), "variance": np.ones(3), "training": False}
    for operation, options in [(batch_norm, constants), (layer_norm, {"normalized_shape": shape[1:]})]:
        value, pullback = operation(np.ones(shape), None, None, **options)
        assert value.shape == pullback(value)[0].shape == shape


def test_one_value_a_channel_cannot_be_trained_on():
    with pytest.raises(ValueError, match=r"\(1, 3\) has 1 value\(s\) a channel.*larger batch"):
        batch_statistics(np.zeros((1, 3)))


def test_no_values_cannot_be_trained_on():
    with pytest.raises(ValueError, match=r"\(0, 3, 2\) has 0 value"):
        batch_statistics(np.zeros((0, 3, 2)))


@pytest.mark.parametrize("argument", ["weight", "bias", "mean", "variance"])
def test_batch_norm_names_what_has_the_wrong_shape(argument):
    arrays = dict.fromkeys(["weight", "bias", "mean", "variance"], np.ones(3))
    arrays[argument] = np.ones(4)
    with pytest.raises(ValueError, match=rf"{argument} has shape \(4,\), expected \(3,\).*\(2, 3, 5\)"):
        batch_norm(
            np.ones((2, 3, 5)),
            arrays["weight"],
            arrays["bias"],
            mean=arrays["mean"],
            variance=arrays["variance"],
            training=True,
        )


def test_channels_need_an_axis():
    for operation in (
        lambda x: group_norm(x, None, None, num_groups=1),
        lambda x: local_response_norm(x, size=5),
        lambda x: training_norm(x, None, None),
    ):
        with pytest.raises(ValueError, match=r"input of shape \(3,\), expected \(N, C\) or \(N, C, ...\)"):
            operation(np.ones(3))


@pytest.mark.parametrize("groups", [0, 4])
def test_groups_must_divide_the_channels(groups):
    with pytest.raises(ValueError, match=f"6 channels cannot be divided into {groups} equal groups"):
        group_norm(np.ones((2, 6, 3)), None, None, num_groups=groups)


def test_window_of_no_channels():
    with pytest.raises(ValueError, match="size is 0, expected at least one"):
        local_response_norm(np.ones((2, 6, 3)), size=0)


def test_layer_norm_of_another_shape():
    with pytest.raises(
        ValueError, match=r"layer_norm: input of shape \(2, 4\) does not end in normalized_shape \(3,\)"
    ):
        layer_norm(np.ones((2, 4)), None, None, normalized_shape=(3,))
    with pytest.raises(ValueError, match=r"rms_norm: input of shape \(4,\) does not end in normalized_shape \(2, 4\)"):
        rms_norm(np.ones(4), None, normalized_shape=(2, 4))


def test_layer_norm_with_a_bias_of_another_shape():
    with pytest.raises(ValueError, match=r"layer_norm: bias has shape \(3,\), expected normalized_shape \(4,\)"):
        layer_norm(np.ones((2, 4)), np.ones(4), np.ones(3), normalized_shape=(4,))
