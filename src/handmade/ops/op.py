"""The form of a differentiable operation: its value and its pullback, side by side.

    @op
    def tanh(x):
        y = np.tanh(x)
        return y, lambda g: (g * (1 - y * y),)

- Positional arguments are the arrays it is differentiated by (None if an optional one, such as a bias, is absent);
  keyword-only arguments are everything else: axes, strides, index arrays, masks.
- The pullback takes the gradient of the value and returns one entry per positional argument: an array, None if there
  is no gradient, or a function without arguments, which the engine calls only if that gradient is needed.
- An operation knows nothing of broadcasting: where NumPy stretched an input, the engine sums its gradient back.
- It never changes its inputs, and its value has the inputs' float type.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Pullback = Callable[[np.ndarray], tuple[Any, ...]]
Operation = Callable[..., tuple[np.ndarray, Pullback]]

OPERATIONS: dict[str, Operation] = {}
"""Every operation by name; tests/ops/test_every_operation.py checks each against differences and against PyTorch."""


def op(function: Operation) -> Operation:
    """Register `function` as a differentiable operation of the form above."""
    OPERATIONS.setdefault(function.__name__, function)  # one of a reader's own takes no other's place
    return function
