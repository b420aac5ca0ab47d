"""Names of PyTorch that are not here: what each does and the nearest thing, and how often a program asked for it."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

from handmade.absent import absent_name

ASKED: Counter[str] = Counter()
"""How often each missing name was asked for."""


class Missing(type):
    """A name that is missing: a class, so that it can be imported, inherited and asked about; using it raises."""

    def __call__(cls, *args: Any, **options: Any) -> Any:
        ASKED[cls.__name__] += 1
        raise NotImplementedError(absent_name(cls.__name__))

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return missing(f"{cls.__name__}.{name}")


def missing(name: str) -> Any:
    """A stand-in for a dotted name, such as torch.distributed.init_process_group."""
    return Missing(name, (), {})


def note(name: str) -> None:
    ASKED[name] += 1


def report() -> str:
    """The names that were asked for, most often first; empty if there are none."""
    if not ASKED:
        return ""
    lines = [f"  {count:4} x {absent_name(name)}" for name, count in ASKED.most_common()]
    return "\n".join(["Names of PyTorch that handmade does not have, as this program asked for them:", *lines])


def tell() -> None:
    if text := report():
        print(text, file=sys.stderr)
