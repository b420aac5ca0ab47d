"""Losses that are made of other operations: of probabilities, of distances, and with margins.

`reduction` is "mean", "sum" or "none".
"""

from __future__ import annotations

import math

from handmade.engine import Tensor
from handmade.engine.functions import where
from handmade.nn.functional.activation import cosine_similarity, pairwise_distance


def reduced(losses: Tensor, reduction: str) -> Tensor:
    """Their mean, their sum, or all of them."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction is {reduction!r}, expected 'mean', 'sum' or 'none'")
    return losses.mean() if reduction == "mean" else losses.sum() if reduction == "sum" else losses


def weighted(losses: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    """Their weighted mean, the sum of them times their weights, or these products; `reduced` without weights."""
    if weight is None:
        return reduced(losses, reduction)
    if weight.shape != losses.shape:
        raise ValueError(f"weight has shape {weight.shape}, the losses {losses.shape}; they must be the same")
    if reduction == "mean":
        return (losses * weight).sum() / weight.sum()
    return reduced(losses * weight, reduction)


def check_same_shape(name: str, input: Tensor, target: Tensor) -> None:
    if input.shape != target.shape:
        raise ValueError(f"{name}: input has shape {input.shape} and target {target.shape}; they must be the same")


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean"
) -> Tensor:
    """-(t log p + (1 - t) log(1 - p)) for probabilities p and targets t from 0 to 1; each logarithm is at least -100.

    From logits, binary_cross_entropy_with_logits is exact where this one rounds.
    """
    check_same_shape("binary_cross_entropy", input, target)
    if input.numel() and not (input.array.min() >= 0 and input.array.max() <= 1):
        raise ValueError(
            f"binary_cross_entropy: input goes from {input.array.min():.4g} to {input.array.max():.4g}, expected "
            "probabilities; for logits use binary_cross_entropy_with_logits"
        )
    log = lambda p: p.log().clamp(min=-100)
    losses = -(target * log(input) + (1 - target) * log(1 - input))
    return reduced(losses if weight is None else losses * weight, reduction)


def kl_div(input: Tensor, target: Tensor, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """t (log t - input) for log-probabilities `input` and probabilities t, or their logarithms with `log_target`.

    "mean" is over all elements, as in PyTorch; "batchmean" divides the sum by the number of rows, which is the
    Kullback-Leibler divergence.
    """
    if log_target:
        losses = target.exp() * (target - input)
    else:
        positive = target.array > 0
        losses = target * where(positive, target, target * 0 + 1).log() - target * input
    if reduction == "batchmean":
        return losses.sum() / losses.shape[0] if losses.ndim else losses
    return reduced(losses, reduction)


def smooth_l1_loss(input: Tensor, target: Tensor, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """d^2 / (2 beta) where d = |input - target| < beta, else d - beta / 2 (Girshick 2015)."""
    check_same_shape("smooth_l1_loss", input, target)
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: beta is {beta}, expected 0 or more")
    distance = (input - target).abs()
    if beta == 0:
        return reduced(distance, reduction)
    return reduced(where(distance.array < beta, distance * distance / (2 * beta), distance - beta / 2), reduction)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """d^2 / 2 where d = |input - target| < delta, else delta (d - delta / 2) (Huber 1964)."""
    check_same_shape("huber_loss", input, target)
    if delta <= 0:
        raise ValueError(f"huber_loss: delta is {delta}, expected a number above 0")
    distance = (input - target).abs()
    losses = where(distance.array < delta, distance * distance / 2, delta * (distance - delta / 2))
    return weighted(losses, weight, reduction)


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Tensor:
    """e^x - t x for the logarithm x of a rate, or x - t log(x + eps) for the rate itself; `full` adds log t!."""
    losses = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        large = target.array > 1
        t = where(large, target, target * 0 + 2)
        losses = losses + where(large, t * t.log() - t + 0.5 * (2 * math.pi * t).log(), target * 0)
    return reduced(losses, reduction)


def soft_margin_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """log(1 + e^(-t x)) for targets t of 1 and -1."""
    check_same_shape("soft_margin_loss", input, target)
    return reduced((-target * input).exp().log1p(), reduction)


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: str = "mean"
) -> Tensor:
    """max(0, -t (x1 - x2) + margin): t is 1 where x1 is to be the larger, -1 where x2 is."""
    if not input1.ndim == input2.ndim == target.ndim:
        raise ValueError(
            f"margin_ranking_loss: shapes {input1.shape}, {input2.shape}, {target.shape}; expected as many axes in all"
        )
    return reduced((-target * (input1 - input2) + margin).clamp(min=0), reduction)


def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, reduction: str = "mean") -> Tensor:
    """x where the target is 1, max(0, margin - x) where it is -1."""
    apart, near = target.array != 1, target.array != -1
    losses = where(apart, (margin - input).clamp(min=0), 0.0) + where(near, input, 0.0)
    return reduced(losses, reduction)


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: str = "mean"
) -> Tensor:
    """1 - cos(x1, x2) where the target is 1, max(0, cos - margin) where it is -1."""
    cosine = cosine_similarity(input1, input2, input1.ndim - 1, eps=1e-12)
    zero = cosine * 0
    losses = where(target.array == 1, 1 - cosine, zero) + where(
        target.array == -1, (cosine - margin).clamp(min=0), zero
    )
    return reduced(losses, reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """max(0, d(a, p) - d(a, n) + margin) for distances d; `swap` takes the smaller of d(a, n) and d(p, n)."""
    if margin <= 0:
        raise ValueError(f"triplet_margin_loss: margin is {margin}, expected a number above 0")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise ValueError(
            f"triplet_margin_loss: shapes {anchor.shape}, {positive.shape} and {negative.shape}; "
            "expected as many axes in all"
        )
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = far.minimum(pairwise_distance(positive, negative, p, eps))
    return reduced((pairwise_distance(anchor, positive, p, eps) - far + margin).clamp(min=0), reduction)
