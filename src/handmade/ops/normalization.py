"""The normalisations: subtract a mean, divide by a standard deviation, then scale and shift by learned parameters.

They differ in which numbers the mean and variance are taken over:

- batch_norm: one channel, over all samples and positions (Ioffe & Szegedy 2015)
- group_norm: the channels of one group and all positions of one sample (Wu & He 2018)
- layer_norm: the features of one sample or token (Ba, Kiros & Hinton 2016)
- rms_norm: the same without the mean (Zhang & Sennrich 2019)
- local_response_norm: no mean; neighbouring channels at one position (Krizhevsky et al. 2012, section 3.3)

The derivative has the same form for all but the last. With y = (x - μ) ρ, where ρ = 1/√(σ² + ε), and means taken over
the same numbers as μ and σ²:

    dx = ρ (g - mean(g) - y mean(g y))

Two terms are subtracted from g: the effect of shifting all x, and of scaling all x, since y changes with neither.

Letters: N samples, C channels, R positions, D features.
"""

import math

import numpy as np

from handmade.kernels import normalization as kernels
from handmade.ops.op import op


@op
def batch_norm(x, weight, bias, *, mean, variance, training, eps=1e-5):
    """(x - mean) / sqrt(variance + eps) weight + bias, channel by channel; x (N, C, ...), everything else (C,).

    In training, mean and variance are those of this batch, `kernels.normalization.batch_statistics(x)`, and the
    pullback differentiates through them; otherwise they are constants: the running statistics.
    The batch is normalised by its biased variance (over n); running statistics use the unbiased one (over n - 1).
    """
    rows = kernels.channels_last(x).reshape(1, -1, x.shape[1])  # (1, N R, C): one sample, the whole batch
    _check_channels("batch_norm", x, weight=weight, bias=bias, mean=mean, variance=variance)
    value, backward = _normalise(rows, weight, bias, mean[None], variance[None], eps)

    def pullback(g):
        g_rows = kernels.channels_last(g).reshape(rows.shape)
        dx, d_weight, d_bias = backward(g_rows, (lambda sums: sums / rows.shape[1]) if training else None)
        return kernels.channels_first(dx, x.shape), d_weight, d_bias

    return kernels.channels_first(value, x.shape), pullback


@op
def group_norm(x, weight, bias, *, num_groups, eps=1e-5):
    """Normalise each sample over `num_groups` groups of neighbouring channels; x (N, C, ...), weight and bias (C,)."""
    rows = kernels.channels_last(x)  # (N, R, C)
    _check_channels("group_norm", x, weight=weight, bias=bias)
    samples, positions, channels = rows.shape
    if num_groups < 1 or channels % num_groups:
        raise ValueError(f"group_norm: {channels} channels cannot be divided into {num_groups} equal groups")

    def over_groups(sums):
        """From the sums of each channel (N, C) to the means of its group, repeated for each channel (N, C)."""
        size = channels // num_groups
        return (sums.reshape(samples, num_groups, size).sum(axis=2) / (positions * size)).repeat(size, axis=1)

    mean = over_groups(kernels.channel_sums(rows))
    variance = over_groups(kernels.channel_squares(rows, mean))
    value, backward = _normalise(rows, weight, bias, mean, variance, eps)

    def pullback(g):
        dx, d_weight, d_bias = backward(kernels.channels_last(g), over_groups)
        return kernels.channels_first(dx, x.shape), d_weight, d_bias

    return kernels.channels_first(value, x.shape), pullback


@op
def layer_norm(x, weight, bias, *, normalized_shape, eps=1e-5):
    """Normalise over the last axes, those of `normalized_shape`, which is also the shape of weight and bias."""
    return _normalise_rows("layer_norm", x, weight, bias, normalized_shape, eps, centred=True)


@op
def rms_norm(x, weight, *, normalized_shape, eps=None):
    """x / sqrt(mean(x^2) + eps) weight over the last axes; eps=None is the dtype's machine epsilon, as in PyTorch."""
    eps = float(np.finfo(x.dtype).eps) if eps is None else eps
    value, pullback = _normalise_rows("rms_norm", x, weight, None, normalized_shape, eps, centred=False)
    return value, lambda g: pullback(g)[:2]


