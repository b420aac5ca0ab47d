"""Ours and PyTorch's, side by side: values, and the gradients of every input for a random cotangent.

`agrees_with_torch` compares an operation on arrays, `check_parity` an expression that both libraries can read,
`check_layer` a layer with the same weights in both.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import handmade
from handmade import nn
from handmade.engine.tape import unbroadcast

# How far a number may be from PyTorch's, as a part of the largest number of its array. Both round the same sums in
# another order, so what they may differ by is rounding alone; an error in a formula shows in the second digit.
TOLERANCE = {
    "float64": 1e-10,  # one rounding is 1e-16
    "float32": 1e-5,  # one rounding is 6e-8
}
DTYPES = tuple(TOLERANCE)


def assert_close(got: np.ndarray, expected: np.ndarray, what: str, terms: float = 0.0) -> None:
    """Assert one shape, one type, and numbers that differ by rounding at most.

    terms: how large the terms are whose sums these numbers are, where they cancel: their rounding remains.
    """
    assert got.dtype == expected.dtype, f"{what}: {got.dtype}, expected {expected.dtype}"
    assert got.shape == expected.shape, f"{what}: {got.shape}, expected {expected.shape}"
    if got.dtype.kind != "f":
        np.testing.assert_array_equal(got, expected, what)
        return
    largest = np.abs(expected[np.isfinite(expected)]).max(initial=terms)
    np.testing.assert_allclose(got, expected, rtol=0, atol=TOLERANCE[got.dtype.name] * largest, err_msg=what)


def agrees_with_torch(operation: Callable, reference: Callable, *inputs: np.ndarray | None, **options: Any) -> None:
    """Assert that operation(*inputs, **options) is reference(*inputs), and so are the gradients of every input."""
    for dtype in DTYPES:
        arrays = [None if x is None else x.astype(dtype) for x in inputs]
        kept = [None if x is None else x.copy() for x in arrays]
        tensors = [None if x is None else torch.tensor(x, requires_grad=True) for x in arrays]
        value, gradients, cotangent = run(operation, arrays, options)
        expected = reference(*tensors)
        expected.backward(torch.tensor(cotangent))
        assert_close(value, expected.detach().numpy(), "value")
        for i, (gradient, tensor, before) in enumerate(zip(gradients, tensors, kept, strict=True)):
            if tensor is not None:
                assert_close(np.asarray(unbroadcast(gradient, tensor.shape)), tensor.grad.numpy(), f"gradient {i}")
                np.testing.assert_array_equal(arrays[i], before, f"input {i} was changed")


def run(operation: Callable, arrays: list, options: dict[str, Any]) -> tuple[np.ndarray, list, np.ndarray]:
    """Value, gradients for a random cotangent, and that cotangent."""
    value, pullback = operation(*arrays, **options)
    value = np.asarray(value)
    assert value.dtype == arrays[0].dtype, f"value is {value.dtype}"
    cotangent = cotangent_of(value)
    kept = cotangent.copy()
    gradients = [part() if callable(part) else part for part in pullback(cotangent)]
    np.testing.assert_array_equal(cotangent, kept, "the pullback changed its cotangent")
    return value, [None if x is None else np.asarray(x) for x in gradients], cotangent


def cotangent_of(value: np.ndarray) -> np.ndarray:
    """Random numbers of the value's shape and type: ones would let wrong gradients through."""
    return np.asarray(np.random.default_rng(1).standard_normal(value.shape), value.dtype)


def check_parity(expression: Callable[..., Any], *inputs: np.ndarray, dtypes: tuple[str, ...] = DTYPES) -> None:
    """`expression(library, *tensors)` in both libraries: value and gradients.

    Float arrays become tensors that need gradients, in each of `dtypes`; integer and boolean ones stay.
    """
    for dtype in dtypes:
        ours, theirs = leaves(inputs, dtype)
        compare(expression(handmade, *ours), expression(torch, *theirs), ours, theirs)


