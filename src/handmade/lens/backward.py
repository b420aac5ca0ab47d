"""How large the gradient of a loss is in each layer: whether the first layers of a network hear of it at all.

    Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010), section 4.2.3.

A step of gradient descent moves weights of norm ‖w‖ by the rate times ‖g‖, so ‖g‖ / ‖w‖ says how fast they change.
"""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Int64

import handmade.nn.functional as F
from handmade import draw
from handmade.draw import LayerGradient
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.lens.learning import gradient_norms_by_layer, layers_of
from handmade.models.bert import BertForMaskedLM
from handmade.models.char_lm import CharLM
from handmade.models.sequence_to_sequence import SequenceToSequence
from handmade.nn import Module
from handmade.nn.utils import evaluating

MOST = 24
"""Layers that a picture has room for."""

Loss = Callable[[], Tensor]


def gradients_by_layer(model: Module, loss: Loss, most: int = MOST) -> list[LayerGradient]:
    """The norms of the weights and of the loss's gradient in each layer, from the input on, for one batch.

    loss: computes it, a number, with the model. The model runs in evaluation mode, so that the same batch has the same
    gradients; the gradients that its parameters had before are put back.
    most: layers that are told apart, see `layers_of`.
    """
    before = [(parameter, parameter.grad) for parameter in model.parameters()]
    try:
        for parameter, _ in before:
            parameter.grad = None
        with evaluating(model):
            loss().backward()
        norms = gradient_norms_by_layer(model, most)
    finally:
        for parameter, gradient in before:
            parameter.grad = gradient
    weights = dict(model.named_parameters())
    return [
        LayerGradient(name, math.hypot(*(float(np.linalg.norm(weights[one].array)) for one in names)), norms[name])
        for name, names in layers_of(model, most).items()
    ]


def class_loss(model: Module, image: Tensor, class_number: int) -> Loss:
    """-log p(class) of an image, a batch of one."""
    return lambda: F.cross_entropy(model(image), Tensor(np.array([class_number])))


def text_loss(model: CharLM, tokens: Int64[np.ndarray, "T"]) -> Loss:
    """The mean of -log p(token | all before it). InputError for fewer than two tokens."""
    if len(tokens) < 2:
        raise InputError(f"the text has {len(tokens)} tokens, expected two at least: what follows the first?")

    def loss() -> Tensor:
        made = model(Tensor(tokens[None, :-1]), Tensor(tokens[None, 1:]))[1]
        assert made is not None
        return made

    return loss


def hidden_loss(model: BertForMaskedLM, tokens: Int64[np.ndarray, "T"], mask: int) -> Loss:
    """The mean of -log p(token | all others), each hidden in turn, but for the first and the last and for masks."""
    places = 1 + np.flatnonzero(tokens[1:-1] != mask)
    hidden, rows = np.tile(tokens, (len(places), 1)), np.arange(len(places))
    hidden[rows, places] = mask
    return lambda: F.cross_entropy(model(Tensor(hidden))[rows, places], Tensor(tokens[places]))


def translation_loss(model: SequenceToSequence, source: Int64[np.ndarray, "S"], target: Int64[np.ndarray, "T"]) -> Loss:
    """The mean of -log p(target token | those before it, the source)."""
    return lambda: F.cross_entropy(model(Tensor(source[None]), Tensor(target[None, :-1]))[0], Tensor(target[1:]))


def draw_gradients(path: Path, layers: list[LayerGradient], title: str, of: str) -> None:
    """Draw to `path` the norms, from the input at the top. of: whose loss it is."""
    draw.gradients(layers, title, of).save(path)
