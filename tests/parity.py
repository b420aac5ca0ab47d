"""One expression, run here and in PyTorch: values and gradients must agree."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.testing import assert_allclose

import handmade

TOLERANCE = {"float64": 1e-10, "float32": 1e-5}


def assert_close(got: np.ndarray, expected: np.ndarray, what: str) -> None:
    """Equal shapes and types; differences within the type's tolerance of the largest expected value."""
    assert got.dtype == expected.dtype, f"{what}: {got.dtype}, expected {expected.dtype}"
    assert got.shape == expected.shape, f"{what}: {got.shape}, expected {expected.shape}"
    if got.dtype.kind != "f":
        assert np.array_equal(got, expected), what
        return
    finite = np.abs(expected[np.isfinite(expected)])
    scale = max(float(finite.max()), 1.0) if finite.size else 1.0
    assert_allclose(got, expected, rtol=0, atol=TOLERANCE[got.dtype.name] * scale, err_msg=what)


def check_parity(
    expression: Callable[..., Any], *arrays: np.ndarray, dtypes: tuple[str, ...] = ("float64", "float32")
) -> None:
    """`expression(library, *tensors)` in both libraries: value, and gradients for a random cotangent.

    Float arrays become tensors that need gradients, in each of `dtypes`; integer and boolean ones stay.
    """
    for dtype in dtypes:
        inputs = [a.astype(dtype) if a.dtype.kind == "f" else a for a in arrays]
        ours = [handmade.tensor(a, requires_grad=a.dtype.kind == "f") for a in inputs]
        theirs = [torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in inputs]
        got, expected = expression(handmade, *ours), expression(torch, *theirs)
        assert_close(got.numpy(), expected.detach().numpy(), "value")
        if not expected.requires_grad:
            assert not got.requires_grad
            continue
        cotangent = np.random.default_rng(1).standard_normal(got.shape).astype(got.dtype)
        got.backward(cotangent)
        expected.backward(torch.tensor(cotangent))
        for i, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            if other.grad is not None:
                assert mine.grad is not None, f"input {i} has no gradient"
                assert_close(mine.grad.numpy(), other.grad.numpy(), f"gradient of input {i}")
