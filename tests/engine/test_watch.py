"""Watching: every operation that runs is told, with its inputs, options, result and module; to nobody else."""

import threading
import weakref

import numpy as np
import pytest

import handmade
from handmade import nn
from handmade.engine import Tensor, apply, op, watching
from handmade.engine.watch import here


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return 2 * self.inner(x)


def test_each_operation_in_order_with_what_it_got_and_gave():
    model, x = Scaled(), handmade.randn(4, 3)
    with watching() as calls:
        y = model(x)
    assert [call.name for call in calls] == ["linear", "mul"]
    linear, mul = calls
    assert linear.inputs == (x, model.inner.weight, model.inner.bias)
    assert mul.inputs == (2, linear.result)
    assert mul.result is y
    assert linear.module is model.inner
    assert mul.module is model


def test_options_come_as_arrays(rng):
    index = handmade.tensor([[0, 1], [1, 0]])
    with watching() as calls:
        handmade.randn(2, 2).gather(1, index)
    (call,) = calls
    assert call.module is None
    assert call.options["dim"] == 1
    assert call.options["index"] is index.array


def test_gradients_are_the_same_and_operations_of_one_s_own_are_told():
    @op
    def cube(x):
        return x**3, lambda g: (3 * x * x * g,)

    x = handmade.randn(5, requires_grad=True)
    with watching() as calls:
        apply(cube, x).sum().backward()
    assert [call.name for call in calls] == ["cube", "sum"]
    np.testing.assert_allclose(x.grad.numpy(), 3 * x.numpy() ** 2, rtol=1e-6)


def test_an_operation_that_fails_is_not_told_and_ends_nothing():
    model = Scaled()
    with watching() as calls:
        with pytest.raises(ValueError, match="linear"):
            model(handmade.randn(4, 5))
        handmade.ones(2).exp()
    assert [(call.name, call.module) for call in calls] == [("exp", None)]
    assert here.watchers == ()
    assert here.modules == ()


def test_nested_watchers_are_all_told_and_a_function_is_told_at_once():
    told = []
    with watching() as outer:
        handmade.ones(2).exp()
        with watching(told.append) as inner:
            handmade.ones(2).log()
            assert [call.name for call in told] == ["log"]
        handmade.ones(2).sin()
    assert [call.name for call in outer] == ["exp", "log", "sin"]
    assert inner == []


def test_another_thread_is_not_watched():
    with watching() as calls:
        thread = threading.Thread(target=lambda: handmade.ones(2).exp())
        thread.start()
        thread.join()
    assert calls == []


def test_nothing_is_kept_when_nobody_watches():
    model = Scaled()
    with watching():
        model(handmade.randn(1, 3))
    x = handmade.randn(1, 3)
    gone = weakref.ref(x)
    y = model(x).detach()
    del x
    assert gone() is None
    assert y.shape == (1, 2)
