"""What happens inside a model while it runs: the outputs of its layers, and their gradients."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from handmade.engine import Tensor
from handmade.errors import InputError, suggestion
from handmade.nn import Module
from handmade.nn.utils import evaluating


@contextmanager
def recording(model: Module, *names: str, gradients: bool = False) -> Iterator[dict[str, list[Tensor]]]:
    """Inside the block, the outputs of the layers `names` are kept as the model makes them; without names, of all.

        with recording(model, "layer4", gradients=True) as outputs:
            model(images)[0, 7].backward()
        outputs["layer4"][-1].grad

    Yields name -> outputs, one for each time the layer ran; names are in the order in which layers first finish. Of a
    layer that returns several things the first is kept, and nothing of one that returns no tensor.

    gradients: backward() leaves the gradient of each output in its `.grad`.

    Raises InputError for an unknown name, with the nearest known one.
    """
    chosen = {name: find_layer(model, name) for name in names} or _layers(model)
    outputs: dict[str, list[Tensor]] = {}

    def keep(name: str, module: Module, inputs: tuple, output: Any) -> None:
        output = output[0] if isinstance(output, tuple) else output
        if isinstance(output, Tensor):
            outputs.setdefault(name, []).append(output)
            if gradients:
                output.retain_grad()

    handles = [module.register_forward_hook(partial(keep, name)) for name, module in chosen.items()]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def undisturbed(model: Module) -> Iterator[None]:
    """Inside the block the model is in evaluation mode and its parameters need no gradients; then all is as before."""
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for parameter in learned:
        parameter.requires_grad_(False)
    try:
        with evaluating(model):
            yield
    finally:
        for parameter in learned:
            parameter.requires_grad_(True)


Attention = Callable[..., Tensor]
"""What a layer calls with its queries, keys and values, as nn.functional.scaled_dot_product_attention."""


def attentions(model: Module) -> dict[str, Module]:
    """The parts of a model in which heads look at tokens, by name: those that attend with `self.attention`.

    Of a Transformer those of the encoder come first; each layer of the decoder has two.
    """
    return {name: part for name, part in model.named_modules() if callable(vars(type(part)).get("attention"))}


@contextmanager
def attention_replaced(model: Module, replace: Callable[[int, Attention], Attention]) -> Iterator[None]:
    """Inside the block, part l of `attentions` attends with `replace(l, own)`, where `own` is what it has."""
    parts: list[Any] = list(attentions(model).values())
    before = [vars(part).get("attention") for part in parts]
    try:
        for layer, part in enumerate(parts):
            part.attention = replace(layer, part.attention)
        yield
    finally:
        for part, own in zip(parts, before, strict=True):
            vars(part).pop("attention", None)
            if own is not None:
                part.attention = own


def find_layer(model: Module, name: str) -> Module:
    """The module at the path `name`. InputError for an unknown one, with the nearest known path."""
    layers = _layers(model)
    if name not in layers:
        parts = ", ".join(part for part, _ in model.named_children())
        raise InputError(
            f"{type(model).__name__} has no layer {name!r}{suggestion(name, layers)} "
            f"It has {len(layers)}: {parts} and the parts of these."
        )
    return layers[name]


def _layers(model: Module) -> dict[str, Module]:
    """Every module below `model`, by its path."""
    return {name: module for name, module in model.named_modules() if name}
