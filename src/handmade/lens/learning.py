"""What can be seen of a network while it learns: how large the gradients are, layer by layer, and what guessing costs.

Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010), section 4.2.3,
read off gradients by layer what training will run into.
"""

import math

import numpy as np

from handmade.nn import Module

MOST_LAYERS = 12
"""Layers that are told apart; of a deeper network the parts that follow each other are taken together."""


def layers_of(model: Module, most: int = MOST_LAYERS) -> dict[str, list[str]]:
    """The layers that hold parameters, in the order of the model, each with the names of its parameters.

    A layer is the deepest part of which there are no more than `most`: the blocks of a GPT, or the convolutions of a
    LeNet. A parameter that two layers share is the first one's.
    """
    names = [name for name, _ in model.named_parameters()]
    depth = max((name.count(".") for name in names), default=0)
    for length in range(depth, 0, -1):
        layers: dict[str, list[str]] = {}
        for name in names:
            parts = name.split(".")
            layers.setdefault(".".join(parts[: min(length, len(parts) - 1)]) or name, []).append(name)
        if len(layers) <= most:
            return layers
    return {"": names}


def gradient_norms_by_layer(model: Module, most: int = MOST_LAYERS) -> dict[str, float]:
    """The Euclidean norm of each layer's gradients as they are now; 0 for a layer without any.

    The norm of all is the root of the sum of their squares.
    """
    parameters = dict(model.named_parameters())
    norms = {}
    for layer, names in layers_of(model, most).items():
        gradients = [parameters[name].grad for name in names]
        norms[layer] = math.sqrt(sum(_square_sum(gradient.array) for gradient in gradients if gradient is not None))
    return norms


def total_norm(norms: dict[str, float]) -> float:
    """The norm of all gradients together."""
    return math.sqrt(sum(norm**2 for norm in norms.values()))


def chance_loss(choices: int) -> float:
    """The cross-entropy of guessing all alike among so many choices, in nats: -log(1 / choices)."""
    return math.log(choices)


def thinned(steps: np.ndarray, values: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """A curve of at most `most` points: the means of pieces that are as long as each other, but for the last."""
    width = -(-len(steps) // most) if len(steps) else 1
    starts = np.arange(0, len(steps), width)
    if width == 1:
        return steps, values
    counts = np.diff(np.append(starts, len(steps)))
    return np.add.reduceat(steps, starts) / counts, np.add.reduceat(values, starts) / counts


def _square_sum(array: np.ndarray) -> float:
    flat = array.ravel()
    with np.errstate(over="ignore", invalid="ignore"):
        return float(flat @ flat)
