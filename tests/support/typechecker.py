"""The run-time type checker of the tests: types of all arguments and results, and shapes where arrays are annotated.

jaxtyping's own import hook treats every function as one on arrays, and makes all checks as modules load: that takes
several times as long to load and to call. Here a function's checks are made when it is first called, and only those
whose annotations name an array go through jaxtyping: all others are beartype's alone.
"""

import ast
import builtins
import dataclasses
import os
import sys
from collections.abc import Callable, Iterable
from functools import wraps
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import decode_source
from typing import Any, get_args

from beartype import BeartypeConf, beartype
from jaxtyping import AbstractArray, TypeCheckError, jaxtyped

# An int is a float, too (PEP 484's numeric tower); one kind of error from both checkers.
check = beartype(conf=BeartypeConf(is_pep484_tower=True, violation_type=TypeCheckError))
_NAME = "_checked_by_the_tests"


def checked(what: Any) -> Any:
    """A function, or the __init__ of a dataclass, that checks what it gets and gives."""
    if isinstance(what, type):
        if dataclasses.is_dataclass(what) and "__init__" in vars(what):
            what.__init__ = checked(what.__init__)
        return what
    hints = {name: _unquoted(hint, what.__globals__) for name, hint in what.__annotations__.items()}
    checking: Callable | None = None

    @wraps(what)
    def checking_when_called(*args: Any, **options: Any) -> Any:
        nonlocal checking
        if checking is None:
            what.__annotations__ = hints
            on_arrays = any(map(_names_an_array, hints.values()))
            checking = _with_sizes(check(what)) if on_arrays else check(what)
        return checking(*args, **options)

    return checking_when_called


def _with_sizes(checking: Callable) -> Callable:
    """Remembers sizes by their letters from argument to argument.

    Given `check` itself, jaxtyping has all arguments checked before the call and once more beside the result.
    """

    def in_context(*args: Any, **options: Any) -> Any:
        with jaxtyped("context"):
            return checking(*args, **options)

    return in_context


def _unquoted(hint: Any, names: dict[str, Any]) -> Any:
    """What a quoted annotation stands for; anything where that is not there yet: a class in its own methods, as a rule.

    Tests pass these other things on purpose, to see what the library says itself.
    """
    try:
        return eval(hint, names) if isinstance(hint, str) else hint
    except Exception:  # as many kinds as there are annotations
        return Any


def _names_an_array(hint: Any) -> bool:
    if isinstance(hint, type) and issubclass(hint, AbstractArray):
        return True
    return any(_names_an_array(part) for part in get_args(hint))


class _Decorating(ast.NodeVisitor):
    """Decorates every function, below its other decorators, and every class, above them."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        node.decorator_list.append(ast.Name(_NAME, ast.Load()))
        self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        node.decorator_list.insert(0, ast.Name(_NAME, ast.Load()))
        self.generic_visit(node)


class _Loader(SourceFileLoader):
    """Keeps what it has compiled on the disk, beside Python's own: decorating 270 files takes a second or two."""

    def source_to_code(self, data: Any, path: Any, *, _optimize: int = -1) -> Any:
        tree = ast.parse(decode_source(data), path)
        _Decorating().visit(tree)
        return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True, optimize=_optimize)

    def get_data(self, path: str) -> bytes:
        return super().get_data(_of_our_own(path))

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        super().set_data(_of_our_own(path), data, _mode=_mode)


def _of_our_own(path: str) -> str:
    """A bytecode file's other name, with which programs that check nothing never meet; sources keep theirs.

    The name holds when this file was changed: what an earlier form of it has decorated is not read.
    """
    return path.replace(".pyc", f".checked-{_CHANGED}.pyc")


_CHANGED = os.stat(__file__).st_mtime_ns


class _Finder(MetaPathFinder):
    def __init__(self, modules: Iterable[str]) -> None:
        self.modules = tuple(modules)

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if not any(fullname == module or fullname.startswith(f"{module}.") for module in self.modules):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def check_on_import(modules: Iterable[str]) -> None:
    """From now on, these modules and all within them are checked as they are imported."""
    setattr(builtins, _NAME, checked)  # no module gets a name that it does not have
    sys.meta_path.insert(0, _Finder(modules))
