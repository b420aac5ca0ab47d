"""The CTC loss: parity with PyTorch, all paths counted, labellings no path fits, bad input."""

import itertools
import re

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from handmade import Tensor, gradcheck
from handmade.engine import apply
from handmade.ops.ctc import ctc_loss
from tests.support.against_torch import DTYPES, assert_close

T, N, C = 12, 5, 4
INPUT_LENGTHS, TARGET_LENGTHS = [12, 9, 12, 6, 1], [6, 3, 0, 2, 1]


def log_softmax(logits):
    return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)


def problem(rng, blank=0):
    labels = [c for c in range(C) if c != blank]
    return log_softmax(2 * rng.normal(size=(T, N, C))), rng.choice(labels, (N, 6))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("in_one_row", [False, True])
@pytest.mark.parametrize("blank", [0, 2])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_value_and_gradient_through_log_softmax_equal_pytorchs(rng, reduction, blank, in_one_row, dtype):
    logits = torch.tensor(2 * rng.normal(size=(T, N, C)).astype(dtype), requires_grad=True)
    _, targets = problem(rng, blank)
    if in_one_row:
        targets = np.concatenate([row[:length] for row, length in zip(targets, TARGET_LENGTHS, strict=True)])
    log_probs = logits.log_softmax(-1)
    expected = torch.nn.functional.ctc_loss(
        log_probs,
        torch.tensor(targets),
        torch.tensor(INPUT_LENGTHS),
        torch.tensor(TARGET_LENGTHS),
        blank,
        reduction,
    )
    g = rng.normal(size=expected.shape).astype(dtype)
    expected.backward(torch.tensor(g))

    value, pullback = ctc_loss(
        log_probs.detach().numpy(),
        targets=targets,
        input_lengths=INPUT_LENGTHS,
        target_lengths=TARGET_LENGTHS,
        blank=blank,
        reduction=reduction,
    )
    assert_close(value, expected.detach().numpy(), "value")
    gradient = pullback(g)[0]()
    by_logits = gradient - np.exp(log_probs.detach().numpy()) * gradient.sum(-1, keepdims=True)
    assert_close(by_logits, logits.grad.numpy(), "gradient of the logits")


def test_gradient_equals_differences(rng):
    log_probs, targets = problem(rng)

    def loss(x):
        return apply(ctc_loss, x, targets=targets, input_lengths=INPUT_LENGTHS, target_lengths=TARGET_LENGTHS)

    assert gradcheck(loss, Tensor(log_probs, requires_grad=True))


@pytest.mark.parametrize("target", [(), (1,), (1, 2), (2, 2), (1, 2, 1)])
def test_loss_counts_every_path(rng, target):
    """The definition: all 3^5 paths, read with repeats merged, then blanks dropped. No batch axis."""
    log_probs = log_softmax(rng.normal(size=(5, 3)))
    probability = 0.0
    for path in itertools.product(range(3), repeat=5):
        if tuple(label for label, _ in itertools.groupby(path) if label != 0) == target:
            probability += np.exp(sum(log_probs[t, label] for t, label in enumerate(path)))
    value, pullback = ctc_loss(
        log_probs,
        targets=np.array(target, int),
        input_lengths=5,
        target_lengths=len(target),
        reduction="none",
    )
    np.testing.assert_allclose(value, -np.log(probability), rtol=1e-12)
    assert pullback(np.array(1.3))[0]().shape == (5, 3)


@pytest.mark.parametrize("zero_infinity", [False, True])
def test_a_labelling_that_no_path_fits(rng, zero_infinity):
    """1 1 1 needs five steps, a blank between each two; the other sequence is not touched by it."""
    log_probs, targets = log_softmax(rng.normal(size=(4, 2, 3))), np.array([[1, 1, 1], [1, 2, 1]])
    options = {"input_lengths": [4, 4], "reduction": "none", "zero_infinity": zero_infinity}
    value, pullback = ctc_loss(log_probs, targets=targets, target_lengths=[3, 3], **options)
    assert value[0] == (0 if zero_infinity else np.inf)
    assert np.isfinite(value[1])
    gradient = pullback(rng.normal(size=2))[0]()
    assert_array_equal(gradient[:, 0], 0)
    assert np.abs(gradient[:, 1]).min(axis=1).max() > 0


def test_impossible_classes_have_probability_zero(rng):
    """log_probs of −inf, as after a mask, give no NaN."""
    log_probs = log_softmax(rng.normal(size=(6, 1, 3)))
    log_probs[2:4, :, 1] = -np.inf
    value, pullback = ctc_loss(log_probs, targets=[[1, 2]], input_lengths=[6], target_lengths=[2])
    gradient = pullback(np.array(1.0))[0]()
    assert np.isfinite(value)
    assert_array_equal(gradient[2:4, 0, 1], 0)
    np.testing.assert_allclose(gradient.sum(axis=-1), -0.5, rtol=1e-12)  # each step's posterior sums to 1, divided by 2


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"targets": [[1, 0], [2, 1]]}, "targets must be classes below 3 and not the blank 0, got 0"),
        ({"targets": [[1, 3], [2, 1]]}, "targets must be classes below 3 and not the blank 0, got 3"),
        ({"targets": [[1], [2]]}, "targets (2, 1) must hold 2 rows of at least 2 labels"),
        ({"targets": [1, 2, 1]}, "targets must be (N, S) or (sum of target_lengths,) = (4,), got (3,)"),
        (
            {"input_lengths": [5, 4]},
            "input_lengths must be at least 0 and at most 4, the number of steps in log_probs, got [5, 4]",
        ),
        (
            {"input_lengths": [4, -1]},
            "input_lengths must be at least 0 and at most 4, the number of steps in log_probs, got [4, -1]",
        ),
        ({"input_lengths": [4]}, "input_lengths must be 2 integers, one per sequence, got int64 (1,)"),
        ({"target_lengths": [2, -1]}, "target_lengths must be at least 0, got [2, -1]"),
        ({"target_lengths": [2.0, 1.0]}, "target_lengths must be 2 integers, one per sequence, got float64 (2,)"),
        ({"blank": 3}, "blank must be one of the 3 classes, got 3"),
        ({"reduction": "max"}, "reduction must be 'none', 'mean' or 'sum', got 'max'"),
    ],
)
def test_bad_arguments(rng, changed, message):
    options = {"targets": [[1, 2], [2, 1]], "input_lengths": [4, 4], "target_lengths": [2, 2]} | changed
    with pytest.raises(ValueError, match=re.escape(message)):
        ctc_loss(log_softmax(rng.normal(size=(4, 2, 3))), **options)


def test_log_probs_of_a_wrong_shape():
    with pytest.raises(
        ValueError, match=re.escape("log_probs must be (T, N, C) or (T, C), none of them 0, got (0, 2, 3)")
    ):
        ctc_loss(np.zeros((0, 2, 3)), targets=[[1], [1]], input_lengths=[1, 1], target_lengths=[1, 1])
