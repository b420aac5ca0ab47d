"""A network and its twin under PyTorch, compared."""

import numpy as np
import torch

import handmade
from handmade import nn

TOLERANCE = 1e-10
"""In float64, of the largest number: the two differ by the order of their sums only."""


def twin(x):
    return torch.from_numpy(np.array(x.array if isinstance(x, handmade.Tensor) else x))


def parts(output) -> list:
    """The tensors of an output, which may be a tuple of several."""
    if isinstance(output, tuple):
        return [part for each in output for part in parts(each)]
    return [] if output is None else [output]


def close(what: str, ours: np.ndarray, theirs: np.ndarray, scale: float = 0.0) -> None:
    assert ours.shape == theirs.shape, what
    assert np.isfinite(ours).all(), what
    difference, largest = np.abs(ours - theirs).max(initial=0), max(np.abs(ours).max(initial=0), scale)
    assert difference <= TOLERANCE * largest, f"{what}: they differ by {difference}, of {largest}"


def assert_same(model: nn.Module, theirs: torch.nn.Module, *inputs) -> None:
    """Outputs, gradients along random cotangents, and buffers after it."""
    ours, others = parts(model(*inputs)), parts(theirs(*map(twin, inputs)))
    assert len(ours) == len(others) > 0
    rng = np.random.default_rng(1)
    for output, other in zip(ours, others, strict=True):
        assert output.array.any()
        close("output", output.array, other.detach().numpy())
        cotangent = rng.standard_normal(output.shape)
        output.backward(cotangent, retain_graph=True)
        other.backward(torch.from_numpy(cotangent), retain_graph=True)
    assert {name for name, _ in model.named_parameters()} == {name for name, _ in theirs.named_parameters()}
    gradients = {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}
    # a gradient that is zero in theory (of a bias under a softmax) is what others leave by rounding
    scale = 1e-3 * max(np.abs(gradient.array).max() for gradient in gradients.values())
    for name, parameter in theirs.named_parameters():
        assert (parameter.grad is not None) == (name in gradients), name
        if name in gradients:
            close(name, gradients[name].array, parameter.grad.numpy(), scale)
    for (name, buffer), (_, other) in zip(model.named_buffers(), theirs.named_buffers(), strict=False):
        close(name, buffer.array, other.numpy())


def described(model) -> list[tuple]:
    """Name, shape and dtype of everything in the state, in order."""
    state = model.state_dict().items()
    return [(name, tuple(x.shape), str(x.dtype).removeprefix("torch.")) for name, x in state]
