"""What is imported under test checks its arguments and results, as `tests.support.typechecker` says."""

import sys

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from handmade import data
from handmade.nn import functional
from tests.support import typechecker

MODULE = """
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


def length(x: float) -> int:
    return x


def product(a: Float[np.ndarray, "M K"], b: Float[np.ndarray, "K N"]) -> Float[np.ndarray, "M N"]:
    return (a @ b).T


@dataclass
class Point:
    x: int

    def counted(self) -> Iterator[int]:
        yield from range(self.x)

    @property
    def half(self) -> int:
        return self.x / 2

    @classmethod
    def at(cls, x: int) -> Point:
        return cls(x)

    def same(self, other: Point) -> bool:
        return self.x == other.x
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "checked_by_tests.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    typechecker.check_on_import(["checked_by_tests"])
    import checked_by_tests

    yield checked_by_tests
    del sys.modules["checked_by_tests"]


def test_types_of_arguments_and_results(module):
    assert module.length(3) == 3
    with pytest.raises(TypeCheckError):
        module.length("three")
    with pytest.raises(TypeCheckError):
        module.length(3.5)
    point = module.Point.at(4)
    assert list(point.counted()) == [0, 1, 2, 3]
    with pytest.raises(TypeCheckError):
        module.Point("four")
    with pytest.raises(TypeCheckError):
        module.Point.at("four")
    with pytest.raises(TypeCheckError):
        _ = point.half
    assert module.length.__name__ == "length"


def test_shapes_belong_together(module, rng):
    assert module.product(rng.random((3, 2)), rng.random((2, 3))).shape == (3, 3)
    with pytest.raises(TypeCheckError):
        module.product(rng.random((3, 2)), rng.random((3, 4)))
    with pytest.raises(TypeCheckError):
        module.product(rng.random((3, 2)), rng.random((2, 4)))


def test_a_class_in_its_own_methods_is_not_checked(module):
    with pytest.raises(AttributeError):
        module.Point(1).same("another")


def test_the_library_is_under_it():
    with pytest.raises(TypeCheckError):
        data.load(3, "train")
    with pytest.raises(TypeCheckError):
        functional.conv2d(np.zeros((1, 2, 3, 4)), np.zeros((2, 2, 1, 1)))
