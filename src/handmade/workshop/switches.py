"""Switches: what a reference asks at the very lines where people go wrong.

    scale = 1.0 if wrong("no scale") else 1 / np.sqrt(d_k)

All are off unless the judge turns some on: the reference under one fault computes what someone computes who makes that
mistake. A convention is a switch too, one that is accepted.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ON: ContextVar[frozenset[str]] = ContextVar("switches that are on", default=frozenset())


def wrong(fault: str) -> bool:
    """Whether the reference shall make this mistake."""
    return fault in _ON.get()


def convention(name: str) -> bool:
    """Whether the reference shall follow this other convention."""
    return name in _ON.get()


@contextmanager
def switched(names: frozenset[str]) -> Iterator[None]:
    """Turn on these switches, and no others, inside the block."""
    token = _ON.set(names)
    try:
        yield
    finally:
        _ON.reset(token)
