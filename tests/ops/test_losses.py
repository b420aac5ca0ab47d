import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from handmade.ops.losses import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    l1_loss,
    mse_loss,
    nll_loss,
)
from tests.support.against_torch import agrees_with_torch, run

few = settings(max_examples=30, deadline=None, derandomize=True)
F = torch.nn.functional
SIZE = st.integers(1, 5)
REDUCTIONS = ["mean", "sum", "none"]
REDUCTION = st.sampled_from(REDUCTIONS)


def in_torch(function, dtype, **options):
    """PyTorch's loss with options that may be arrays; float arrays are given in the input's type."""
    convert = lambda x: (
        torch.tensor(x, dtype=dtype if x.dtype.kind == "f" else None) if isinstance(x, np.ndarray) else x
    )
    return lambda *inputs: function(*inputs, **{name: convert(option) for name, option in options.items()})


def agree(ours, theirs, *inputs, **options):
    """As agrees_with_torch, with float options (class weights, probabilities) in the type of the inputs."""

    def operation(*arrays, **options):
        cast = {
            n: o.astype(arrays[0].dtype) if getattr(o, "dtype", np.dtype(int)).kind == "f" else o
            for n, o in options.items()
        }
        return ours(*arrays, **cast)

    def reference(*tensors):
        renamed = {"target" if name == "targets" else name: option for name, option in options.items()}
        return in_torch(theirs, tensors[0].dtype, **renamed)(*tensors)

    agrees_with_torch(operation, reference, *inputs, **options)


@few
@given(shape=st.lists(SIZE, max_size=3), reduction=REDUCTION)
def test_squared_and_absolute_errors(shape, reduction):
    rng = np.random.default_rng(0)
    input, target = rng.normal(size=(2, *shape))
    agree(mse_loss, F.mse_loss, input, target, reduction=reduction)
    agree(l1_loss, F.l1_loss, input, target, reduction=reduction)


def test_absolute_error_of_a_perfect_prediction_has_no_gradient():
    _, gradients, _ = run(l1_loss, [np.ones(3), np.ones(3)], {})
    assert not np.any(gradients)


@few
@given(
    shape=st.lists(SIZE, min_size=1, max_size=3), reduction=REDUCTION, weighted=st.booleans(), positive=st.booleans()
)
def test_binary_cross_entropy(shape, reduction, weighted, positive):
    rng = np.random.default_rng(0)
    logits, target = rng.normal(0, 3, shape), rng.uniform(size=shape)
    options = {
        "reduction": reduction,
        "weight": rng.uniform(0.5, 2, shape[-1]) if weighted else None,
        "pos_weight": rng.uniform(0.5, 3, shape) if positive else None,
    }
    agree(binary_cross_entropy_with_logits, F.binary_cross_entropy_with_logits, logits, target, **options)


def test_binary_cross_entropy_of_large_logits():
    logits, target = np.array([1e4, -1e4, 1e4, -1e4, 0.0]), np.array([1.0, 0.0, 0.0, 1.0, 0.5])
    agree(binary_cross_entropy_with_logits, F.binary_cross_entropy_with_logits, logits, target, reduction="none")


def test_binary_cross_entropy_of_confident_predictions_keeps_its_digits_in_float32():
    logits = np.array([5, 12, 20, 40], np.float32)
    value, _ = binary_cross_entropy_with_logits(logits, np.ones(4, np.float32), reduction="none")
    np.testing.assert_allclose(value, np.log1p(np.exp(-logits.astype(np.float64))), rtol=1e-6)


