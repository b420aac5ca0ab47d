"""Normalisations. N samples, C channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from handmade.engine import Tensor
from handmade.kernels.normalization import batch_statistics
from handmade.nn.functional.arguments import check_float, run
from handmade.ops import normalization


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each channel of input (N, C, ...) to mean 0 and variance 1, times weight plus bias (Ioffe 2015).

    In training it uses the statistics of the batch, and moves the running ones, if given, towards them in place:
    running = (1 - momentum) running + momentum batch. Otherwise it uses the running ones.
    The batch is normalised by its biased variance (over n); the running variance follows the unbiased (over n - 1).
    """
    if eps <= 0:
        raise ValueError(f"batch_norm: eps is {eps}, expected a number above 0 to keep the division finite")
    for name, running in (("running_mean", running_mean), ("running_var", running_var)):
        if running is None and not training:
            raise ValueError(f"batch_norm: {name} is None; it is needed unless training=True")
        if running is not None and running.dtype != input.dtype:
            raise TypeError(
                f"batch_norm: input is {input.dtype}, {name} {running.dtype}; convert the layer or the input"
            )
    if training:
        check_float("batch_norm", input)
        mean, variance = batch_statistics(input.array)
    else:  # copies: the pullback reads them, and a later training step changes the running ones in place
        assert running_mean is not None
        assert running_var is not None
        mean, variance = running_mean.array.copy(), running_var.array.copy()
    options: dict[str, Any] = {"mean": mean, "variance": variance, "training": training, "eps": eps}
    output = run(normalization.batch_norm, input, weight, bias, **options)
    if training:
        count = input.numel() // len(mean)
        _move(running_mean, mean, momentum)
        _move(running_var, variance * (count / (count - 1)), momentum)
    return output


def _move(running: Tensor | None, towards: np.ndarray, momentum: float) -> None:
    if running is not None:
        array = running.writable("batch_norm")
        array *= 1 - momentum
        array += momentum * towards


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each channel of each sample of input (N, C, ...) by itself (Ulyanov et al. 2016)."""
    if input.ndim < 3 or input.numel() == input.shape[0] * input.shape[1]:
        raise ValueError(
            f"instance_norm: input has shape {input.shape}, expected (N, C, ...) with several elements each"
        )
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    if running_mean is not None and running_var is not None:
        elements = tuple(range(2, input.ndim))
        variance = input.array.var(elements, ddof=1)
        _move(running_mean, input.array.mean(elements).mean(0), momentum)
        _move(running_var, variance.mean(0), momentum)
    return run(normalization.group_norm, input, weight, bias, num_groups=input.shape[1], eps=eps)


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each sample over its last axes, those of `normalized_shape` (Ba, Kiros & Hinton 2016)."""
    return run(normalization.layer_norm, input, weight, bias, normalized_shape=tuple(normalized_shape), eps=eps)


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Normalise each sample of input (N, C, ...) over `num_groups` groups of channels (Wu & He 2018)."""
    return run(normalization.group_norm, input, weight, bias, num_groups=num_groups, eps=eps)


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """input / sqrt(mean(input^2) + eps) weight over the last axes (Zhang 2019); eps=None is the dtype's epsilon."""
    return run(normalization.rms_norm, input, weight, normalized_shape=tuple(normalized_shape), eps=eps)


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """input / (k + alpha mean(input^2))^beta, the mean over `size` neighbouring channels (Krizhevsky et al. 2012)."""
    return run(normalization.local_response_norm, input, size=size, alpha=alpha, beta=beta, k=k)
