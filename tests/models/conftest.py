"""What the tests of several models share."""

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pytest

from handmade import random
from handmade.nn import init


class Parity(NamedTuple):
    """The reference of published architectures: how weights and images are made, and what comes out."""

    fill: ModuleType
    expected: dict
    logits: dict


@pytest.fixture(scope="session")
def shared_parity(shared_data: Path) -> Parity:
    folder = shared_data.parent / "parity"
    if not folder.is_dir():
        pytest.skip(f"there is no {folder}")
    sys.path.insert(0, str(folder))
    try:
        import fill
    finally:
        sys.path.remove(str(folder))
    expected = json.loads((folder / "torchvision.json").read_text())
    with np.load(folder / "torchvision.npz") as archive:
        return Parity(fill, expected, {name.removesuffix(".logits"): logits for name, logits in archive.items()})


@pytest.fixture
def undrawn(monkeypatch):
    """Models are built without drawing initial weights: they are zero."""

    class Zeros(np.random.Generator):
        """In place of the generator: one zero, which fills any shape."""

        def random(self, *_, **__):
            return np.zeros(())

        standard_normal = normal = random

    monkeypatch.setattr(random, "generator", lambda: Zeros(np.random.PCG64(0)))


@pytest.fixture
def unfilled(undrawn, monkeypatch):
    """First weights are whatever the memory held; a test is going to replace them, or to count them only."""
    monkeypatch.setattr(init, "_fill", lambda tensor, values: tensor)
