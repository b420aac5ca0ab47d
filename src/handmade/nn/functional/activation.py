"""Activation functions, and vectors of length one. `inplace` is accepted: the result is a new tensor all the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from handmade import ops
from handmade.engine import Tensor, apply, random
from handmade.engine.functions import where


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0)."""
    return input.relu()


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x σ(x)."""
    return input.silu()


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6)."""
    return hardtanh(input, 0.0, 6.0)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """x limited to [min_val, max_val]; at the limits and beyond the gradient is 0."""
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val is {min_val}, max_val {max_val}; expected min_val <= max_val")
    return apply(ops.hardtanh, input, min_val=min_val, max_val=max_val)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, else negative_slope x (Maas et al. 2013)."""
    return where(input.array > 0, input, input * negative_slope)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, else weight x; weight () or one number for each channel, axis 1 (He et al. 2015)."""
    channels = input.shape[1] if input.ndim > 1 else 1
    if weight.numel() not in (1, channels) or weight.ndim > 1:
        raise ValueError(f"prelu: weight has shape {weight.shape}; expected one number, or {channels} for the channels")
    if weight.numel() > 1:
        weight = weight.reshape(-1, *[1] * (input.ndim - 2))
    elif weight.ndim > input.ndim:
        weight = weight.reshape(())
    return where(input.array > 0, input, input * weight)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha (e^x - 1) (Clevert et al. 2016)."""
    negative = input.array <= 0
    return where(negative, where(negative, input, 0.0).expm1() * alpha, input)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha (e^(x / alpha) - 1) (Barron 2017)."""
    if alpha == 0:
        raise ValueError("celu: alpha is 0, expected another number")
    negative = input.array <= 0
    return where(negative, (where(negative, input, 0.0) / alpha).expm1() * alpha, input)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """1.0507 elu(x, 1.6733): keeps mean 0 and variance 1 from layer to layer (Klambauer et al. 2017)."""
    return elu(input, 1.6732632423543772848170429916717) * 1.0507009873554804934193349852946


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x tanh(softplus(x)) (Misra 2019)."""
    return input * input.softplus().tanh()


def logsigmoid(input: Tensor) -> Tensor:
    """log σ(x) = -softplus(-x)."""
    return -((-input).softplus(threshold=np.inf))


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """x / 6 + 1/2, limited to [0, 1]."""
    return hardtanh(input / 6 + 0.5, 0.0, 1.0)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x hardsigmoid(x) (Howard et al. 2019)."""
    return where(input.array <= -3, input * 0, where(input.array >= 3, input, input * (input / 6 + 0.5)))


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    return input / (1 + input.abs())


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    return input - input.tanh()


def softmin(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """softmax(-x)."""
    return (-input).softmax(dim, dtype)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, else `value`."""
    return input.masked_fill(input <= threshold, value)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a σ(b) for the halves a and b along an axis (Dauphin et al. 2017)."""
    if input.ndim == 0 or input.shape[dim] % 2:
        raise ValueError(f"glu: axis {dim} of shape {input.shape} must have an even size")
    a, b = input.chunk(2, dim) if input.shape[dim] else (input, input)
    return a * b.sigmoid()


def gumbel_softmax(logits: Tensor, tau: float = 1.0, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """softmax((logits + Gumbel noise) / tau); `hard` gives one-hot values with the soft ones' gradient (Jang 2017)."""
    noise = random.generator().gumbel(size=logits.shape).astype(logits.dtype)
    soft = ((logits + Tensor(noise)) / tau).softmax(dim)
    if not hard:
        return soft
    one_hot = (soft.array == soft.array.max(dim, keepdims=True)).astype(soft.dtype)
    return Tensor(one_hot) - soft.detach() + soft


def normalize(input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Tensor:
    """x / max(norm(x), eps): vectors along `dim` made of length one."""
    return input / input.norm(p, dim, keepdim=True).clamp(min=eps).expand_as(input)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1 · x2 / (max(|x1|, eps) max(|x2|, eps)) along an axis."""
    shape = np.broadcast_shapes(x1.shape, x2.shape)
    x1, x2 = x1.expand(shape), x2.expand(shape)
    unit = lambda x: x / x.norm(2, dim, keepdim=True).clamp(min=eps)
    return (unit(x1) * unit(x2)).sum(dim)


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of x1 - x2 + eps along the last axis."""
    return (x1 - x2 + eps).norm(p, -1, keepdim)
