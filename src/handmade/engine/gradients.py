"""Gradients of given inputs, and custom operations: `torch.autograd.grad` and `torch.autograd.Function`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from handmade.engine.tape import Node, backward, no_grad
from handmade.engine.tensor import Tensor, apply


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """d(outputs)/d(inputs), times grad_outputs, without changing any `.grad`.

    An input that the outputs do not depend on is an error, or gets None with `allow_unused`.
    """
    if create_graph:
        raise NotImplementedError("grad: create_graph=True: gradients are not recorded, so they have none")
    outputs, inputs = ([x] if isinstance(x, Tensor) else list(x) for x in (outputs, inputs))
    starts = [grad_outputs] if isinstance(grad_outputs, Tensor | None) else list(grad_outputs)
    into: dict[Node, Any] = {x._node: 0 for x in inputs if x._node is not None}
    if len(into) < len(inputs):
        raise RuntimeError("grad: an input does not require a gradient; ask for it before: x.requires_grad_()")
    for number, output in enumerate(outputs):
        start = output._start(starts[number] if number < len(starts) else None)
        assert output._node is not None
        backward(output._node, start, bool(retain_graph) or number < len(outputs) - 1, into)
    parts = [into[x._node] for x in inputs if x._node is not None]
    found = [None if isinstance(part, int) else np.array(part) for part in parts]  # the 0 of above, where none came
    if not allow_unused and any(part is None for part in found):
        raise RuntimeError("grad: the outputs do not depend on one of the inputs; allow_unused=True gives None for it")
    return tuple(None if part is None else Tensor(part) for part in found)


class Context:
    """What `Function.forward` leaves for `backward`: attributes of any name, and `saved_tensors`."""

    def __init__(self) -> None:
        self.saved_tensors: tuple[Any, ...] = ()
        self.needs_input_grad: tuple[bool, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        self.saved_tensors = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None: ...


class Function:
    """A custom operation: static methods `forward(ctx, *inputs)` and `backward(ctx, gradient)`; see `apply`."""

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Tensor:
        raise NotImplementedError

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        raise NotImplementedError

    @classmethod
    def apply(cls, *args: Any) -> Tensor:
        """Run `forward`, and record `backward` as its derivative. Inputs that are not tensors get None there."""
        ctx = Context()
        places = [number for number, x in enumerate(args) if isinstance(x, Tensor)]
        ctx.needs_input_grad = tuple(isinstance(x, Tensor) and x.requires_grad for x in args)

        def operation(*arrays: np.ndarray) -> tuple[np.ndarray, Any]:
            given = list(args)
            for place, array in zip(places, arrays, strict=True):
                given[place] = Tensor(array)
            with no_grad():
                value = cls.forward(ctx, *given).array.copy()

            def pullback(g: np.ndarray) -> tuple[Any, ...]:
                with no_grad():
                    parts = cls.backward(ctx, Tensor(g))
                parts = parts if isinstance(parts, tuple) else (parts,)
                return tuple(None if parts[place] is None else parts[place].array for place in places)

            return value, pullback

        operation.__name__ = cls.__name__
        return apply(operation, *(args[place] for place in places))
