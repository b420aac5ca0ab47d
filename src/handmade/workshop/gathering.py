"""A function that lives in a notebook or a session, as a file that the judge can run: with what it needs around it."""

import ast
import builtins
import inspect
import sys
import textwrap
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from handmade.errors import InputError

LARGEST = 10_000
"""Numbers of an array that is taken along."""

Code = Callable[..., Any] | type


def file_of(functions: tuple[Code, ...], wanted: tuple[str, ...]) -> str:
    """The file with these functions, under the `wanted` names, in the lines in which they were written.

    What they use of their own module comes along: imports and constants in the first line, functions at the end.
    Raises InputError where a function's source is not to be had.
    """
    first = functions[0]
    namespace = dict(getattr(first, "__globals__", None) or vars(inspect.getmodule(first) or builtins))
    sources = [_source(function) for function in functions]
    body = "\n\n\n".join(text for text, _ in sources)
    defined = {function.__name__ for function in functions}
    others = [namespace[name] for name in wanted if name not in defined and inspect.isroutine(namespace.get(name))]
    body += "".join(f"\n\n\n{_source(other)[0]}" for other in others if len(functions) < len(wanted))
    if len(functions) == len(wanted) == 1 and first.__name__ != wanted[0]:
        body += f"\n\n\n{wanted[0]} = {first.__name__}\n"
    start = sources[0][1]
    return with_surroundings("\n" * max(start - 2, 0) + body, namespace)


def with_surroundings(body: str, namespace: Mapping[str, Any]) -> str:
    """`body` from the second line on, with what it uses of `namespace` before it in the first, and behind it.

    A body that is not Python stays as it is: what is wrong is said when it is read.
    """
    early: list[str] = []
    late: list[str] = []
    known = set(dir(builtins))
    todo = [body]
    while todo:
        try:
            tree = ast.parse(todo.pop())
        except (SyntaxError, ValueError):
            continue
        known |= _bound(tree)
        for name in sorted(_used(tree) - known):
            known.add(name)
            if name in namespace:
                line, source = _brought(name, namespace[name])
                early += [line] if line else []
                if source:
                    late.append(source)
                    todo.append(source)
    return "\n".join(["; ".join(early), body, *(f"\n\n{source}" for source in late)]) + "\n"


def _brought(name: str, value: Any) -> tuple[str, str]:
    """What brings a name along: a statement for the first line, or a definition for the end."""
    if isinstance(value, ModuleType):
        return f"import {value.__name__} as {name}", ""
    if inspect.isfunction(value) or inspect.isclass(value) or inspect.isbuiltin(value):
        module = getattr(value, "__module__", None) or "__main__"
        if _is_installed(module):
            return f"from {module} import {value.__name__} as {name}", ""
        try:
            other = f"\n\n\n{name} = {value.__name__}" if value.__name__ != name else ""
            return "", _source(value)[0] + other
        except InputError:
            return "", ""
    if isinstance(value, np.ndarray) and value.size <= LARGEST and value.dtype.kind in "biuf":
        return f"{name} = __import__('numpy').array({value.tolist()!r}, {value.dtype.str!r})", ""
    if isinstance(value, np.ufunc):
        return f"from numpy import {value.__name__} as {name}", ""
    text = repr(value)
    try:
        return (f"{name} = {text}", "") if ast.literal_eval(text) == value else ("", "")
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return "", ""


def _is_installed(module: str) -> bool:
    """Whether a module is a library's, which the judge's process can import, too."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return module != "__main__" and (file is None or "-packages" in file or file.startswith(sys.base_prefix))


def _source(code: Code) -> tuple[str, int]:
    """The source of a function or class, and the number of its first line where it was written."""
    try:
        lines, start = inspect.getsourcelines(code)
    except (OSError, TypeError) as error:
        name = getattr(code, "__name__", repr(code))
        raise InputError(f"the source of {name} is not to be had: write it with def in a cell or a file.") from error
    text = textwrap.dedent("".join(lines)).rstrip()
    if not text.startswith(("def ", "class ", "@", "async def ")):
        raise InputError(f"{text.splitlines()[0]!r} is no definition: write the function with def.")
    return text, max(start, 1)


def _used(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _bound(tree: ast.Module) -> set[str]:
    """The names that the top level defines."""
    names = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        else:
            names |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return names
