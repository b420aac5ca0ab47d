"""When the loss is no longer a number: which layer was the first to go wrong, and in which operation."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

import handmade
from handmade.engine import Call, Tensor, watching
from handmade.errors import InputError
from handmade.nn import Module
from handmade.tasks.task import Task


class Diverged(InputError):
    """Training cannot go on: the loss, or what would be saved, is no longer a finite number."""


def find_culprit(task: Task, batch: Any) -> str:
    """Run the model on `batch` once more and name the first module whose output holds a NaN or an infinity.

    Of a module that runs several operations, that which made it is named too. Failing that, an operation of the loss, a
    parameter or a gradient. As the end of a sentence about the loss.
    """
    found: list[str] = []
    calls: list[tuple[Any, str, bool, bool]] = []  # of each operation: its module, name, has it NaN, infinities

    def note(call: Call) -> None:
        array = call.result.array
        calls.append((call.module, call.name, bool(np.isnan(array).any()), bool(np.isinf(array).any())))

    def look(name: str, module: Module, inputs: tuple, output: Any) -> None:
        if found or _finite(output):
            return
        layer = f"{name or 'the model'} ({type(module).__name__})"
        if not _finite(inputs):
            found.append(f"{layer} was given an input that is not finite")
            return
        broken = [name for name, parameter in module.named_parameters() if not _finite(parameter)]
        because = f", and so is its {broken[0]}" if broken else ""
        operation = _maker([call for call in calls if call[0] is module])
        made = f", in its operation {operation}" if operation and not broken else ""
        found.append(f"the first layer whose output is not finite is {layer}{because}{made}")

    handles = [module.register_forward_hook(partial(look, name)) for name, module in task.model.named_modules()]
    try:
        with handmade.no_grad(), watching(note):
            task.loss(batch)
    finally:
        for handle in handles:
            handle.remove()
    if found:
        return found[0]
    loss = _maker([call for call in calls if call[0] is None], least=1)
    return (
        f"every layer's output is finite, but not the loss's operation {loss}" if loss else _first_parameter(task.model)
    )


def _maker(calls: list[tuple[Any, str, bool, bool]], least: int = 2) -> str | None:
    """The first of at least so many operations to make a NaN, otherwise an infinity: a mask of -inf is no mistake."""
    if len(calls) < least:
        return None
    made_nan = [name for _, name, nan, _ in calls if nan]
    return next(iter(made_nan or [name for _, name, _, infinite in calls if infinite]), None)


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
