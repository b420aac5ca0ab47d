"""The form of a differentiable operation: its value and its pullback, side by side.

    @op
    def tanh(x):
        y = np.tanh(x)
        return y, lambda g: (g * (1 - y * y),)

- Positional arguments are the arrays it is differentiated by (None if an optional one, such as a bias, is absent);
  keyword-only arguments are everything else: axes, strides, index arrays, masks.
- The pullback takes the gradient of the value and returns one entry per positional argument: an array, None if there
  is no gradient, or a function without arguments, which the engine calls only if that gradient is needed. The array
  may be a `Part`: values at some places, zero elsewhere.
- An operation knows nothing of broadcasting: where NumPy stretched an input, the engine sums its gradient back.
- It never changes its inputs, and its value has the inputs' float type.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Pullback = Callable[[np.ndarray], tuple[Any, ...]]
Operation = Callable[..., tuple[np.ndarray, Pullback]]


class Part:
    """A gradient that is zero but at some places: x[index] gets `values`, which are added where a place comes twice.

    The engine adds several of them to one array: reading T steps of a sequence one by one costs one array of its size,
    not T.
    """

    def __init__(self, x: np.ndarray, index: Any, values: np.ndarray, once: bool) -> None:
        self.x, self.index, self.values, self.once = x, index, values, once

    def add_to(self, gradient: np.ndarray) -> None:
        """Add the values to a whole gradient, in place."""
        if self.once:
            gradient[self.index] += self.values
        else:
            np.add.at(gradient, self.index, self.values)

    def whole(self) -> np.ndarray:
        """All of it, as an array of its own."""
        gradient = np.zeros_like(self.x)
        if self.once:
            gradient[self.index] = self.values
        else:
            np.add.at(gradient, self.index, self.values)
        return gradient

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.whole()


OPERATIONS: dict[str, Operation] = {}
"""Every operation by name; tests/ops/test_every_operation.py checks each against differences and against PyTorch."""


def op(function: Operation) -> Operation:
    """Register `function` as a differentiable operation of the form above."""
    OPERATIONS.setdefault(function.__name__, function)  # a reader's own does not replace ours of the same name
    return function
