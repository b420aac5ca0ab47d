"""Normalisation layers: normalise to mean 0 and variance 1, then apply a learned scale (weight) and shift (bias).

They differ in which numbers share a mean and a variance; `ops.normalization` compares them.
"""

from __future__ import annotations

from collections.abc import Sequence

import handmade.nn.functional as F
from handmade.engine import Tensor
from handmade.engine.creation import ones, tensor, zeros
from handmade.nn.functional.arguments import with_batch
from handmade.nn.module import Module, Parameter


class _BatchNorm(Module):
    """Batch normalisation (Ioffe & Szegedy 2015), for any number of axes.

    In training each channel is normalised by the statistics of the batch, and the buffers `running_mean` and
    `running_var` move towards them: running = (1 - momentum) running + momentum batch. Evaluation uses the running
    statistics. With momentum=None they are the plain average over all batches; with track_running_stats=False there
    are none, and evaluation uses the statistics of the batch as well. affine=False leaves out weight and bias,
    bias=False the bias alone.
    """

    ndims: tuple[int, ...]
    shapes: str

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self.weight = Parameter(ones(num_features)) if affine else None
        self.bias = Parameter(zeros(num_features)) if affine and bias else None
        self.running_mean: Tensor | None
        self.running_var: Tensor | None
        self.num_batches_tracked: Tensor | None
        self.register_buffer("running_mean", zeros(num_features) if track_running_stats else None)
        self.register_buffer("running_var", ones(num_features) if track_running_stats else None)
        self.register_buffer("num_batches_tracked", tensor(0) if track_running_stats else None)

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in self.ndims:
            raise ValueError(f"{type(self).__name__}: input has shape {input.shape}; expected {self.shapes}")
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            momentum = 1 / self.num_batches_tracked.item() if self.momentum is None else momentum
        training = self.training or self.running_mean is None
        running = self.running_mean, self.running_var
        return F.batch_norm(input, *running, self.weight, self.bias, training, momentum, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    __doc__ = f"(N, C) or (N, C, L) to the same shape. {_BatchNorm.__doc__}"

    ndims, shapes = (2, 3), "(N, C) or (N, C, L)"


class BatchNorm2d(_BatchNorm):
    __doc__ = f"(N, C, H, W) to the same shape. {_BatchNorm.__doc__}"

    ndims, shapes = (4,), "(N, C, H, W)"


class BatchNorm3d(_BatchNorm):
    __doc__ = f"(N, C, D, H, W) to the same shape. {_BatchNorm.__doc__}"

    ndims, shapes = (5,), "(N, C, D, H, W)"


class _InstanceNorm(_BatchNorm):
    """Instance normalisation (Ulyanov et al. 2016): each channel of each sample is normalised by its own statistics.

    affine=True learns weight and bias; with track_running_stats=True evaluation uses running statistics, as batch norm
    does. A single sample may come without its axis N.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        (ndim,) = self.ndims
        if input.ndim not in (ndim - 1, ndim) or input.shape[1 - ndim] != self.num_features:
            shapes = f"{self.shapes}, with or without N, and C = {self.num_features}"
            raise ValueError(f"{type(self).__name__}: input has shape {input.shape}; expected {shapes}")
        own, momentum = self.training or self.running_mean is None, self.momentum or 0.0
        running = self.running_mean, self.running_var
        normalised = lambda x: F.instance_norm(x, *running, self.weight, self.bias, own, momentum, self.eps)
        return with_batch(input, ndim, normalised)


class InstanceNorm1d(_InstanceNorm):
    __doc__ = f"(N, C, L) to the same shape. {_InstanceNorm.__doc__}"

    ndims, shapes = (3,), "(N, C, L)"


class InstanceNorm2d(_InstanceNorm):
    __doc__ = f"(N, C, H, W) to the same shape. {_InstanceNorm.__doc__}"

    ndims, shapes = (4,), "(N, C, H, W)"


class InstanceNorm3d(_InstanceNorm):
    __doc__ = f"(N, C, D, H, W) to the same shape. {_InstanceNorm.__doc__}"

    ndims, shapes = (5,), "(N, C, D, H, W)"


class LayerNorm(Module):
    """Normalises each sample or token over its last axes, those of `normalized_shape` (Ba, Kiros & Hinton 2016).

    weight and bias have that shape; elementwise_affine=False leaves out both, bias=False only the bias.

    >>> from handmade import nn, tensor
    >>> [round(x, 3) for x in nn.LayerNorm(3)(tensor([1.0, 2.0, 3.0])).tolist()]
    [-1.225, 0.0, 1.225]
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self.weight = Parameter(ones(self.normalized_shape)) if elementwise_affine else None
        self.bias = Parameter(zeros(self.normalized_shape)) if elementwise_affine and bias else None

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        affine = f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        return f"{self.normalized_shape}, eps={self.eps}, {affine}"


class RMSNorm(Module):
    """Divides each sample or token by the root of its mean square over the last axes (Zhang & Sennrich 2019).

    eps=None uses the machine epsilon of the input's dtype.
    """

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float | None = None, elementwise_affine: bool = True
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self.weight = Parameter(ones(self.normalized_shape)) if elementwise_affine else None

    def forward(self, input: Tensor) -> Tensor:
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Module):
    """Normalises each sample of (N, C, ...) over groups of C / num_groups channels (Wu & He 2018).

    >>> from handmade import nn, randn
    >>> y = nn.GroupNorm(2, 6)(randn(4, 6, 5, 5))
    >>> abs(y[0, :3].mean().item()) < 1e-6  # each sample's groups by themselves
    True
    """

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, *, bias: bool = True
    ) -> None:
        super().__init__()
        if num_groups < 1 or num_channels % num_groups:
            raise ValueError(f"GroupNorm: {num_channels} channels cannot be divided into {num_groups} equal groups")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self.weight = Parameter(ones(num_channels)) if affine else None
        self.bias = Parameter(zeros(num_channels)) if affine and bias else None

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        affine = f"affine={self.affine}, bias={self.bias is not None}"
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, {affine}"


class LocalResponseNorm(Module):
    """input / (k + alpha mean(input^2))^beta, the mean over `size` neighbouring channels (Krizhevsky et al. 2012).

    As in PyTorch, alpha multiplies the mean. In the paper it multiplies the sum: its 1e-4 is size * 1e-4 here.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


def _shape(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    return (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
