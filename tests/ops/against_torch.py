"""One operation and PyTorch's, side by side: values and gradients for a random cotangent, in float64 and float32."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from handmade.engine.tape import unbroadcast

TOLERANCE = {np.float64: 1e-10, np.float32: 1e-5}


def agrees_with_torch(operation: Callable, reference: Callable, *inputs: np.ndarray | None, **options: Any) -> None:
    """Assert that operation(*inputs, **options) is reference(*inputs), and so are the gradients of every input."""
    for dtype, tolerance in TOLERANCE.items():
        arrays = [None if x is None else x.astype(dtype) for x in inputs]
        kept = [None if x is None else x.copy() for x in arrays]
        tensors = [None if x is None else torch.tensor(x, requires_grad=True) for x in arrays]
        value, gradients, cotangent = run(operation, arrays, options)
        expected = reference(*tensors)
        expected.backward(torch.tensor(cotangent))
        close(value, expected.detach().numpy(), tolerance, "value")
        for i, (gradient, tensor, before) in enumerate(zip(gradients, tensors, kept, strict=True)):
            if tensor is not None:
                assert gradient.dtype == dtype, f"gradient {i} is {gradient.dtype}"
                close(unbroadcast(gradient, tensor.shape), tensor.grad.numpy(), tolerance, f"gradient {i}")
                np.testing.assert_array_equal(arrays[i], before, f"input {i} was changed")


def run(operation: Callable, arrays: list, options: dict[str, Any]) -> tuple[np.ndarray, list, np.ndarray]:
    """Value, gradients for a random cotangent, and that cotangent."""
    value, pullback = operation(*arrays, **options)
    value = np.asarray(value)
    assert value.dtype == arrays[0].dtype, f"value is {value.dtype}"
    cotangent = np.asarray(np.random.default_rng(1).standard_normal(value.shape), value.dtype)
    kept = cotangent.copy()
    gradients = [part() if callable(part) else part for part in pullback(cotangent)]
    np.testing.assert_array_equal(cotangent, kept, "the pullback changed its cotangent")
    return value, [None if x is None else np.asarray(x) for x in gradients], cotangent


def close(got: np.ndarray, expected: np.ndarray, tolerance: float, what: str) -> None:
    """Equal to `tolerance`, in proportion to the element or to the largest one."""
    assert got.shape == expected.shape, f"{what}: shape {got.shape}, expected {expected.shape}"
    scale = np.abs(expected[np.isfinite(expected)]).max(initial=0)
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance * scale, err_msg=what)
