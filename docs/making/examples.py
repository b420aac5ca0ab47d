"""The examples in docstrings run, or the site is not built."""

import doctest
from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType

import handmade

LEFT_OUT = ("handmade.__main__", "handmade.workshop.variants", "handmade.data.packaged")


def modules() -> Iterator[ModuleType]:
    """Every module of handmade that has docstrings to read."""
    for found in walk_packages(handmade.__path__, "handmade."):
        if not found.name.startswith(LEFT_OUT):
            yield import_module(found.name)


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
