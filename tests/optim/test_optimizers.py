"""Every optimizer follows PyTorch's, step by step, and continues from its saved state."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from handmade import optim, tensor

CASES = {
    "sgd": ("SGD", {"lr": 0.1}),
    "sgd momentum": ("SGD", {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.01}),
    "sgd nesterov": ("SGD", {"lr": 0.01, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
    "adam": ("Adam", {"lr": 0.02}),
    "adam decay": ("Adam", {"lr": 0.02, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.1}),
    "adamw": ("AdamW", {"lr": 0.02}),
    "adamw decay": ("AdamW", {"lr": 0.02, "betas": (0.5, 0.9), "weight_decay": 0.3}),
}


def steps(x, optimizer, as_tensor, n):
    """n steps of descent on a quartic bowl; gradients change sign and scale on the way."""
    target = as_tensor(np.linspace(-2, 2, 6).reshape(2, 3))
    for _ in range(n):
        optimizer.zero_grad()
        ((x - target) ** 4).sum().backward()
        optimizer.step()


@pytest.mark.parametrize("name", CASES)
def test_follows_torch(name, rng):
    kind, options = CASES[name]
    start = rng.standard_normal((2, 3))
    x, y = tensor(start, requires_grad=True), torch.tensor(start, requires_grad=True)
    steps(x, getattr(optim, kind)([x], **options), tensor, 25)
    steps(y, getattr(torch.optim, kind)([y], **options), torch.tensor, 25)
    assert_allclose(x.numpy(), y.detach().numpy(), rtol=1e-10)


@pytest.mark.parametrize("name", CASES)
def test_continues_from_a_saved_state_bit_by_bit(name, rng):
    kind, options = CASES[name]
    x = tensor(rng.standard_normal((2, 3)), requires_grad=True)
    first = getattr(optim, kind)([x], **options)
    steps(x, first, tensor, 5)
    y = tensor(x, requires_grad=True)
    second = getattr(optim, kind)([y], lr=123.0)
    second.load_state_dict(first.state_dict())
    steps(x, first, tensor, 5)
    steps(y, second, tensor, 5)
    assert np.array_equal(x.numpy(), y.numpy())


def test_a_saved_state_does_not_change_afterwards(rng):
    x = tensor(rng.standard_normal((2, 3)), requires_grad=True)
    optimizer = optim.Adam([x])
    steps(x, optimizer, tensor, 1)
    saved = optimizer.state_dict()["state"][0]["exp_avg"].copy()
    state = optimizer.state_dict()
    steps(x, optimizer, tensor, 1)
    assert np.array_equal(state["state"][0]["exp_avg"], saved)


def test_groups_have_options_of_their_own():
    a, b = tensor([1.0], requires_grad=True), tensor([1.0], requires_grad=True)
    optimizer = optim.SGD([{"params": [a]}, {"params": b, "lr": 0.5}], lr=0.1)
    (a + b).backward()
    optimizer.step()
    assert_allclose([a.item(), b.item()], [0.9, 0.5])


def test_parameters_without_a_gradient_stay():
    a, b = tensor([1.0], requires_grad=True), tensor([1.0], requires_grad=True)
    a.sum().backward()
    optim.AdamW([a, b], weight_decay=0.5).step()
    assert b.item() == 1.0


def test_the_gradient_is_not_changed(rng):
    for kind, options in CASES.values():
        x = tensor(rng.standard_normal((2, 3)), requires_grad=True)
        (x * x).sum().backward()
        before = x.grad.numpy().copy()
        getattr(optim, kind)([x], **options).step()
        assert np.array_equal(x.grad.numpy(), before)


def test_step_between_forward_and_backward_is_found():
    x = tensor([1.0], requires_grad=True)
    (x * x).backward()
    loss = (x * x).sum()
    optim.SGD([x], lr=0.1).step()
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda x: optim.SGD([], lr=0.1), ValueError, "got no parameters"),
        (lambda x: optim.SGD([x, x], lr=0.1), ValueError, "given twice"),
        (lambda x: optim.SGD([x * 2], lr=0.1), TypeError, "leaf tensors"),
        (lambda x: optim.SGD([x], lr=-1.0), ValueError, "lr is -1.0"),
        (lambda x: optim.SGD([x], lr=0.1, nesterov=True), ValueError, "needs momentum > 0"),
        (lambda x: optim.Adam([x], betas=(0.9, 1.0)), ValueError, r"betas are \(0.9, 1.0\)"),
        (lambda x: optim.Adam([{"params": [x], "momentum": 1}]), ValueError, r"unknown options \['momentum'\]"),
    ],
)
def test_bad_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make(tensor([1.0], requires_grad=True))


def test_state_of_another_model_is_refused():
    a, b = tensor([1.0], requires_grad=True), tensor([1.0, 2.0], requires_grad=True)
    a.sum().backward()
    optimizer = optim.Adam([a])
    optimizer.step()
    with pytest.raises(ValueError, match=r"exp_avg of parameter 0 has shape \(1,\), the parameter \(2,\)"):
        optim.Adam([b]).load_state_dict(optimizer.state_dict())
    with pytest.raises(ValueError, match=r"groups of \[1\] parameters, this optimizer has groups of \[2\]"):
        optim.Adam([a, b]).load_state_dict(optimizer.state_dict())


@pytest.mark.parametrize("max_norm", [0.5, 100.0])
def test_clip_grad_norm(max_norm, rng):
    ours = [tensor(rng.standard_normal(shape), requires_grad=True) for shape in [(3,), (2, 4), (1,)]]
    theirs = [torch.tensor(x.numpy().copy(), requires_grad=True) for x in ours]
    for x in ours[:2] + theirs[:2]:
        (x**3).sum().backward()
    norm = optim.clip_grad_norm_(ours, max_norm)
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm)
    assert norm.item() == pytest.approx(expected.item(), rel=1e-6)
    for x, y in zip(ours[:2], theirs[:2], strict=True):
        assert_allclose(x.grad.numpy(), y.grad.numpy(), rtol=1e-10)
    assert ours[2].grad is None


def changed(tree, path, value):
    """A copy of a state with another value at `path`; without the entry where the value is GONE."""
    key, *rest = path
    copy = dict(tree) if isinstance(tree, dict) else list(tree)
    if rest:
        copy[key] = changed(tree[key], rest, value)
    elif value is GONE:
        del copy[key]
    else:
        copy[key] = value
    return copy


GONE = object()
ADAM, BUFFER = ("state", 0, "exp_avg"), ("state", 0, "momentum_buffer")


@pytest.mark.parametrize(
    ("kind", "path", "value", "message"),
    [
        ("Adam", ("state",), GONE, "state_dict has no state"),
        ("Adam", ("param_groups",), {}, r"param_groups is {}, expected a list, each an object"),
        ("Adam", ("param_groups", 0), 5, "param_groups is a list, expected a list, each an object"),
        ("Adam", ("param_groups", 0, "params"), GONE, "a group has no params"),
        ("Adam", ("param_groups", 0, "lr"), "x", "group 0: lr is 'x', expected something like 0.02"),
        ("Adam", ("param_groups", 0, "lr"), -0.5, "lr is -0.5; it must be from 0"),
        ("Adam", ("param_groups", 0, "lr"), float("nan"), "lr is nan"),
        ("Adam", ("param_groups", 0, "eps"), True, "eps is True"),
        ("Adam", ("param_groups", 0, "warp"), 1.0, "group 0 has 'warp'"),
        ("Adam", ("param_groups", 0, "betas"), [0.9], r"betas is \[0.9\], expected something like \(0.9, 0.999\)"),
        ("Adam", ("param_groups", 0, "betas"), [0.9, 1.5], r"betas are \(0.9, 1.5\)"),
        ("Adam", ("state", 7), {}, "7 is not the number of one of 1 parameters"),
        ("Adam", ("state", "x"), {}, "'x' is not the number of one of 1 parameters"),
        ("Adam", ("state", 0), [], "of parameter 0 there is list, expected step, exp_avg, exp_avg_sq"),
        ("Adam", ("state", 0, "exp_avg_sq"), GONE, "of parameter 0 there is step, exp_avg, expected step, exp_avg,"),
        ("Adam", ("state", 0, "momentum_buffer"), 1, "there is step, exp_avg, exp_avg_sq, momentum_buffer, e"),
        ("Adam", ("state", 0, "step"), -1, "step of parameter 0 is -1, expected a count"),
        ("Adam", ("state", 0, "step"), 10**400, "step of parameter 0 is 10+, expected a count"),
        ("Adam", ADAM, "array:x", "exp_avg of parameter 0 is str, expected an array of floats"),
        ("Adam", ADAM, np.zeros((2, 3), np.int32), "exp_avg of parameter 0 is int32, expected an array of floats"),
        ("Adam", ADAM, np.zeros(6), r"exp_avg of parameter 0 has shape \(6,\), the parameter \(2, 3\)"),
        ("SGD", BUFFER, np.zeros((3, 2)), r"momentum_buffer of parameter 0 has shape \(3, 2\), the parameter \(2, 3\)"),
        ("SGD", BUFFER, None, "momentum_buffer of parameter 0 is NoneType"),
        ("SGD", ("param_groups", 0, "nesterov"), 1, "nesterov is 1, expected something like False"),
    ],
)  # fmt: skip
def test_a_state_with_wrong_entries_is_refused_and_nothing_is_loaded(kind, path, value, message, rng):
    x = tensor(rng.standard_normal((2, 3)), requires_grad=True)
    optimizer = getattr(optim, kind)([x], lr=0.02, **({"momentum": 0.5} if kind == "SGD" else {}))
    steps(x, optimizer, tensor, 1)
    before, group = optimizer.state_dict(), dict(optimizer.param_groups[0])
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(changed(before, path, value))
    assert optimizer.param_groups[0] == group
    after = optimizer.state_dict()["state"][0]
    assert all(np.array_equal(after[name], before["state"][0][name]) for name in after)


def test_options_of_a_group_are_checked_as_those_of_all_are():
    with pytest.raises(ValueError, match="lr is -1"):
        optim.SGD([{"params": tensor([1.0], requires_grad=True), "lr": -1}], lr=0.1)
