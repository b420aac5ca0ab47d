"""Every card of the zoo as a network small enough to be compared in float64: its own layers, fewer or narrower ones."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import handmade
from handmade import random
from handmade.models import ZOO
from handmade.models.bert import CONFIGURATIONS, BertModel, bert
from handmade.models.gpt import gpt
from handmade.nn import Linear, Module, Sequential, init

SIDES = {"inception_v3": 75, "alexnet": 64, "alexnet-paper": 99, "googlenet-paper": 64}
"""Sides of images that a network needs; for others 32 pixels are enough."""
EVALUATED = {name for name, card in ZOO.items() if card.classes == "imagenet" and "google" not in name}
"""At 32 pixels their last norms would see two numbers of a channel, and only enlarge what is rounded."""
EVALUATED |= {"vgg11-cifar", "mobilenet_v2-cifar", "googlenet-paper"}


class _Undrawn:
    """In place of the generator: one zero, which fills any shape."""

    def random(self, *_: object, **__: object) -> np.ndarray:
        return np.zeros(())

    standard_normal = normal = random


def small(name: str) -> Module:
    """The card's network in float64, without dropout, whose masks the two draw differently."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(random, "generator", _Undrawn)
        patch.setattr(init, "_fill", lambda tensor, values: tensor)
        with np.errstate(all="ignore"):  # of what the memory held
            model = _reduced(name)
    fill(model, np.random.default_rng(0))
    return without_dropout(model).train(name not in EVALUATED)


def _reduced(name: str) -> Module:
    card = ZOO[name]
    if card.build is bert:
        config = CONFIGURATIONS[dict(card.arguments).get("name", "minilm" if name == "minilm" else name)]
        return BertModel(replace(config, vocab_size=90, num_hidden_layers=1))
    if card.build is gpt and card.parameters > 10**6:
        return card.make(n_layer=1, vocab_size=90, block_size=16)
    if name in ("transformer-base", "transformer-big"):
        return card.make(num_layers=1, vocab_size=90)
    model = card.make()
    if name == "alexnet-paper":  # of 99 pixels 2x2 are left
        model.fc6, model.fc7, model.fc8 = Linear(256 * 2 * 2, 16), Linear(16, 16), Linear(16, 1000)
    for part, layers in list(vars(model).items()):
        if isinstance(layers, Sequential) and part == "classifier":
            _narrow(layers, 16)
        elif isinstance(layers, Sequential) and part.startswith("layer"):
            setattr(model, part, layers[:2])
    return model


def _narrow(layers: Sequential, width: int) -> None:
    """Fewer numbers between the layers of a classifier: in VGG they hold nine of ten weights."""
    places = [place for place, layer in enumerate(layers) if isinstance(layer, Linear)]
    for place in places:
        inputs = layers[place].in_features if place == places[0] else width
        layers[place] = Linear(inputs, layers[place].out_features if place == places[-1] else width)


def fill(model: Module, rng: np.random.Generator) -> None:
    """Numbers of the size that keeps signals as they are. They repeat: to draw millions takes seconds."""
    drawn = rng.standard_normal(65_537)
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        noise = np.resize(drawn, tensor.shape)
        if name.endswith(("running_var", "weight")) and tensor.ndim == 1:
            tensor.array = 1 + 0.1 * np.abs(noise)
        elif name.endswith("running_mean") or (tensor.ndim == 1 and tensor.requires_grad):
            tensor.array = 0.1 * noise
        elif tensor.requires_grad:
            tensor.array = noise / math.sqrt(max(tensor.numel() // len(tensor), 1))
        elif tensor.is_floating_point():
            tensor.array = tensor.array.astype(np.float64)


def without_dropout(model: Module) -> Module:
    for module in model.modules():
        for name in ("p", "dropout", "dropout_p"):
            if isinstance(vars(module).get(name), float):
                setattr(module, name, 0.0)
    return model


def example(name: str) -> tuple:
    """A batch of two for it. Some sources and clips are shorter than others."""
    card, rng = ZOO[name], np.random.default_rng(1)
    if card.input == "image":
        side = SIDES.get(name, 32)
        return (handmade.tensor(rng.standard_normal((2, card.input_shape[0], side, side))),)
    if card.input == "tokens":
        return (handmade.tensor(rng.integers(4, 27, (2, 11))),)
    if card.input == "pair":
        source, target = rng.integers(4, 28, (2, 9)), rng.integers(4, 28, (2, 7))
        source[1, 6:] = 0
        return handmade.tensor(source), handmade.tensor(target)
    features = handmade.tensor(rng.standard_normal((2, 21, card.input_shape[1])))
    return (features, np.array([21, 13])) if card.input == "clip" else (features,)


LEARNERS = """
from handmade import nn
from handmade.nn import functional as F
import handmade
import math

SCALE = handmade.tensor([[0.5, 2.0]])


def squash(x):
    return 1.7159 * (x * (2 / 3)).tanh()


class Gate(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(handmade.randn(size, size))
        self.mask = handmade.ones(size, size).tril()

    def forward(self, x):
        gate = F.linear(x, self.weight * self.mask).sigmoid()
        return handmade.where(gate > 0.5, gate * x, 0.1 * x)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.gate = nn.Linear(6, 8), Gate(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.activation = squash
        self.last = nn.Linear(8, 2)
        self.last.weight = nn.Parameter(handmade.randn(2, 8))

    def forward(self, x):
        x = self.gate(self.activation(self.first(x)))
        x = x + self.attention(x, x, x, is_causal=True)[0] / math.sqrt(2)
        return handmade.cat([self.last(x), self.last(x.flip(1))], dim=1) * SCALE.to(x.dtype)
"""
