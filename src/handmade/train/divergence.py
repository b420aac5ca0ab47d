"""When the loss is no longer a number: which layer was the first to go wrong."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

import handmade
from handmade.engine import Tensor
from handmade.nn import Module
from handmade.tasks.task import Task


def find_culprit(task: Task, batch: Any) -> str:
    """Run the model on `batch` once more and name the first module whose output holds a NaN or an infinity.

    Failing that, a parameter or a gradient that does. As the end of a sentence about the loss.
    """
    found: list[str] = []

    def look(name: str, module: Module, inputs: tuple, output: Any) -> None:
        if found or _finite(output):
            return
        layer = f"{name or 'the model'} ({type(module).__name__})"
        if not _finite(inputs):
            found.append(f"{layer} was given an input that is not finite")
            return
        broken = [name for name, parameter in module.named_parameters() if not _finite(parameter)]
        because = f", and so is its {broken[0]}" if broken else ""
        found.append(f"the first layer whose output is not finite is {layer}{because}")

    handles = [module.register_forward_hook(partial(look, name)) for name, module in task.model.named_modules()]
    try:
        with handmade.no_grad():
            task.loss(batch)
    finally:
        for handle in handles:
            handle.remove()
    return found[0] if found else _first_parameter(task.model)


def _first_parameter(model: Module) -> str:
    for name, parameter in model.named_parameters():
        if not _finite(parameter):
            return f"the parameter {name} is not finite"
        if not _finite(parameter.grad):
            return f"the gradient of {name} is not finite"
    return "every layer's output is finite, so the loss function itself made it"


def _finite(value: Any) -> bool:
    return all(np.isfinite(array).all() for array in _arrays(value))


def _arrays(value: Any) -> Iterator[np.ndarray]:
    """The arrays of a tensor, or of tensors in tuples, lists and dicts."""
    if isinstance(value, Tensor):
        yield value.array
    elif isinstance(value, dict):
        yield from _arrays(list(value.values()))
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _arrays(part)
