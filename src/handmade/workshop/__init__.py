"""The workshop: exercises, their judge, and what a learner does with them; from Python by the names below."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from handmade.workshop.asking import check as check
    from handmade.workshop.asking import hint as hint
    from handmade.workshop.asking import solution as solution
    from handmade.workshop.asking import statement as statement
    from handmade.workshop.asking import stub as stub
    from handmade.workshop.asking import try_ as try_

__all__ = ["check", "hint", "solution", "statement", "stub", "try_"]


def __getattr__(name: str) -> Any:
    if name in __all__:  # with NumPy, which reading a record does without
        return getattr(import_module("handmade.workshop.asking"), name)
    raise AttributeError(f"module 'handmade.workshop' has no attribute {name!r}")
