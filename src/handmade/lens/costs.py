"""What a network costs, layer by layer: multiply-adds, memory, parameters, and how much of its input each layer sees.

Any Module will do, one's own included: it is run once on an example, and its operations are watched.

The receptive field follows Araujo, Norris & Sim, "Computing Receptive Fields of Convolutional Neural Networks" (2019),
equation 2: a window of k numbers, s apart in steps of the input, sees (k - 1) s more of it than one number did.
"""

import math
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from handmade.engine import Call, Tensor, no_grad, watching
from handmade.lens.hooks import undisturbed
from handmade.models import Card
from handmade.nn import Module, init
from handmade.ops.products import parse_equation
from handmade.tables import table

VIEWS = {"reshape", "permute", "expand", "getitem", "flip"}
"""Operations that show numbers which exist in another order: they compute none."""


@dataclass(frozen=True)
class LayerCost:
    """What one module computed itself, without its parts, in one of its runs.

    Attributes:
        name: its path in the model; empty for the model itself.
        kind: its class.
        shape: of its output for one example, without the batch axis; empty if it is no tensor.
        parameters: how many numbers it learns; a parameter that several layers share counts at the first.
        multiply_adds: products of an input with a weight.
        activations: floats that its operations computed; tokens and masks are none.
        receptive_field: side of the square of the input that one number of its output sees; None before the first
            convolution or pooling.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    activations: int
    receptive_field: int | None


@dataclass(frozen=True)
class Cost:
    """What one run on the example cost. `print(cost)` shows the table.

    Attributes:
        multiply_adds: products of an input with a weight. As usual in the literature norms, pooling and element-wise
            functions do not count; nor do products of two inputs, as those of attention's queries with its keys.
        activations: floats that the operations computed on the way; 4 bytes each in float32. Training keeps most.
        parameters: how many numbers the model learns.
        receptive_field: side of the square that the last convolution or pooling sees; None without any.
        layers: those modules that computed something, hold parameters, or have no parts, as they finished.
    """

    multiply_adds: int
    activations: int
    parameters: int
    receptive_field: int | None
    layers: tuple[LayerCost, ...]

    def __str__(self) -> str:
        return table(*self.as_table())

    def as_table(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """The header of a table, and its rows: each layer, and the total."""
        header = ("layer", "type", "output shape", "parameters", "multiply-adds", "activations", "sees")
        rows: list[tuple[object, ...]] = [
            (
                layer.name or "(the model)",
                layer.kind,
                " x ".join(map(str, layer.shape)),
                layer.parameters,
                layer.multiply_adds,
                layer.activations,
                layer.receptive_field or "",
            )
            for layer in self.layers
        ]
        total = ("total", "", "", self.parameters, self.multiply_adds, self.activations, self.receptive_field or "")
        return header, [*rows, total]


def cost(model: Module, *inputs: Any) -> Cost:
    """What `model(*inputs)` costs, where the inputs are a batch of one, as the model takes it.

    The model runs once, in evaluation mode, and is left as it was. Values do not matter: zeros will do.
    """
    meter = _Meter(model)
    with undisturbed(model), no_grad(), watching(meter.note):
        handles = [module.register_forward_hook(partial(meter.finish, name)) for name, module in model.named_modules()]
        try:
            model(*inputs)
        finally:
            for handle in handles:
                handle.remove()
    return Cost(
        sum(layer.multiply_adds for layer in meter.layers),
        sum(layer.activations for layer in meter.layers),
        sum(parameter.numel() for parameter in model.parameters()),
        meter.largest,
        tuple(meter.layers),
    )


def cost_of(card: Card) -> Cost:
    """What one example costs the network of a card, layer by layer. Its weights are not drawn, which saves time."""
    with init.drawing(False):
        model = card.make()
    return cost(model, *card.example())


@dataclass(frozen=True)
class _Field:
    """What a number of an array sees: `size` numbers of the input along an axis, its neighbour `step` further."""

    size: float = 1
    step: float = 1


def _of_one(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without the batch axis, which has length 1 and stands first, or behind the steps of a sequence."""
    axis = shape[:2].index(1) if 1 in shape[:2] else len(shape)
    return shape[:axis] + shape[axis + 1 :]


