"""What a model is made of, found by running it once on an example and looking at what each layer gives."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import handmade
from handmade import nn
from handmade.models import lenet
from handmade.models.gpt import Conv1D, Unembedding


@dataclass(frozen=True)
class Layer:
    """A layer as it ran.

    name: its path in the model. shape: of its output for one example, without the batch axis.
    multiply_adds: products of an input with a weight, for one example. As usual in the literature, sums without
        products (pooling), element-wise functions and norms do not count.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int


def layers(model: nn.Module, *example: Any) -> list[Layer]:
    """The modules of `model` that have no parts, or parameters of their own, in the order in which they finish.

    example: a batch of one, as the model is called with it. The model is run in evaluation mode and left as it was.
    """
    found: list[Layer] = []
    counted: set[int] = set()  # a parameter that is used twice is one parameter

    def look(name: str, module: nn.Module, inputs: tuple, output: Any) -> None:
        output = output[0] if isinstance(output, tuple) else output
        new = [parameter for parameter in module.parameters(recurse=False) if id(parameter) not in counted]
        counted.update(map(id, new))
        parameters = sum(parameter.numel() for parameter in new)
        count = multiply_adds(module, inputs[0].shape, output.shape)
        found.append(Layer(name, type(module).__name__, output.shape[1:], parameters, count))

    handles = [
        module.register_forward_hook(partial(look, name))
        for name, module in model.named_modules()
        if not list(module.children()) or list(module.parameters(recurse=False))
    ]
    training = model.training
    try:
        with handmade.no_grad():
            model.eval()(*example)
    finally:
        model.train(training)
        for handle in handles:
            handle.remove()
    return found


def multiply_adds(module: nn.Module, given: tuple[int, ...], made: tuple[int, ...]) -> int:
    """How many products `module` takes from an input of shape `given` to an output of shape `made`."""
    for kind, count in COUNTS.items():
        if isinstance(module, kind):
            return count(module, given, made)
    return 0


def _per_output(module: Any, given: tuple[int, ...], made: tuple[int, ...]) -> int:
    return math.prod(made) * math.prod(module.weight.shape[1:])  # weight K C/G R S, or out_features in_features


def _per_transposed(module: Any, given: tuple[int, ...], made: tuple[int, ...]) -> int:
    return math.prod(made) * len(module.weight)  # weight in_features out_features


def _per_input(module: Any, given: tuple[int, ...], made: tuple[int, ...]) -> int:
    return math.prod(given) * math.prod(module.weight.shape[1:])  # weight C K/G R S


def _per_position(module: Any, given: tuple[int, ...], made: tuple[int, ...]) -> int:
    return math.prod(made[2:]) * module.weight.numel()  # each weight is used once at each place of the output


def _per_step(module: Any, given: tuple[int, ...], made: tuple[int, ...]) -> int:
    weights = sum(parameter.numel() for parameter in module.parameters() if parameter.ndim == 2)
    return math.prod(made[:-1]) * weights  # each weight is used once at each time step


def _per_code(module: Any, given: tuple[int, ...], made: tuple[int, ...]) -> int:
    return module.codes.numel()


COUNTS: dict[type[nn.Module], Callable[[Any, tuple[int, ...], tuple[int, ...]], int]] = {
    nn.Linear: _per_output,
    nn.Conv1d: _per_output,
    nn.Conv2d: _per_output,
    nn.ConvTranspose2d: _per_input,
    Conv1D: _per_transposed,
    Unembedding: _per_output,
    nn.RNN: _per_step,
    nn.LSTM: _per_step,
    nn.GRU: _per_step,
    lenet.Subsample: _per_position,
    lenet.PartialConv2d: _per_position,
    lenet.DistanceToDrawings: _per_code,
}
