"""One layer, here and in PyTorch, with the same random weights: values, all gradients, and the buffers afterwards."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from parity import assert_close

import handmade
from handmade import nn

DTYPES = ("float64", "float32")


def check_layer(make: Callable[[Any], Any], *inputs: np.ndarray, training: bool = True) -> None:
    """`make(nn)` builds the layer from either library's nn; float inputs get gradients."""
    for dtype in DTYPES:
        theirs, ours = make(torch.nn).to(getattr(torch, dtype)), make(nn).to(getattr(handmade, dtype))
        ours.load_state_dict(randomised(theirs))
        theirs.train(training)
        ours.train(training)
        arrays = [x.astype(dtype) if x.dtype.kind == "f" else x for x in inputs]
        our_inputs = [handmade.tensor(x, requires_grad=x.dtype.kind == "f") for x in arrays]
        their_inputs = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in arrays]
        value, expected = ours(*our_inputs), theirs(*their_inputs)
        assert_close(value.numpy(), expected.detach().numpy(), "value")
        cotangent = np.random.default_rng(1).standard_normal(value.shape).astype(dtype)
        value.backward(cotangent)
        expected.backward(torch.tensor(cotangent))
        for i, (mine, other) in enumerate(zip(our_inputs, their_inputs, strict=True)):
            if other.grad is not None:
                assert_close(mine.grad.numpy(), other.grad.numpy(), f"gradient of input {i}")
        gradients = {name: parameter.grad for name, parameter in ours.named_parameters()}
        assert list(gradients) == [name for name, _ in theirs.named_parameters()]
        for name, parameter in theirs.named_parameters():
            assert_close(gradients[name].numpy(), parameter.grad.numpy(), f"gradient of {name}")
        for name, buffer in theirs.named_buffers():
            assert_close(getattr(ours, name).numpy(), buffer.numpy(), name)


def randomised(module: torch.nn.Module) -> dict[str, np.ndarray]:
    """Random numbers, positive where they are variances, put into all of PyTorch's module; returns its state."""
    rng = np.random.default_rng(0)
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point():
            values = rng.standard_normal(tuple(tensor.shape))
            tensor.copy_(torch.tensor(np.abs(values) + 0.5 if "var" in name else values))
    return {name: tensor.numpy().copy() for name, tensor in module.state_dict().items()}