def check_layer(
    make: Callable[[Any], Any],
    *inputs: np.ndarray,
    training: bool = True,
    result: Callable[[Any], Any] = lambda output: output,
    terms: float = 0.0,
    **options: Any,
) -> None:
    """`make(nn)` builds the layer from either library's nn: value, all gradients, and the buffers afterwards.

    Float inputs get gradients. result: what of the output is compared. options: arguments of the call; arrays among
    them, such as masks, become tensors. terms: as for assert_close, of the gradients.
    """
    for dtype in DTYPES:
        layer, reference = pair(make, dtype)
        layer.train(training)
        reference.train(training)
        ours, theirs = leaves(inputs, dtype)
        arrays = {name: cast(x, dtype) for name, x in options.items() if isinstance(x, np.ndarray)}
        value = layer(*ours, **options | {name: handmade.tensor(x) for name, x in arrays.items()})
        expected = reference(*theirs, **options | {name: torch.tensor(x) for name, x in arrays.items()})
        compare(result(value), result(expected), ours, theirs, terms)
        compare_gradients(layer, reference, terms)
        for name, buffer in reference.named_buffers():
            assert_close(layer.state_dict()[name].numpy(), buffer.numpy(), name)


def pair(make: Callable[[Any], Any], dtype: str) -> tuple[nn.Module, torch.nn.Module]:
    """The layer of both libraries with the same random numbers in all of its state, positive where variances are."""
    reference, layer = make(torch.nn).to(getattr(torch, dtype)), make(nn).to(getattr(handmade, dtype))
    rng = np.random.default_rng(0)
    for name, tensor in reference.state_dict().items():
        if tensor.is_floating_point():
            values = rng.standard_normal(tuple(tensor.shape))
            tensor.copy_(torch.tensor(np.abs(values) + 0.5 if "var" in name else values))
    layer.load_state_dict({name: tensor.numpy().copy() for name, tensor in reference.state_dict().items()})
    return layer, reference


def leaves(inputs: tuple[np.ndarray, ...], dtype: str) -> tuple[list[handmade.Tensor], list[torch.Tensor]]:
    """The arrays as both libraries' tensors; those of floats are of `dtype` and need gradients."""
    arrays = [cast(x, dtype) for x in inputs]
    ours = [handmade.tensor(x, requires_grad=x.dtype.kind == "f") for x in arrays]
    return ours, [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in arrays]


def cast(x: np.ndarray, dtype: str) -> np.ndarray:
    return x.astype(dtype) if x.dtype.kind == "f" else x


def compare(got: handmade.Tensor, expected: torch.Tensor, ours: list, theirs: list, terms: float = 0.0) -> None:
    """Assert equal values and, after a walk back with one random cotangent, equal gradients of the leaves."""
    assert_close(got.numpy(), expected.detach().numpy(), "value")
    assert got.requires_grad == expected.requires_grad
    if not expected.requires_grad:
        return
    cotangent = cotangent_of(got.numpy())
    got.backward(cotangent)
    expected.backward(torch.tensor(cotangent))
    for i, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
        assert (mine.grad is None) == (other.grad is None), f"input {i}: only one of the two has a gradient"
        if other.grad is not None:
            assert_close(mine.grad.numpy(), other.grad.numpy(), f"gradient of input {i}", terms)


def compare_gradients(ours: nn.Module, theirs: torch.nn.Module, terms: float = 0.0) -> None:
    """Assert that the parameters have the same names, in the same order, and the same gradients."""
    parameters = dict(ours.named_parameters())
    assert list(parameters) == [name for name, _ in theirs.named_parameters()]
    for name, other in theirs.named_parameters():
        mine = parameters[name].grad
        assert (mine is None) == (other.grad is None), f"{name}: only one of the two has a gradient"
        if mine is not None and other.grad is not None:
            assert_close(mine.numpy(), other.grad.numpy(), f"gradient of {name}", terms)
