"""The pages of the library: what each package gives, from its docstrings, with the code folded under each name."""

import ast
import inspect
import textwrap
from importlib import import_module
from types import ModuleType
from typing import Any

from docs.making.code import without_docstring
from docs.making.prose import blocks, escaped, fenced, folded, markdown, title

# The packages that have a page, and whether their code stands open: an operation is read, the rest is used.
PACKAGES = {
    "handmade": False,
    "handmade.attention": True,
    "handmade.engine": False,
    "handmade.ops": True,
    "handmade.nn": False,
    "handmade.nn.functional": False,
    "handmade.nn.init": False,
    "handmade.optim": True,
    "handmade.models": False,
    "handmade.text": False,
    "handmade.data": False,
    "handmade.weights": False,
    "handmade.tasks": False,
    "handmade.train": False,
    "handmade.lens": False,
    "handmade.draw": False,
}


def api_pages() -> dict[str, str]:
    """The pages by name."""
    pages: dict[str, str] = {}
    described: dict[int, str] = {}
    for name in sorted(PACKAGES, key=lambda name: -name.count(".")):  # an object belongs to the innermost package
        pages[f"api/{name}"] = _page(name, described)
    return {f"api/{name}": pages[f"api/{name}"] for name in PACKAGES}


def _page(name: str, described: dict[int, str]) -> str:
    package = import_module(name)
    parts = [f"# {name}", _body(package)]
    sections: dict[str, list[str]] = {}
    elsewhere: list[str] = []
    for public in _public(package):
        value = getattr(package, public)
        if not (inspect.isroutine(value) or inspect.isclass(value)):
            continue
        if id(value) in described:
            elsewhere.append(f"{{py:obj}}`{public} <{described[id(value)]}>`")
            continue
        described[id(value)] = f"{name}.{public}"
        sections.setdefault(getattr(value, "__module__", "") or name, []).append(_object(name, public, value))
    for module_name, objects in sections.items():
        module = import_module(module_name) if module_name.startswith("handmade") else package
        if module is not package:
            heading, _ = title(module.__doc__)
            parts += [f"## {escaped(heading)}", _body(module)]
        parts += objects
    if elsewhere:
        parts += ["## Also here", ", ".join(sorted(set(elsewhere)))]
    return "\n\n".join(filter(None, parts)) + "\n"


def _body(module: ModuleType) -> str:
    return markdown(module.__doc__) if module.__doc__ else ""


def _public(module: ModuleType) -> list[str]:
    """The names that a module gives: what a package imports as itself, and what is defined in it."""
    names = []
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.ImportFrom):
            names += [alias.name for alias in node.names if alias.asname == alias.name]
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign):
            names += [target.id for target in node.targets if isinstance(target, ast.Name)]
    return [name for name in names if not name.startswith("_")]


def _object(package: str, name: str, value: Any) -> str:
    kind = "class" if inspect.isclass(value) else "function"
    lines = [_docstring(value, _parameters(value)), _code(value, PACKAGES[package])]
    if kind == "class":
        lines += [_method(method, member) for method, member in vars(value).items() if _is_shown(method, member)]
    content = "\n\n".join(filter(None, lines))
    return f"::::::{{py:{kind}}} {name}{_signature(value)}\n:module: {package}\n\n{content}\n::::::"


def _method(name: str, member: Any) -> str:
    function = inspect.unwrap(getattr(member, "__func__", getattr(member, "fget", None) or member))
    kind = "property" if isinstance(member, property) else "method"
    signature = "" if kind == "property" else _signature(function, drop_first=not isinstance(member, staticmethod))
    content = _docstring(function, _parameters(function))
    return f":::::{{py:{kind}}} {name}{signature}\n\n{content}\n:::::"


def _is_shown(name: str, member: Any) -> bool:
    function = getattr(member, "__func__", getattr(member, "fget", member))
    own = getattr(function, "__name__", "") == name
    return own and not name.startswith("_") and inspect.isroutine(function) and bool(function.__doc__)


def _docstring(value: Any, names: set[str]) -> str:
    text = value.__doc__
    if inspect.isclass(value) and (value.__doc__ or "").startswith(f"{value.__name__}("):
        text = ""  # what dataclasses write for themselves
    return markdown(text, names) if blocks(text) else ""


def _parameters(value: Any) -> set[str]:
    try:
        return set(inspect.signature(value).parameters)
    except (TypeError, ValueError):
        return set()


def _signature(value: Any, drop_first: bool = False) -> str:
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return "()"
    parameters = list(signature.parameters.values())
    if drop_first and parameters:
        parameters = parameters[1:]
    shown = [p.replace(default=_shown(p.default), annotation=_shown(p.annotation, _Type)) for p in parameters]
    returned = inspect.Signature.empty if inspect.isclass(value) else _shown(signature.return_annotation, _Type)
    return " ".join(str(signature.replace(parameters=shown, return_annotation=returned)).split())


def _shown(value: Any, form: "type[_Shown] | None" = None) -> Any:
    return value if value is inspect.Parameter.empty else (form or _Shown)(value)


class _Shown:
    """A default value or a type as it would be written."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        text = repr(self.value)
        return getattr(self.value, "__name__", "...") if "<" in text else text


class _Type(_Shown):
    def __repr__(self) -> str:
        return self.value if isinstance(self.value, str) else inspect.formatannotation(self.value)


def _code(value: Any, is_open: bool) -> str:
    try:
        source = textwrap.dedent(inspect.getsource(inspect.unwrap(value)))
    except (OSError, TypeError):
        return ""
    (node,) = ast.parse(source).body
    if not isinstance(node, ast.FunctionDef | ast.ClassDef):
        return ""
    code = fenced(without_docstring(source.splitlines(), node))
    return code if is_open else folded("code", code)
