"""The examples in docstrings run, or the site is not built."""

import doctest
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import handmade

LEFT_OUT = ("handmade.__main__", "handmade.workshop.variants", "handmade.data.packaged", "handmade.astorch")
"""The last one takes PyTorch's place in the process, which `interop` needs; it has no examples."""


def modules(package: ModuleType = handmade) -> Iterator[ModuleType]:
    """Every module of a package that has docstrings to read."""
    for one in iter_modules(package.__path__, f"{package.__name__}."):
        if not one.name.startswith(LEFT_OUT):
            module = import_module(one.name)
            yield module
            if one.ispkg:
                yield from modules(module)


def run() -> int:
    """Run all examples, each docstring from the same seed; the number that ran. SystemExit if one is wrong."""
    finder, runner = doctest.DocTestFinder(exclude_empty=True), doctest.DocTestRunner()
    for module in modules():
        for test in finder.find(module, module.__name__):
            handmade.manual_seed(0)
            runner.run(test)
    if runner.failures:
        raise SystemExit(f"{runner.failures} examples of docstrings are wrong")
    return runner.tries
