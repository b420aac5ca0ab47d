"""The functions against PyTorch's: losses in all their options, attention, the arguments that layers do not pass."""

import contextlib
import inspect

import numpy as np
import pytest
import torch

import handmade
import handmade.nn.functional as F
from handmade import nn, tensor
from tests.support.against_torch import check_parity

REDUCTIONS = ("mean", "sum", "none")


def constant(library, x, like):
    """A tensor of either library, of the float type of `like`."""
    made = library.tensor(x)
    return made.to(like.dtype) if x.dtype.kind == "f" else made


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy_of_class_indices(reduction, smoothing, weighted, rng):
    targets = rng.integers(0, 5, (4, 3, 2))
    targets[1, 2] = 5  # any number may be the one to ignore
    weight = rng.uniform(0.5, 2, 5) if weighted else None

    def loss(library, x):
        w = None if weight is None else constant(library, weight, x)
        layer = library.nn.CrossEntropyLoss(w, ignore_index=5, reduction=reduction, label_smoothing=smoothing)
        return layer(x, library.tensor(targets))

    check_parity(loss, rng.standard_normal((4, 5, 3, 2)))


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_cross_entropy_of_probabilities(reduction, rng):
    targets, weight = rng.dirichlet(np.ones(5), 4), rng.uniform(0.5, 2, 5)

    def loss(library, x):
        targets_, weight_ = constant(library, targets, x), constant(library, weight, x)
        return library.nn.functional.cross_entropy(x, targets_, weight_, reduction=reduction, label_smoothing=0.1)

    check_parity(loss, rng.standard_normal((4, 5)))


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_nll_loss(reduction, rng):
    targets, weight = rng.integers(0, 5, (4, 3)), rng.uniform(0.5, 2, 5)
    targets[0, 1] = -100

    def loss(library, x):
        layer = library.nn.NLLLoss(constant(library, weight, x), reduction=reduction)
        return layer(library.nn.functional.log_softmax(x, 1), library.tensor(targets))

    check_parity(loss, rng.standard_normal((4, 5, 3)))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["MSELoss", "L1Loss"])
def test_distances(name, reduction, rng):
    def loss(library, x, y):
        return getattr(library.nn, name)(reduction=reduction)(x, y)

    check_parity(loss, rng.standard_normal((4, 3)), rng.standard_normal((4, 3)))


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_binary_cross_entropy_with_logits(reduction, rng):
    targets, weight, pos_weight = rng.random((4, 3)), rng.uniform(0.5, 2, (4, 1)), rng.uniform(0.5, 2, 3)

    def loss(library, x):
        weights = {"weight": constant(library, weight, x), "pos_weight": constant(library, pos_weight, x)}
        layer = library.nn.BCEWithLogitsLoss(reduction=reduction, **weights)
        return layer(x, constant(library, targets, x))

    check_parity(loss, 10 * rng.standard_normal((4, 3)))


def test_weights_of_losses_are_buffers_as_in_pytorch():
    weight = np.ones(3, np.float32)
    for name in ("CrossEntropyLoss", "NLLLoss", "BCEWithLogitsLoss"):
        ours, theirs = (getattr(library.nn, name)(library.tensor(weight)) for library in (handmade, torch))
        assert list(ours.state_dict()) == list(theirs.state_dict()) == ["weight"]
        assert not getattr(nn, name)().state_dict()
    assert nn.CrossEntropyLoss(tensor(weight)).double().weight.dtype == handmade.float64


@pytest.mark.parametrize("options", [{}, {"is_causal": True}, {"scale": 0.3}, {"mask": bool}, {"mask": float}])
def test_attention(options, rng):
    options = dict(options)
    kind = options.pop("mask", None)
    mask = {bool: rng.random((2, 1, 5, 7)) < 0.7, float: rng.standard_normal((5, 7)), None: None}[kind]
    if kind is bool:
        mask[..., 0] = True  # what a row without any True means has its own test

    def attention(library, query, key, value):
        given = {} if mask is None else {"attn_mask": constant(library, mask, query)}
        return library.nn.functional.scaled_dot_product_attention(query, key, value, **given, **options)

    query, key, value = (rng.standard_normal((2, 3, *shape)) for shape in ((5, 4), (7, 4), (7, 6)))
    check_parity(attention, query, key, value)


def test_a_query_that_may_look_nowhere_gets_zeros_and_gives_no_gradient(rng):
    query, key, value = (tensor(rng.standard_normal(shape), requires_grad=True) for shape in ((3, 4), (5, 4), (5, 2)))
    mask = tensor(np.array([[True] * 5, [False] * 5, [True, False] * 2 + [True]]))
    output = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    output.backward(rng.standard_normal(output.shape))
    assert not output.numpy()[1].any()
    assert not query.grad.numpy()[1].any()
    for x in (output, query.grad, key.grad, value.grad):
        assert np.isfinite(x.numpy()).all()
        assert x.numpy().any()


def test_attention_drops_weights(rng):
    query, key = (tensor(rng.standard_normal((20, n, 4)), dtype=handmade.float32) for n in (30, 40))
    value = handmade.eye(40)  # the output is then the weights themselves
    weights = F.scaled_dot_product_attention(query, key, value).numpy()
    dropped = F.scaled_dot_product_attention(query, key, value, dropout_p=0.25).numpy()
    kept = dropped != 0
    assert abs(kept.mean() - 0.75) < 0.01
    np.testing.assert_allclose(dropped[kept], weights[kept] / 0.75, rtol=1e-5)


