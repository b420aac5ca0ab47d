"""A format: tiny right files of it, what damages them, and what of the project reads them."""

import hashlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fuzzing.mutators import Mutate
from handmade.errors import InputError

Files = dict[str, bytes]
"""The files of a case, by their paths in its folder."""


@dataclass(frozen=True)
class Format:
    """share: how many of each thousand cases are of it; what is slow to read has few.

    make: the right files. mutate: by file name, what damages it; of several files one is damaged. change: what damages
    the files as a whole instead. read: what reads them from a folder, and gives what it made of them. named: what a
    refusal must name. checked: the format has checksums, so that what is read after damage is what was written.
    documented: what reading may raise.
    """

    name: str
    share: int
    make: Callable[[], list[Files]]
    read: Callable[[Path], Any]
    mutate: Mapping[str, Mutate] | None = None
    change: Callable[[random.Random, Files], Files] | None = None
    named: str = ""
    checked: bool = False
    documented: tuple[type[Exception], ...] = (InputError,)

    @cached_property
    def seeds(self) -> list[Files]:
        return self.make()

    def case(self, seed: int, number: int) -> tuple[int, Files]:
        """Case `number` of a run's seed: which of the seeds it comes from, and its files."""
        rng = random.Random(f"{seed} {self.name} {number}")
        which = rng.randrange(len(self.seeds))
        files = dict(self.seeds[which])
        if self.change is not None:
            return which, self.change(rng, files)
        assert self.mutate is not None
        name = rng.choice(list(self.mutate))
        files[name] = self.mutate[name](rng, files[name])
        return which, files


def write(folder: Path, files: Files) -> None:
    """The files in a folder that is empty."""
    for name, content in files.items():
        path = folder / name
        if "/" in name:
            path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def digest(value: Any) -> bytes:
    """What two equal values have in common, arrays bit by bit."""
    total = hashlib.blake2b(digest_size=16)
    _feed(total, value)
    return total.digest()


def _feed(total: Any, value: Any) -> None:
    if isinstance(value, np.ndarray):
        total.update(f"{value.dtype} {value.shape} ".encode())
        total.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, dict):
        for key in sorted(value, key=str):
            total.update(f"{key!r}: ".encode())
            _feed(total, value[key])
    elif isinstance(value, list | tuple):
        total.update(f"[{len(value)} ".encode())
        for part in value:
            _feed(total, part)
    else:
        total.update(f"{value!r} ".encode("utf-8", "surrogatepass"))
