"""Losses: how far a prediction is from its target, one number per element, then their mean or sum.

`reduction` is "mean", "sum" or "none". Letters: N samples, C classes, R = N times the sizes of any further axes.
"""

import numpy as np

from handmade.kernels import cross_entropy as kernels
from handmade.ops.op import op


@op
def mse_loss(input, target, *, reduction="mean"):
    """(input - target)^2."""
    _check_same_shape("mse_loss", input, target)
    difference = input - target
    value, share = _reduce(np.square(difference), reduction)

    def pullback(g):
        gradient = 2 * share(g) * difference
        return gradient, lambda: -gradient

    return value, pullback


@op
def l1_loss(input, target, *, reduction="mean"):
    """|input - target|, with derivative 0 where they are equal."""
    _check_same_shape("l1_loss", input, target)
    difference = input - target
    value, share = _reduce(np.abs(difference), reduction)

    def pullback(g):
        gradient = share(g) * np.sign(difference)
        return gradient, lambda: -gradient

    return value, pullback


@op
def binary_cross_entropy_with_logits(input, target, *, weight=None, pos_weight=None, reduction="mean"):
    """-w (p t log σ(x) + (1 - t) log(1 - σ(x))) for logits x and targets t from 0 to 1; p is `pos_weight`.

    Computed from s = log(1 + e^-x): -log σ(x) = s and -log(1 - σ(x)) = x + s, so that no logit overflows.
    """
    _check_same_shape("binary_cross_entropy_with_logits", input, target)
    for argument, array in (("weight", weight), ("pos_weight", pos_weight)):
        if array is not None:
            _check_same_type("binary_cross_entropy_with_logits", argument, array, input)
    weight = 1 if weight is None else weight
    excess = 0 if pos_weight is None else pos_weight - 1  # p t + (1 - t) = 1 + (p - 1) t
    exponential = np.exp(-np.abs(input))
    one_more = 1 + exponential
    # log(1 + e), plus the digits of e that are lost in 1 + e: like np.log1p, but seven times faster.
    softplus = np.log(one_more) - ((one_more - 1) - exponential) / one_more + np.maximum(-input, 0)
    value, share = _reduce(weight * ((1 - target) * input + (1 + excess * target) * softplus), reduction)

    def pullback(g):
        g = share(g) * weight
        sigmoid_of_minus = np.exp(np.minimum(-input, 0)) / one_more
        return (
            g * (1 - target - (1 + excess * target) * sigmoid_of_minus),
            lambda: g * (excess * softplus - input),
        )

    return value, pullback


