"""Gradients by name, operations of one's own, hooks, and a second walk along the same graph: as PyTorch's."""

import numpy as np
import pytest
import torch

import handmade
from handmade import tensor
from handmade.engine import gradients


def both(function, *arrays):
    """Assert that `function(library, autograd, *tensors)` gives the same numbers in both libraries."""
    ours = function(handmade, gradients, *(tensor(x, requires_grad=True) for x in arrays))
    theirs = function(torch, torch.autograd, *(torch.tensor(x, requires_grad=True) for x in arrays))
    assert len(ours) == len(theirs) > 0
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine.numpy(), other.numpy())


def test_gradients_by_name(rng):
    x, y = rng.standard_normal((2, 3))

    def asked(library, autograd, x, y):
        first = autograd.grad((x * x * y).sum(), [x, y])
        weighted = autograd.grad([x * y, x.exp()], x, [y.detach(), x.detach()])
        assert x.grad is None
        return *first, *weighted

    both(asked, x, y)


def test_inputs_that_do_not_matter():
    x, y = tensor([1.0], requires_grad=True), tensor([1.0], requires_grad=True)
    assert gradients.grad(x.sum(), [x, y], allow_unused=True)[1] is None
    with pytest.raises(RuntimeError, match="allow_unused=True gives None"):
        gradients.grad(x.sum(), y)
    with pytest.raises(NotImplementedError, match="create_graph"):
        x.sum().backward(create_graph=True)
    with pytest.raises(RuntimeError, match="ask for it before"):
        gradients.grad(x.sum(), tensor([1.0]))


def test_a_graph_that_is_kept_is_walked_twice(rng):
    def twice(library, autograd, x):
        y = (x.tanh() * x.exp()).sum()
        y.backward(retain_graph=True)
        y.backward()
        return [x.grad]

    both(twice, rng.standard_normal(4))


def test_hooks_see_and_replace_gradients(rng):
    def hooked(library, autograd, x):
        seen = []
        y = x * 3
        y.register_hook(lambda g: g * 2)
        removed = y.register_hook(lambda g: g * 100)
        removed.remove()
        x.register_hook(lambda g: seen.append(g.clone()))
        (y * y).sum().backward()
        return [x.grad, *seen]

    both(hooked, rng.standard_normal(4))


def test_an_operation_of_ones_own(rng):
    def own(library, autograd, x, y):
        class Scaled(autograd.Function):
            @staticmethod
            def forward(ctx, x, factor, y):
                ctx.save_for_backward(x, y)
                ctx.factor = factor
                return x * y * factor

            @staticmethod
            def backward(ctx, g):
                x, y = ctx.saved_tensors
                return g * y * ctx.factor, None, g * x * ctx.factor

        (Scaled.apply(x, 3.0, y) ** 2).sum().backward()
        return x.grad, y.grad

    both(own, rng.standard_normal(3), rng.standard_normal(3))


def test_a_decoders_outputs_are_collected_by_assignment(rng):
    """outputs[t] = y, and reading outputs[t] in between, as sequence-to-sequence tutorials do."""

    def decoded(library, autograd, w):
        outputs = library.zeros(3, 2, dtype=w.dtype)
        previous = w.detach()
        for t in range(3):
            outputs[t] = (w * previous).tanh()
            _, best = outputs[t].topk(1)
            previous = w.detach() + best.detach()
        (outputs * outputs).sum().backward()
        return outputs.detach(), w.grad

    both(decoded, rng.standard_normal(2))
    x = tensor(rng.standard_normal((2, 2)), requires_grad=True)
    y = x * 1
    row = y[0]
    with pytest.raises(RuntimeError, match="shares memory with another"):
        y[1] = row


def test_in_place_methods_on_and_off_the_tape(rng):
    def changed(library, autograd, x, w):
        y = x * 2
        y.masked_fill_(y > 0.5, 0.25).clamp_(min=-0.3).add_(w, alpha=2).exp_()
        z = library.zeros(2, 3, dtype=x.dtype)
        z.scatter_(1, library.tensor([[2], [0]]), w.reshape(3)[:2].reshape(2, 1))
        (y.sum() + (z * z).sum()).backward()
        return y.detach(), z.detach(), x.grad, w.grad

    both(changed, rng.standard_normal(3), rng.standard_normal(3))
    with pytest.raises(TypeError, match="which a tensor of int64 cannot hold"):
        tensor([1, 2]).div_(2)
    with pytest.raises(ValueError, match=r"the result has shape \(2, 2\), the tensor \(2,\)"):
        tensor([1.0, 2.0]).add_(tensor([[1.0], [2.0]]))
