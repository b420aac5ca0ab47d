"""The zoo's figures are what the models do: each is built and run once, with its operations watched."""

import sys

import numpy as np
import pytest

import handmade
from handmade.cli.layers import layers
from handmade.models import ZOO
from handmade.models.card import Cost

MOVES = {"reshape", "permute", "expand", "getitem", "flip"}  # give other views of numbers that exist


class Watch:
    """Stands in for `apply`: counts the numbers computed, and follows how much of the image each of them sees."""

    def __init__(self, apply):
        self.apply = apply
        self.activations = 0
        self.seen = {}  # id of a tensor -> (the tensor, receptive field, step in pixels between neighbours)
        self.receptive_field = 1

    def __call__(self, operation, *inputs, **options):
        value = self.stand_in(operation, *inputs, **options)
        if operation.__name__ not in MOVES:
            self.activations += value.numel()
        fields = [self.seen.get(id(x), (None, 1, 1))[1:] for x in inputs if isinstance(x, handmade.Tensor)]
        field, step = max(fields, default=(1, 1))
        kernel = inputs[1].shape[2:] if operation.__name__ == "conv2d" else options.get("kernel_size")
        if kernel is not None:
            dilation = options.get("dilation", (1, 1))
            field += max((k - 1) * d for k, d in zip(kernel, dilation, strict=True)) * step
            step *= max(options["stride"])
            self.receptive_field = max(self.receptive_field, field)
        self.seen[id(value)] = (value, field, step)
        return value

    def stand_in(self, operation, *inputs, **options):
        """The operation's value; of the expensive two only its shape, filled with one zero."""
        x, weight = inputs[0], inputs[1] if len(inputs) > 1 else None
        if operation.__name__ == "linear":
            shape = (*x.shape[:-1], len(weight))
        elif operation.__name__ == "projection":
            shape = (*x.shape[:-1], weight.shape[1])
        elif operation.__name__ in ("layer_norm", "gelu_tanh", "scaled_dot_product_attention"):
            shape = x.shape
        elif operation.__name__ == "conv2d":
            padded = [n + 2 * p for n, p in zip(x.shape[2:], options["padding"], strict=True)]
            sides = zip(padded, weight.shape[2:], options["stride"], strict=True)
            shape = (len(x), len(weight), *((n - k) // s + 1 for n, k, s in sides))
        else:
            return self.apply(operation, *inputs, **options)
        return handmade.from_numpy(np.broadcast_to(np.float32(0), shape))


def measured(entry, monkeypatch) -> Cost:
    for name in ("uniform_", "normal_", "kaiming_uniform_", "kaiming_normal_", "trunc_normal_"):
        monkeypatch.setattr(
            handmade.nn.init,
            name,
            lambda parameter, *_, **__: parameter.data.fill_(0) if parameter.numel() < 10**6 else parameter,
        )
    model = entry.make()
    watch = Watch(handmade.engine.tensor.apply)
    for name in ("engine.tensor", "engine.functions", "nn.functional.arguments", "nn.functional.linear"):
        monkeypatch.setattr(sys.modules[f"handmade.{name}"], "apply", watch)
    image = len(entry.input_shape) > 1
    example = handmade.zeros(1, *entry.input_shape, dtype=handmade.float32 if image else handmade.int64)
    multiply_adds = sum(layer.multiply_adds for layer in layers(model, example))
    count = sum(p.numel() for p in model.parameters())
    assert count == entry.parameters
    return Cost(multiply_adds, watch.activations, watch.receptive_field if image else None)


@pytest.mark.parametrize("name", [name for name, card in ZOO.items() if card.cost])
def test_figures_of_the_cards(name, monkeypatch):
    assert measured(ZOO[name], monkeypatch) == ZOO[name].cost


def test_a_receptive_field_by_hand():
    # VGG-16 (Simonyan & Zisserman 2015): 13 convolutions 3x3 and five poolings 2x2 / 2
    field, step = 1, 1
    for convolutions in (2, 2, 3, 3, 3):
        field += 2 * step * convolutions + step
        step *= 2
    assert ZOO["vgg16"].cost.receptive_field == field == 212
    assert ZOO["lenet5"].cost.receptive_field == 32