@st.composite
def classification(draw):
    """Logits (N, C, ...) or (C,), class indices with some ignored, and the options of cross_entropy."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    classes = draw(st.integers(1, 6))
    outer = draw(st.one_of(st.just([]), st.lists(SIZE, min_size=1, max_size=3)))
    logits = rng.normal(0, 3, [*outer[:1], classes, *outer[1:]])
    targets = rng.integers(0, classes, outer)
    ignore_index = draw(st.sampled_from([-100, 255, 0]))
    if outer:
        targets[rng.random(targets.shape) < 0.3] = ignore_index
        targets.flat[0] = classes - 1  # not everything is ignored, unless that is class 0
    options = {"ignore_index": ignore_index, "reduction": draw(REDUCTION)}
    options["weight"] = rng.uniform(0.5, 2, classes) if draw(st.booleans()) else None
    return logits, targets, options


@few
@given(case=classification(), label_smoothing=st.sampled_from([0.0, 0.1, 1.0]))
def test_cross_entropy_of_class_indices(case, label_smoothing):
    logits, targets, options = case
    agree(cross_entropy, F.cross_entropy, logits, targets=targets, label_smoothing=label_smoothing, **options)


@few
@given(case=classification())
def test_nll_loss(case):
    logits, targets, options = case
    agree(nll_loss, F.nll_loss, -np.abs(logits), targets=targets, **options)


@few
@given(case=classification(), label_smoothing=st.sampled_from([0.0, 0.1, 1.0]))
def test_cross_entropy_of_probabilities(case, label_smoothing):
    logits, _, options = case
    options.pop("ignore_index")
    targets = np.random.default_rng(1).uniform(size=logits.shape)
    agree(cross_entropy, F.cross_entropy, logits, targets=targets, label_smoothing=label_smoothing, **options)


def test_cross_entropy_of_channels_last_images(rng):
    logits = np.moveaxis(rng.normal(size=(2, 4, 5, 3)), -1, 1)
    agree(cross_entropy, F.cross_entropy, logits, targets=rng.integers(0, 3, (2, 4, 5)), label_smoothing=0.2)


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_cross_entropy_of_large_logits(label_smoothing):
    logits = np.array([[1e4, -1e4, 0.0], [1e4, 9999.0, 9998.0], [-1e4, -1e4, -1e4 + 1]])
    options = {"targets": np.array([1, 1, 2]), "label_smoothing": label_smoothing, "reduction": "none"}
    agree(cross_entropy, F.cross_entropy, logits, **options)


def test_cross_entropy_with_classes_ruled_out():
    logits = np.array([[-np.inf, 1.0, 2.0], [0.0, -np.inf, -np.inf], [0.5, 1.0, -np.inf]])
    agree(cross_entropy, F.cross_entropy, logits, targets=np.array([1, 0, 0]))


def test_cross_entropy_does_not_look_at_ignored_rows():
    logits = np.array([[-np.inf, 1.0, 2.0], [0.0, 1.0, 2.0]])
    for label_smoothing in (0.0, 0.1):
        options = {"targets": np.array([-100, 2]), "label_smoothing": label_smoothing}
        value, (gradient,), _ = run(cross_entropy, [logits], options)
        alone, _ = cross_entropy(logits[1:], targets=np.array([2]), label_smoothing=label_smoothing)
        np.testing.assert_allclose(value, alone)
        assert not gradient[0].any()


@pytest.mark.parametrize("operation", [cross_entropy, nll_loss])
def test_the_mean_of_ignored_targets_alone_is_nan_without_gradient(operation, rng):
    value, (gradient,), _ = run(operation, [rng.normal(size=(3, 4))], {"targets": np.full(3, -100)})
    assert np.isnan(value)
    assert not gradient.any()
    assert operation(rng.normal(size=(3, 4)), targets=np.full(3, -100), reduction="sum")[0] == 0


@pytest.mark.parametrize("operation", [cross_entropy, nll_loss])
@pytest.mark.parametrize("bad", [5, -1])
def test_target_out_of_range(operation, bad):
    targets = np.array([[0, 1, 2], [4, bad, 9]])
    with pytest.raises(IndexError, match=rf"the target at \[1, 1\] is {bad}, but there are 5 classes: expected 0 to 4"):
        operation(np.ones((2, 5, 3)), targets=targets)


@pytest.mark.parametrize("operation", [cross_entropy, nll_loss])
def test_targets_of_another_shape(operation):
    with pytest.raises(ValueError, match=r"targets have shape \(3,\), expected \(2,\).*their 5 classes"):
        operation(np.ones((2, 5)), targets=np.zeros(3, int))


def test_probabilities_of_another_shape():
    with pytest.raises(
        ValueError, match=r"probabilities, expected in the shape of the logits, \(2, 5\); these have shape \(2,\)"
    ):
        cross_entropy(np.ones((2, 5)), targets=np.zeros(2))


def test_boolean_targets():
    with pytest.raises(TypeError, match="targets are bool, expected integer class indices"):
        cross_entropy(np.ones((2, 5)), targets=np.zeros(2, bool))


def test_logits_that_are_one_number():
    with pytest.raises(ValueError, match=r"expected shape \(C,\)"):
        cross_entropy(np.array(1.0), targets=np.array(0))


def test_class_weights_of_another_size():
    with pytest.raises(ValueError, match=r"weight has shape \(4,\), expected \(5,\)"):
        cross_entropy(np.ones((2, 5)), targets=np.zeros(2, int), weight=np.ones(4))


def test_options_of_another_float_type():
    logits, targets = np.ones((2, 5), np.float32), np.zeros(2, int)
    with pytest.raises(TypeError, match="weight is float64, the input float32"):
        cross_entropy(logits, targets=targets, weight=np.ones(5))
    with pytest.raises(TypeError, match="targets is float64, the input float32"):
        cross_entropy(logits, targets=np.ones((2, 5)))
    with pytest.raises(TypeError, match="pos_weight is float64, the input float32"):
        binary_cross_entropy_with_logits(logits, logits, pos_weight=np.ones(5))


def test_smoothing_out_of_range():
    with pytest.raises(ValueError, match=r"label_smoothing is 1.5, expected 0 to 1"):
        cross_entropy(np.ones((2, 5)), targets=np.zeros(2, int), label_smoothing=1.5)


@pytest.mark.parametrize("operation", [mse_loss, l1_loss, binary_cross_entropy_with_logits])
def test_shapes_that_merely_broadcast(operation):
    with pytest.raises(ValueError, match=r"input has shape \(3, 1\) and target \(3,\)"):
        operation(np.ones((3, 1)), np.ones(3))


def test_unknown_reduction():
    with pytest.raises(ValueError, match="reduction is 'average', expected 'mean', 'sum' or 'none'"):
        mse_loss(np.ones(3), np.ones(3), reduction="average")
