"""Errors of Python and NumPy, as they are raised here, in words that say which axis meets which."""

import math

import numpy as np
import pytest

from handmade.workshop.judging.explained import explained

A, B = np.ones((3, 5)), np.ones((2, 3, 4, 4))


def changed_in_place() -> None:
    x = np.ones(3)
    x += np.ones((2, 3))


RAISED = [
    ("A - A.max(1)", lambda: A - A.max(1), "keepdims=True it gives (3, 1)"),
    ("B * gamma", lambda: B * np.ones(3), "[:, None, None]"),
    ("A + A.T", lambda: A + A.T, "transpose"),
    ("A @ A", lambda: A @ A, "here they have 5 and 3"),
    ("np.dot(A, A)", lambda: np.dot(A, A), ".T"),
    ("B.transpose(-2, -1)", lambda: B.transpose(-2, -1), "swapaxes(-2, -1)"),
    ("A.reshape(3, 5 / 5, 5)", lambda: A.reshape(3, 5 / 5, 5), "//"),  # pyright: ignore
    ("A ^ 2", lambda: A ^ 2, "**"),  # pyright: ignore
    ("math.erf(A)", lambda: math.erf(A), "np.vectorize(math.erf)"),  # pyright: ignore
    ("math.exp(A)", lambda: math.exp(A), "np.exp"),  # pyright: ignore
    ("concatenate", lambda: np.concatenate([A, A[:, :2]]), "axis=-1"),
    ("split", lambda: np.split(A.T, 3), "axis=-1"),
    ("einsum", lambda: np.einsum("ijk,jl->il", A, A), "a letter for each axis"),
    ("reshape", lambda: A.reshape(4, 4), "holds 16 numbers, the array has 15"),
    ("A[3]", lambda: A[3], "places 0 to 2"),
    ("A[0, 0, 0]", lambda: A[0, 0, 0], "has 2 axes"),
    ("if A > 0", lambda: bool(A > 0), "np.where"),
    ("A.view(5, 3)", lambda: A.unsqueeze(0), "np.expand_dims"),  # pyright: ignore
    ("A.sum(3)", lambda: A.sum(3), "no axis 3"),
    ("A.sum(dim=1)", lambda: A.sum(dim=1), "axis"),  # pyright: ignore
    ("x += y", changed_in_place, "+= writes into"),
    ("None + 1", lambda: None + 1, "without a return"),  # pyright: ignore
]


@pytest.mark.parametrize(("code", "raises", "words"), RAISED, ids=[code for code, _, _ in RAISED])
def test_each_error_is_explained(code, raises, words):
    with pytest.raises(Exception) as raised:  # noqa: PT011
        raises()
    assert words in explained(str(raised.value), code)


def test_what_is_not_known_is_not_explained():
    assert explained("something else") == ""