def test_attention_takes_a_mask_or_is_causal():
    x = handmade.ones(2, 3)
    with pytest.raises(ValueError, match="pass attn_mask or is_causal=True, not both"):
        F.scaled_dot_product_attention(x, x, x, attn_mask=handmade.ones(2, 2).bool(), is_causal=True)


def test_attention_names_shapes_and_types_that_do_not_fit():
    x = handmade.ones(2, 3)
    with pytest.raises(ValueError, match=r"query \(2, 3\) and key \(2, 4\)"):
        F.scaled_dot_product_attention(x, handmade.ones(2, 4), x)
    with pytest.raises(TypeError, match=r"scaled_dot_product_attention: got int64 \(2, 3\)"):
        F.scaled_dot_product_attention(x, x, x.long())
    with pytest.raises(TypeError, match="mask is float64, expected bool .* or float32"):
        F.scaled_dot_product_attention(x, x, x, attn_mask=handmade.ones(2, 2).double())


def test_tensors_that_would_get_no_gradient_are_refused():
    x, weight = handmade.ones(2, 3), handmade.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"cross_entropy: weight requires a gradient.*weight\.detach\(\)"):
        F.cross_entropy(x, tensor([0, 1]), weight)
    pos_weight = handmade.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"pos_weight requires a gradient.*pos_weight\.detach\(\)"):
        F.binary_cross_entropy_with_logits(x, x, pos_weight=pos_weight)


BAD_LOSSES = {
    "shapes": (lambda x: F.mse_loss(x, handmade.ones(2)), ValueError, r"mse_loss.*\(2, 3\).*\(2,\)"),
    "whole numbers": (lambda x: F.l1_loss(x, x.long()), TypeError, r"l1_loss: got int64 \(2, 3\)"),
    "float types": (lambda x: F.mse_loss(x, x.double()), TypeError, "float32 and float64 meet"),
    "label": (lambda x: F.cross_entropy(x, tensor([0, 3])), IndexError, r"is 3, but there are 3 classes"),
    "labels": (lambda x: F.cross_entropy(x, tensor([0, 1, 2])), ValueError, r"\(3,\).*\(2,\)"),
    "probabilities": (lambda x: F.cross_entropy(x, tensor([0.0, 1.0])), ValueError, r"\(2, 3\).*\(2,\)"),
    "weight": (lambda x: F.nll_loss(x, tensor([0, 1]), handmade.ones(2)), ValueError, r"\(2,\).*\(3,\)"),
    "weight's type": (
        lambda x: F.cross_entropy(x, tensor([0, 1]), handmade.ones(3).double()),
        TypeError,
        "cross_entropy: weight is float64 and input float32",
    ),
    "reduction": (lambda x: F.mse_loss(x, x, reduction="max"), ValueError, "reduction is 'max'"),
}


@pytest.mark.parametrize("name", BAD_LOSSES)
def test_losses_name_what_does_not_fit(name):
    loss, error, message = BAD_LOSSES[name]
    with pytest.raises(error, match=message):
        loss(handmade.ones(2, 3))


def test_batch_norm_needs_running_statistics_outside_of_training():
    with pytest.raises(ValueError, match="running_mean is None; it is needed unless training=True"):
        F.batch_norm(handmade.ones(2, 3), None, None)


def test_functions_of_one_tensor(rng):
    functions = {
        "relu": lambda F, x: F.relu(x),
        "gelu": lambda F, x: F.gelu(x, approximate="tanh"),
        "silu": lambda F, x: F.silu(x),
        "tanh": lambda F, x: F.tanh(x),
        "sigmoid": lambda F, x: F.sigmoid(x),
        "softmax": lambda F, x: F.softmax(x, dim=0),
        "log_softmax": lambda F, x: F.log_softmax(x, dim=1),
        "pad": lambda F, x: F.pad(x, (1, 2, 0, 3), value=0.5),
        "pad, reflected": lambda F, x: F.pad(x, (1, 2), mode="reflect"),
        "max_pool2d": lambda F, x: F.max_pool2d(x[None, None], 2, stride=1),
        "max_pool2d, side by side": lambda F, x: F.max_pool2d(x[None, None], (2, 3)),
        "avg_pool2d": lambda F, x: F.avg_pool2d(x[None, None], (1, 2)),
        "dropout": lambda F, x: F.dropout(x, training=False) * 2,
    }
    for function in functions.values():
        check_parity(lambda library, x, f=function: f(library.nn.functional, x), rng.standard_normal((4, 5)))


def test_one_hot():
    assert F.one_hot(tensor([0, 2]), 4).tolist() == [[1, 0, 0, 0], [0, 0, 1, 0]]


def test_every_function_has_pytorchs_name_and_the_same_names_of_arguments():
    public = {name for name, value in vars(F).items() if inspect.isfunction(value) and not name.startswith("_")}
    assert len(public) > 25
    for name in sorted(public - {"projection", "recorded_attention"}):  # which PyTorch does not have
        ours, theirs = getattr(F, name), getattr(torch.nn.functional, name)
        with contextlib.suppress(ValueError):  # those written in C++ do not tell their arguments
            allowed = set(inspect.signature(theirs).parameters)
            assert "args" in allowed or set(inspect.signature(ours).parameters) - {"self"} <= allowed, name
