"""Stand-ins for plotting libraries: a solution that imports one still computes, but draws nothing."""

import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

INERT = ("matplotlib", "mpl_toolkits", "pylab", "seaborn", "plotly", "IPython")
"""They are replaced because they look for fonts, which takes seconds and starts processes, or for a notebook."""


class Inert(ModuleType):
    """A module in which there is whatever is asked for, and calling it does nothing."""

    __path__: list[str] = []  # noqa: RUF012 (every part of it is a module, too)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Inert(f"{self.__name__}.{name}")

    def __call__(self, *_: Any, **__: Any) -> "Inert":
        return self

    def __getitem__(self, _: Any) -> "Inert":
        return self

    def __enter__(self) -> "Inert":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __iter__(self) -> Iterator["Inert"]:
        return iter((self, self))  # figure, axes = plt.subplots()


class InertFinder:
    """Finds a stand-in for every library in INERT."""

    @staticmethod
    def find_spec(name: str, *_: Any) -> ModuleSpec | None:
        return ModuleSpec(name, InertFinder, is_package=True) if name.partition(".")[0] in INERT else None  # pyright: ignore[reportArgumentType]

    @staticmethod
    def create_module(spec: ModuleSpec) -> ModuleType:
        return Inert(spec.name)

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        pass


def put_in() -> None:
    """From now on, in this process, these libraries' stand-ins are what is imported."""
    sys.meta_path.insert(0, InertFinder)  # pyright: ignore[reportArgumentType]
