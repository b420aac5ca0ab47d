"""The CTC loss (Graves et al. 2006): for sequences of labels whose positions in the input are not known."""

import numpy as np

from handmade.kernels.ctc import ctc_posterior
from handmade.ops.op import op


@op
def ctc_loss(log_probs, *, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False):
    """−log of the total probability of all paths that give `targets` once repeats are merged and blanks removed.

    log_probs (T, N, C) are log-probabilities (from log_softmax), or (T, C) for one sequence; targets (N, S)
    padded, or all labels concatenated (sum of target_lengths,); lengths (N,). The reduction "mean" divides
    each loss by its target length, then averages; "sum" adds them; "none" gives (N,). If the input is too
    short for any path, the loss is infinite, or 0 with `zero_infinity` and then without a gradient.

    The gradient by log_probs is that of the formula, −p(class at step t | targets). PyTorch's has exp(log_probs)
    added; after log_softmax both give the logits the same gradient, softmax − p.
    """
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"ctc_loss: reduction must be 'none', 'mean' or 'sum', got {reduction!r}")
    if log_probs.ndim not in (2, 3) or 0 in log_probs.shape:
        raise ValueError(f"ctc_loss: log_probs must be (T, N, C) or (T, C), none of them 0, got {log_probs.shape}")
    batched = log_probs if log_probs.ndim == 3 else log_probs[:, None]
    steps, batch, classes = batched.shape
    input_lengths = _checked_lengths("input_lengths", input_lengths, batch, 0, steps)
    target_lengths = _checked_lengths("target_lengths", target_lengths, batch, 0, None)
    targets = _padded(np.asarray(targets), target_lengths, classes, blank)

    log_likelihood, posterior = ctc_posterior(batched, targets, input_lengths, target_lengths, blank)
    loss = -log_likelihood
    if zero_infinity:
        loss[np.isinf(loss)] = 0
    weight = np.ones(batch)
    if reduction == "mean":
        weight /= np.maximum(target_lengths, 1) * batch
    if reduction == "none":
        value = loss if log_probs.ndim == 3 else loss[0]
    else:
        value = loss @ weight

    def pullback(g):
        return (lambda: (posterior * -(g * weight)[:, None]).astype(log_probs.dtype).reshape(log_probs.shape),)

    return np.asarray(value, log_probs.dtype), pullback


def _checked_lengths(name, lengths, batch, least, most):
    lengths = np.atleast_1d(np.asarray(lengths))
    if lengths.shape != (batch,) or not np.issubdtype(lengths.dtype, np.integer):
        raise ValueError(
            f"ctc_loss: {name} must be {batch} integers, one per sequence, got {lengths.dtype} {lengths.shape}"
        )
    if np.any(lengths < least) or (most is not None and np.any(lengths > most)):
        upper = "" if most is None else f" and at most {most}, the number of steps in log_probs"
        raise ValueError(f"ctc_loss: {name} must be at least {least}{upper}, got {lengths.tolist()}")
    return lengths


def _padded(targets, lengths, classes, blank):
    """The targets as (N, S), padded with the blank, every label checked."""
    if not 0 <= blank < classes:
        raise ValueError(f"ctc_loss: blank must be one of the {classes} classes, got {blank}")
    inside = np.arange(max(lengths.max(), targets.shape[1] if targets.ndim == 2 else 0)) < lengths[:, None]
    if targets.ndim == 2 and targets.shape != inside.shape:
        raise ValueError(
            f"ctc_loss: targets {targets.shape} must hold {len(lengths)} rows of at least {lengths.max()} labels"
        )
    if targets.ndim != 2 and targets.shape != (lengths.sum(),):
        raise ValueError(
            f"ctc_loss: targets must be (N, S) or (sum of target_lengths,) = ({lengths.sum()},), got {targets.shape}"
        )
    labels = targets[inside] if targets.ndim == 2 else targets
    for bad in labels[(labels < 0) | (labels >= classes) | (labels == blank)][:1]:
        raise ValueError(f"ctc_loss: targets must be classes below {classes} and not the blank {blank}, got {bad}")
    padded = np.full(inside.shape, blank)
    padded[inside] = labels
    return padded
