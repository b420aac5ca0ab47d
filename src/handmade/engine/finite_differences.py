"""Is a gradient right? Compare it with finite differences of the function's value, in float64."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from handmade.engine.creation import tensor
from handmade.engine.tape import no_grad
from handmade.engine.tensor import Tensor


def gradcheck(
    function: Callable[..., Tensor],
    inputs: Tensor | Sequence[Any],
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    seed: int = 0,
) -> bool:
    """Check that the gradient of `function` agrees with central differences, for a random cotangent.

    With random c and s(x) = sum(c * function(x)), each element of ds/dx is compared with
    (s(x + eps e_i) - s(x - eps e_i)) / (2 eps). With c all ones, errors that cancel would be missed (a softmax
    whose gradient is zero would pass).

    Args:
        function: takes tensors, returns one tensor; it must give the same value when called again.
        inputs: its arguments; float64 tensors with requires_grad are checked, all others are passed as they are.
        eps: the step of the differences.
        atol: absolute tolerance.
        rtol: relative tolerance, in proportion to the expected value.
        seed: seed of the random cotangent.

    Returns:
        True. Raises AssertionError that names function, argument, element, expected and actual value where they
        differ; TypeError for float32 inputs, whose differences would have no correct digits left.
    """
    arguments = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    checked = [i for i, x in enumerate(arguments) if isinstance(x, Tensor) and x.requires_grad]
    if not checked:
        raise ValueError("gradcheck: none of the inputs has requires_grad")
    for i in checked:
        if arguments[i].dtype != np.float64:
            raise TypeError(f"gradcheck: input {i} is {arguments[i].dtype}; differences need float64: use .double()")
    arguments = [tensor(x, requires_grad=True) if i in checked else x for i, x in enumerate(arguments)]
    value = function(*arguments)
    cotangent = np.random.default_rng(seed).standard_normal(value.shape)
    value.backward(cotangent)

    def scalar() -> float:
        with no_grad():
            return float((function(*arguments).array * cotangent).sum())

    name = getattr(function, "__name__", repr(function))
    for i in checked:
        x = arguments[i]
        got = np.zeros(x.shape) if x.grad is None else x.grad.array
        if got.shape != x.shape:
            raise AssertionError(f"{name}: the gradient of input {i} has shape {got.shape}, the input {x.shape}")
        for place in np.ndindex(x.shape):
            expected = _difference(scalar, x.array, place, eps)
            if not abs(got[place] - expected) <= atol + rtol * abs(expected):
                raise AssertionError(
                    f"{name}: gradient of input {i} at {list(place)}: {got[place]:.8g}, differences give {expected:.8g}"
                )
    return True


def _difference(scalar: Callable[[], float], array: np.ndarray, place: tuple[int, ...], eps: float) -> float:
    """The central difference of `scalar` for one element, which is restored afterwards."""
    kept = array[place]
    array[place] = kept + eps
    above = scalar()
    array[place] = kept - eps
    below = scalar()
    array[place] = kept
    return (above - below) / (2 * eps)
