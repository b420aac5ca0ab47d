"""The workshop: exercises, their judge, and what a learner does with them; from Python by the names below."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from handmade.workshop.asking import *  # noqa: F403

_ASKED = ("check", "hint", "solution", "statement", "stub", "try_")  # of asking, imported when one of them is


def __getattr__(name: str) -> Any:
    if name in _ASKED:  # with NumPy, which reading a record does without
        return getattr(import_module("handmade.workshop.asking"), name)
    raise AttributeError(f"module 'handmade.workshop' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_ASKED})
