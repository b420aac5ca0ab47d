"""Losses; `reduction` is "mean", "sum" or "none". N samples, C classes."""

from __future__ import annotations

from collections.abc import Sequence

from handmade.engine import Tensor
from handmade.nn.functional.arguments import constant, run
from handmade.nn.functional.distances import reduced, weighted
from handmade.ops import ctc, losses


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-log softmax(input) at the target's class; input holds logits (C,), (N, C) or (N, C, ...).

    target holds class indices in the shape of input without C, or probabilities in the shape of input (constant).
    weight (C,) weights the classes, targets equal to `ignore_index` do not count, and label_smoothing mixes the target
    with the uniform distribution. The mean is weighted by the class weights, over the targets that count.

    >>> from handmade import tensor, zeros
    >>> from handmade.nn import functional as F
    >>> round(F.cross_entropy(zeros(2, 10), tensor([3, 7])).item(), 4)  # knowing nothing costs log 10
    2.3026
    """
    if target.is_floating_point() and target.requires_grad:
        return _of_learned_probabilities(input, target, weight, reduction, label_smoothing)
    if ignore_index != -100 and target.is_floating_point():
        raise ValueError(
            f"cross_entropy: ignore_index={ignore_index} needs class indices, but target holds probabilities"
        )
    return run(
        losses.cross_entropy,
        input,
        targets=constant("cross_entropy", "target", target, input),
        weight=constant("cross_entropy", "weight", weight, input),
        ignore_index=ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )


def _of_learned_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, label_smoothing: float
) -> Tensor:
    """cross_entropy whose target, probabilities in the shape of input, gets a gradient too."""
    if target.shape != input.shape:
        raise ValueError(f"cross_entropy: probabilities have shape {target.shape}, the logits {input.shape}")
    classes = min(1, input.ndim - 1)
    target = target * (1 - label_smoothing) + label_smoothing / input.shape[classes]
    scores = target * input.log_softmax(classes)
    if weight is not None:
        scores = scores * weight.reshape(-1, *[1] * (input.ndim - classes - 1))
    losses = -scores.sum(classes)
    return losses.sum() / (losses.numel() or 1) if reduction == "mean" else reduced(losses, reduction)


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """-input at the target's class, where input holds log-probabilities; otherwise like cross_entropy."""
    weight = constant("nll_loss", "weight", weight, input)
    return run(losses.nll_loss, input, targets=target, weight=weight, ignore_index=ignore_index, reduction=reduction)


def mse_loss(input: Tensor, target: Tensor, reduction: str = "mean", weight: Tensor | None = None) -> Tensor:
    """(input - target)^2, of equal shapes; `weight` multiplies each, and the mean is weighted by it."""
    if weight is None:
        return run(losses.mse_loss, input, target, reduction=reduction)
    return weighted(run(losses.mse_loss, input, target, reduction="none"), weight, reduction)


def l1_loss(input: Tensor, target: Tensor, reduction: str = "mean", weight: Tensor | None = None) -> Tensor:
    """|input - target|, of equal shapes; `weight` as for mse_loss."""
    if weight is None:
        return run(losses.l1_loss, input, target, reduction=reduction)
    return weighted(run(losses.l1_loss, input, target, reduction="none"), weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """-(p t log σ(x) + (1 - t) log(1 - σ(x))) for logits x and targets t from 0 to 1, where p is pos_weight."""
    return run(
        losses.binary_cross_entropy_with_logits,
        input,
        target,
        weight=constant("binary_cross_entropy_with_logits", "weight", weight, input),
        pos_weight=constant("binary_cross_entropy_with_logits", "pos_weight", pos_weight, input),
        reduction=reduction,
    )


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor | Sequence[int],
    target_lengths: Tensor | Sequence[int],
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """-log p(targets | log_probs), for targets whose order is known but not their positions (Graves et al. 2006).

    log_probs (T, N, C) or (T, C) from log_softmax; targets (N, S) padded, or concatenated; lengths (N,). If a target
    does not fit into its input, the loss is infinite, or 0 with zero_infinity. The mean divides each loss by the length
    of its target first.
    """
    return run(
        ctc.ctc_loss,
        log_probs,
        targets=targets,
        input_lengths=input_lengths,
        target_lengths=target_lengths,
        blank=blank,
        reduction=reduction,
        zero_infinity=zero_infinity,
    )
