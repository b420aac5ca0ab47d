"""Compiled kernels write where they are told and nowhere else: behind their working memory stand numbers that stay."""

import math
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from handmade.kernels import compiled, threads

GUARD = 1 << 18  # bytes
UNTOUCHED = 0xA5


class Guarded:
    """Memory with a guard behind each piece that is handed out."""

    def __init__(self) -> None:
        self.guards: list[np.ndarray] = []

    def bytes(self, size: int, alignment: int) -> np.ndarray:
        self.check()
        memory = np.empty(size + alignment + GUARD, np.uint8)
        start = -memory.ctypes.data % alignment
        guard = memory[start + size :]
        guard[:] = UNTOUCHED
        self.guards = [*self.guards[-8:], guard]
        return memory[start : start + size]

    def check(self) -> None:
        for guard in self.guards:
            assert (guard == UNTOUCHED).all(), "a kernel wrote behind its working memory"


@pytest.fixture(autouse=True)
def guarded_memory(monkeypatch) -> Iterator[None]:
    guarded = Guarded()

    def address(self: threads.Scratch, size: int) -> int:
        self._memory, self.size = guarded.bytes(size, self.ALIGNMENT), size
        return self._memory.ctypes.data

    def workspace(*shape: int) -> np.ndarray:
        return guarded.bytes(4 * math.prod(shape), 64).view(np.float32).reshape(shape)

    monkeypatch.setattr(threads.Scratch, "address", address)
    for module in compiled_modules():
        if hasattr(module, "workspace"):
            monkeypatch.setattr(module, "workspace", workspace)
    yield
    guarded.check()


def compiled_modules() -> list:
    names = [file.stem for file in Path(compiled.__path__[0]).glob("[!_]*.py")]
    return [import_module(f"handmade.kernels.compiled.{name}") for name in names]
