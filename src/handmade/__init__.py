"""handmade: the canonical neural networks made by hand on NumPy, down to the gradients.

Its names are those of `handmade.namespace`, and its rooms (`handmade.nn`). Both are loaded when first asked for, so
that a program that computes nothing, such as `handmade plan`, starts without NumPy.
"""

import importlib
import sys
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

from handmade.moved import MOVED, MOVED_FUNCTIONS, MovedFinder

if TYPE_CHECKING:
    from handmade.namespace import *  # noqa: F403

__version__ = "0.2.0"

sys.meta_path.append(MovedFinder())


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext handmade` calls: from then on `%%check NAME` judges a cell."""
    importlib.import_module("handmade.workshop.magics").Magics(shell)


LATE = {
    "open": "handmade.opening",
    "save": "handmade.weights.objects",
    "load": "handmade.weights.objects",
    "explore": "handmade.web.notebooks",
}
"""Names of rooms that are loaded for them alone: tensors need no readers of files."""


def __getattr__(name: str) -> Any:
    if name in LATE:
        return getattr(importlib.import_module(LATE[name]), name)
    if PathFinder.find_spec(f"handmade.{name}", __path__):  # noqa: F405
        return importlib.import_module(f"handmade.{name}")
    if "__all__" not in globals() and (name == "__all__" or not name.startswith("__")):  # once
        namespace = vars(importlib.import_module("handmade.namespace"))
        public = {key: value for key, value in namespace.items() if not key.startswith("_")}
        globals().update(public, __all__=list(public))
    if name in globals():
        return globals()[name]
    if f"handmade.{name}" in MOVED:
        raise AttributeError(f"handmade.{name} has moved: import its names from {MOVED[f'handmade.{name}']}")
    if name in MOVED_FUNCTIONS:
        raise AttributeError(f"handmade.{name} has moved: use {MOVED_FUNCTIONS[name]}")
    absent = importlib.import_module("handmade.absent")
    if not name.startswith("_") and absent.explanation(f"torch.{name}"):
        raise AttributeError(absent.absent_name(f"torch.{name}"))
    raise AttributeError(f"module 'handmade' has no attribute {name!r}")


def __dir__() -> list[str]:
    import pkgutil

    return sorted({*globals(), *LATE, *__getattr__("__all__"), *(room.name for room in pkgutil.iter_modules(__path__))})  # noqa: F405