@op
def local_response_norm(x, *, size, alpha=1e-4, beta=0.75, k=1.0):
    """x / (k + alpha mean(x^2))^beta, the mean over `size` neighbouring channels, zeros beyond the ends; x (N, C, ...).

    As in PyTorch, alpha multiplies the mean. In the paper it multiplies the sum: its 1e-4 is size * 1e-4 here.
    """
    if size < 1:
        raise ValueError(f"local_response_norm: size is {size}, expected at least one channel")
    rows = kernels.channels_last(x)  # (N, R, C)
    channels = rows.shape[2]
    first, last = size // 2, (size - 1) // 2  # the window of channel c is c - first ... c + last
    # As a matrix: column c of the band has ones in the rows of its window, so squares @ band sums every window.
    band = np.tri(channels, k=first, dtype=x.dtype) - np.tri(channels, k=-last - 1, dtype=x.dtype)
    divisor = k + alpha / size * (np.square(rows) @ band)
    power = divisor**-beta
    value = rows * power

    def pullback(g):
        g = kernels.channels_last(g)
        neighbours = (g * value / divisor) @ band.T  # the effect of each channel through the windows that contain it
        return (kernels.channels_first(g * power - 2 * alpha * beta / size * rows * neighbours, x.shape),)

    return kernels.channels_first(value, x.shape), pullback


def _normalise(rows, weight, bias, mean, variance, eps):
    """The part that batch and group norm share: rows (N, R, C), mean and variance (N, C).

    Returns the value and backward(g, average), which gives the gradients of rows, weight and bias; `average` turns
    sums over rows into means over the numbers that the mean and variance were taken over.
    """
    reciprocal = 1 / np.sqrt(variance.astype(np.float64) + eps)
    scale = reciprocal if weight is None else reciprocal * weight
    shift = -mean * scale if bias is None else bias - mean * scale

    def backward(g, average):
        sum_g, sum_gx = kernels.channel_gradients(g, rows, mean)
        d_weight = (sum_gx * reciprocal).sum(axis=0).astype(g.dtype)
        d_bias = sum_g.sum(axis=0).astype(g.dtype)
        if average is None:
            return kernels.scale_channels(g, scale, np.zeros_like(scale)), d_weight, d_bias
        # dx = scale g - ρ mean(g weight) - (x - μ) ρ³ mean(g weight (x - μ)); factors are one number per channel
        stretch = average(scale * sum_gx) * reciprocal**2
        dx = kernels.mix_channels(rows, -stretch, g, scale, mean * stretch - average(scale * sum_g))
        return dx, d_weight, d_bias

    return kernels.scale_channels(rows, scale, shift), backward


def _normalise_rows(name, x, weight, bias, normalized_shape, eps, centred):
    """Layer norm if `centred`, else RMS norm: x (..., *normalized_shape) as rows (R, D)."""
    shape = tuple(normalized_shape)
    if not shape:
        raise ValueError(f"{name}: normalized_shape is empty, expected the sizes of at least one last axis")
    if x.shape[x.ndim - len(shape) :] != shape:
        raise ValueError(f"{name}: input of shape {x.shape} does not end in normalized_shape {shape}")
    for argument, array in (("weight", weight), ("bias", bias)):
        if array is not None and array.shape != shape:
            raise ValueError(f"{name}: {argument} has shape {array.shape}, expected normalized_shape {shape}")
    features = math.prod(shape)
    weight, bias = (None if array is None else array.reshape(features) for array in (weight, bias))
    rows = np.ascontiguousarray(x).reshape(-1, features)
    value, normalised, reciprocal = kernels.normalise_rows(rows, weight, bias, eps, centred)

    def pullback(g):
        g = np.ascontiguousarray(g).reshape(-1, features)
        dx, d_weight, d_bias = kernels.normalise_rows_backward(g, normalised, reciprocal, weight, centred)
        return dx.reshape(x.shape), d_weight.reshape(shape), d_bias.reshape(shape)

    return value.reshape(x.shape), pullback


def _check_channels(name, x, **coefficients):
    for argument, array in coefficients.items():
        if array is not None and array.shape != (x.shape[1],):
            raise ValueError(
                f"{name}: {argument} has shape {array.shape}, expected ({x.shape[1]},): one value for each channel of "
                f"the input of shape {x.shape}"
            )