@op
def cross_entropy(logits, *, targets, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    """-sum_c q_c log softmax(logits)_c; logits (C,), (N, C) or (N, C, ...).

    targets are class indices, in the logits' shape without C, or probabilities (floats) in the logits' shape.
    q is one at the target's class, or the given probabilities; then mixed with the uniform distribution in the
    proportion `label_smoothing`, and multiplied by the class weights `weight` (C,). Rows whose target is
    `ignore_index` do not count. The mean divides by the sum of the targets' weights, or for probabilities by the
    number of rows, as in PyTorch.

    With p = softmax(logits), the gradient of a row's loss is p sum_c q_c - q.
    """
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing is {label_smoothing}, expected 0 to 1")
    rows, shape, restore = _class_rows("cross_entropy", logits)  # (R, C)
    weight = _class_weight("cross_entropy", weight, rows)
    with np.errstate(invalid="ignore"):  # a row of -inf alone is NaN, as in PyTorch
        if targets.dtype.kind == "f":
            q = _Probabilities(logits, targets, weight, label_smoothing)
        else:
            q = _Classes("cross_entropy", shape, targets, weight, ignore_index, label_smoothing)
        largest, total, level = kernels.row_sums(rows, q.uniform)
        losses = q.sum * np.log(total) - q.dot(rows, largest, level)  # -log p_c = log(total) - (x_c - largest)
    value, share = _reduce(losses.reshape(shape), reduction, q.count)

    def pullback(g):
        g = np.ascontiguousarray(np.broadcast_to(share(g), shape)).reshape(-1)
        gradient = kernels.row_gradients(rows, largest, g * q.sum / total, q.uniform, g * q.kept)
        q.subtract_peaks(gradient, g)
        return (restore(gradient),)

    return value, pullback


@op
def nll_loss(log_probs, *, targets, weight=None, ignore_index=-100, reduction="mean"):
    """-weight log_probs at the target's class; shapes, `weight`, `ignore_index` and mean as in cross_entropy."""
    rows, shape, restore = _class_rows("nll_loss", log_probs)
    weight = _class_weight("nll_loss", weight, rows)
    q = _Classes("nll_loss", shape, targets, weight, ignore_index, smoothing=0.0)
    value, share = _reduce(-q.dot(rows, 0, 0).reshape(shape), reduction, q.count)

    def pullback(g):
        gradient = np.zeros_like(rows)
        q.subtract_peaks(gradient, np.broadcast_to(share(g), shape).reshape(-1))
        return (restore(gradient),)

    return value, pullback


class _Classes:
    """The target distribution q (R, C) for class indices: zero except at one class per row, plus label smoothing."""

    def __init__(self, name, shape, targets, weight, ignore_index, smoothing):
        if targets.dtype.kind not in "iu":
            raise TypeError(f"{name}: targets are {targets.dtype}, expected integer class indices")
        if targets.shape != shape:
            raise ValueError(
                f"{name}: targets have shape {targets.shape}, expected {shape}, "
                f"the logits' shape without the axis of their {len(weight)} classes"
            )
        kept = targets != ignore_index
        outside = kept & ((targets < 0) | (targets >= len(weight)))
        if outside.any():
            place = tuple(int(i) for i in np.argwhere(outside)[0])
            raise IndexError(
                f"{name}: the target at {list(place)} is {targets[place]}, but there are {len(weight)} classes: "
                f"expected 0 to {len(weight) - 1}, or ignore_index {ignore_index}"
            )
        self.kept = kept.reshape(-1)
        self.classes = np.where(self.kept, targets.reshape(-1), 0)
        weights = weight[self.classes] * self.kept
        self.count = float(weights.sum())
        self.peak = (1 - smoothing) * weights  # (R,): q at the target's class
        self.uniform = smoothing / len(weight) * weight if smoothing else None  # (C,): q at every class
        self.sum = self.peak if self.uniform is None else self.peak + self.kept * self.uniform.sum()

    def dot(self, rows, largest, level):
        """sum_c q_c (rows_c - largest) for every row; `level` is that of the uniform part."""
        result = self.peak * np.where(self.kept, rows[np.arange(len(rows)), self.classes] - largest, 0)
        return result if self.uniform is None else result + np.where(self.kept, level, 0)

    def subtract_peaks(self, gradient, g):
        """gradient -= g (q - uniform), row by row, in place."""
        gradient[np.arange(len(gradient)), self.classes] -= g * self.peak


class _Probabilities:
    """The target distribution q (R, C), given as probabilities."""

    def __init__(self, logits, targets, weight, smoothing):
        if targets.shape != logits.shape:
            raise ValueError(
                f"cross_entropy: float targets are probabilities, expected in the shape of the logits, {logits.shape}; "
                f"these have shape {targets.shape}. Class indices are integers."
            )
        _check_same_type("cross_entropy", "targets", targets, logits)
        given, _, _ = _class_rows("cross_entropy", targets)
        self.q = ((1 - smoothing) * given + smoothing / len(weight)) * weight
        self.sum = self.q.sum(axis=1)
        self.count = float(len(given))
        self.kept, self.uniform = True, None  # all of q is in the peaks

    def dot(self, rows, largest, level):
        result = np.empty_like(largest)
        for block in kernels.blocks(rows):
            np.vecdot(self.q[block], rows[block] - largest[block, None], out=result[block])
        return result

    def subtract_peaks(self, gradient, g):
        for block in kernels.blocks(gradient):
            gradient[block] -= g[block, None] * self.q[block]


def _class_rows(name, logits):
    """(N, C, ...) as rows (R, C); the shape without C; and a function that turns rows back into that form."""
    if logits.ndim == 0:
        raise ValueError(f"{name}: logits are a single number, expected shape (C,), (N, C) or (N, C, ...)")
    moved = np.moveaxis(logits, min(1, logits.ndim - 1), -1)
    rows = np.ascontiguousarray(moved).reshape(-1, moved.shape[-1])
    return rows, moved.shape[:-1], lambda rows: np.moveaxis(rows.reshape(moved.shape), -1, min(1, logits.ndim - 1))


def _class_weight(name, weight, rows):
    """The weight of every class, (C,): ones if none are given."""
    classes = rows.shape[1]
    if weight is None:
        return np.ones(classes, rows.dtype)
    if weight.shape != (classes,):
        raise ValueError(f"{name}: weight has shape {weight.shape}, expected ({classes},): one for each class")
    _check_same_type(name, "weight", weight, rows)
    return weight


def _check_same_shape(name, input, target):
    """Raise ValueError unless the shapes are equal: (N, 1) and (N,) would broadcast to every pair."""
    if input.shape != target.shape:
        raise ValueError(f"{name}: input has shape {input.shape} and target {target.shape}; they must be the same")


def _check_same_type(name, argument, array, input):
    if array.dtype != input.dtype:
        raise TypeError(f"{name}: {argument} is {array.dtype}, the input {input.dtype}. Convert one of them.")


def _reduce(losses, reduction, count=None):
    """The reduced losses, and a function from their gradient to the gradient of each loss (which broadcasts)."""
    if reduction == "none":
        return losses, lambda g: g
    if reduction == "sum":
        return losses.sum(), lambda g: g
    if reduction == "mean":
        count = losses.size if count is None else count
        with np.errstate(invalid="ignore"):  # the mean of nothing is NaN, as in PyTorch, and its gradient zero
            return losses.sum() / losses.dtype.type(count), lambda g: g / (count or 1)
    raise ValueError(f"reduction is {reduction!r}, expected 'mean', 'sum' or 'none'")