class _Meter:
    """Adds up what the operations of each module compute, and follows weights and receptive fields from array to array.

    Attributes:
        layers: those that have finished.
        largest: receptive field so far; None before the first window.
    """

    def __init__(self, model: Module) -> None:
        self.layers: list[LayerCost] = []
        self.largest: int | None = None
        self._sums: dict[int, list[int]] = {}  # id of a module -> multiply-adds and activations since it began
        self._seen: dict[int, tuple[weakref.ref[np.ndarray], _Field]] = {}
        # id of an array that holds weights -> the array, and how many learned numbers it is made of
        self._weights = {id(b.array): (b.array, 0) for b in model.buffers()}
        self._weights |= {id(p.array): (p.array, p.numel()) for p in model.parameters()}
        self._counted: set[int] = set()

    def note(self, call: Call) -> None:
        """A watcher: add the operation to the sums of its module."""
        tensors = [x for x in call.inputs if isinstance(x, Tensor)]
        weights = [x for x in tensors if id(x.array) in self._weights]
        sums = self._sums.setdefault(id(call.module), [0, 0])
        if tensors and len(weights) == len(tensors) and not _looks_up(call):
            learned = sum(self._weights[id(x.array)][1] for x in weights)
            self._weights[id(call.result.array)] = call.result.array, min(learned, call.result.numel())
        elif weights:
            sums[0] += self._products(call, weights)
        if (call.name not in VIEWS or _looks_up(call)) and call.result.is_floating_point():  # not tokens and masks
            sums[1] += call.result.numel()
        self._follow(call, tensors)

    def finish(self, name: str, module: Module, inputs: tuple, output: Any) -> None:
        """A hook: the module's layer, if it is one."""
        own = [p for p in module.parameters(recurse=False) if id(p) not in self._counted]
        self._counted.update(map(id, own))
        multiply_adds, activations = self._sums.pop(id(module), (0, 0))
        if not (own or activations or not list(module.children()) or list(module.parameters(recurse=False))):
            return
        made = output[0] if isinstance(output, tuple | list) and output else output
        shape, field = (), _Field()
        if isinstance(made, Tensor):
            shape, field = _of_one(made.shape), self._field(made)
        self.layers.append(
            LayerCost(
                name,
                type(module).__name__,
                shape,
                sum(parameter.numel() for parameter in own),
                multiply_adds,
                activations,
                int(field.size) if field.size > 1 else None,
            )
        )

    def _products(self, call: Call, weights: list[Tensor]) -> int:
        """A weight that is put together from fewer learned numbers (a kernel with holes, say) counts as many."""
        if call.name not in PRODUCTS:
            return 0
        weight = max(weights, key=Tensor.numel)
        learned = self._weights[id(weight.array)][1] or weight.numel()
        return PRODUCTS[call.name](call, weights) * learned // weight.numel()

    def _follow(self, call: Call, tensors: list[Tensor]) -> None:
        field = max((self._field(x) for x in tensors), key=lambda field: (field.size, field.step), default=_Field())
        if call.name in ("conv1d", "conv2d", "max_pool2d", "avg_pool2d"):
            kernel = call.options.get("kernel_size") or call.inputs[1].shape[2:]
            dilation = np.broadcast_to(call.options.get("dilation", 1), len(kernel))
            wider = max((k - 1) * int(d) for k, d in zip(kernel, dilation, strict=True))
            field = _Field(field.size + wider * field.step, field.step * int(np.max(call.options.get("stride", 1))))
            self.largest = max(self.largest or 1, int(field.size))
        if field != _Field():
            self._seen[id(call.result.array)] = weakref.ref(call.result.array), field

    def _field(self, x: Tensor) -> _Field:
        array, field = self._seen.get(id(x.array), (None, _Field()))
        return field if array is not None and array() is x.array else _Field()  # an id may have been used before


def _looks_up(call: Call) -> bool:
    """Whether it picks by an array of places, as an embedding: what comes out depends on the input."""
    return any(isinstance(part, np.ndarray) for option in call.options.values() for part in _parts(option))


def _parts(option: Any) -> tuple[Any, ...]:
    return option if isinstance(option, tuple) else (option,)


def _per_output(call: Call, weights: list[Tensor]) -> int:
    return call.result.numel() * math.prod(call.inputs[1].shape[1:])  # weight K C/G R S


def _per_input(call: Call, weights: list[Tensor]) -> int:
    return call.inputs[0].numel() * math.prod(call.inputs[1].shape[1:])  # weight C K/G R S


def _per_row(call: Call, weights: list[Tensor]) -> int:
    return call.result.numel() * call.inputs[0].shape[-1]


def _per_step(call: Call, weights: list[Tensor]) -> int:
    steps = math.prod(call.inputs[0].shape[:-1])  # of all sequences
    return steps * sum(weight.numel() for weight in weights if weight.ndim == 2)  # each is used once at each step


def _per_letter(call: Call, weights: list[Tensor]) -> int:
    terms, _ = parse_equation(call.options["equation"], [x.ndim for x in call.inputs])
    letters = zip("".join(terms), (n for x in call.inputs for n in x.shape), strict=True)
    return math.prod(dict(letters).values())


PRODUCTS: dict[str, Callable[[Call, list[Tensor]], int]] = {
    "linear": _per_row,
    "projection": _per_row,
    "matmul": _per_row,
    "einsum": _per_letter,
    "mul": lambda call, weights: call.result.numel(),
    "conv1d": _per_output,
    "conv2d": _per_output,
    "conv_transpose2d": _per_input,
    "rnn": _per_step,
    "lstm": _per_step,
    "gru": _per_step,
}
"""How many products an operation takes, if one of its operands is a weight. All others take none."""
