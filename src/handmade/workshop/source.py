"""An exercise as text: the stub to begin with, the solution, and the code with a mistake in it."""

import ast
import inspect
import sys
import textwrap
from collections.abc import Set
from functools import lru_cache
from pathlib import Path

from handmade.workshop.cell.tracing import walk
from handmade.workshop.exercise import Exercise
from handmade.workshop.folding import fold

Statement = ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign | ast.Import | ast.ImportFrom


def stub(exercise: Exercise) -> str:
    """The statement, and the functions to write, with their docstrings and nothing in them."""
    source = _reference(exercise)
    names = {function.__name__ for function in exercise.functions}
    parts = [
        _emptied(source, node)
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in names
    ]
    return "\n\n\n".join([f"{_heading(exercise)}\n\nimport numpy as np", *parts]) + "\n"


def solution(exercise: Exercise) -> str:
    """The reference as a person writes it, with the helpers it needs."""
    return _written(exercise, frozenset())


def faulty(exercise: Exercise, *faults: str) -> str:
    """The reference with this mistake in it, or several, for a drill."""
    return _written(exercise, frozenset(faults))


def _written(exercise: Exercise, on: frozenset[str]) -> str:
    names = frozenset(function.__name__ for function in exercise.functions)
    return _folded(_reference(exercise), names, _heading(exercise), on)


@lru_cache(maxsize=256)
def _folded(source: str, names: frozenset[str], heading: str, on: frozenset[str]) -> str:
    """What a file says of these names under these switches, behind the heading. Texts make a text: a verdict asks for
    the same ones again and again."""
    source = "\n\n\n".join(fold(part, on) for part in _parts(source, names))
    nodes = _needed(ast.parse(source), names)  # without what only other switches need
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    groups = [[_lines(source, node) for node in imports if _is_standard(node) is own] for own in (True, False)]
    heading = "\n\n".join([heading, *("\n".join(group) for group in groups if group)])
    parts = [_lines(source, node) for node in nodes if node not in imports]
    return "\n\n\n".join([heading, *parts]) + "\n"


@lru_cache(maxsize=256)
def _parts(source: str, names: frozenset[str]) -> list[str]:
    """What a file's statements say that these names need, the switches still in it."""
    return [_lines(source, node) for node in _needed(ast.parse(source), names)]


def _reference(exercise: Exercise) -> str:
    module = sys.modules[exercise.functions[0].__module__]
    return Path(inspect.getsourcefile(module) or "").read_text("utf-8")


def _heading(exercise: Exercise) -> str:
    paper = textwrap.fill(f"Paper: {exercise.paper}.", 110)
    return f'"""{exercise.title}.\n\n{exercise.statement}\n\n{paper}\n"""'


def _needed(tree: ast.Module, names: Set[str]) -> list[Statement]:
    """The statements that define these names and, in turn, every name they use; in the order of the file."""
    by_name: dict[str, Statement] = {}
    for node in tree.body:
        if isinstance(node, Statement) and not (isinstance(node, ast.ImportFrom) and _is_own(node)):
            by_name |= dict.fromkeys(_defined(node), node)
    wanted, todo = set(), set(names)
    while todo:
        name = todo.pop()
        if name in by_name and name not in wanted:
            wanted.add(name)
            todo |= {part.id for part in walk(by_name[name]) if isinstance(part, ast.Name)}
    kept = {id(by_name[name]): by_name[name] for name in wanted}
    return [node for node in tree.body if id(node) in kept and isinstance(node, Statement)]


def _is_own(node: ast.ImportFrom) -> bool:
    return (node.module or "").startswith("handmade")


def _is_standard(node: ast.Import | ast.ImportFrom) -> bool:
    module = node.names[0].name if isinstance(node, ast.Import) else node.module or ""
    return module.partition(".")[0] in sys.stdlib_module_names


def _defined(node: Statement) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [(alias.asname or alias.name).partition(".")[0] for alias in node.names]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]


def _lines(source: str, node: Statement) -> str:
    """A statement's text, with its decorators and the comment lines above it."""
    lines = source.split("\n")
    first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))]) - 1
    while first > 0 and lines[first - 1].startswith("#"):
        first -= 1
    return "\n".join(lines[first : node.end_lineno])


def _emptied(source: str, node: ast.FunctionDef | ast.ClassDef, indent: str = "") -> str:
    """The definition with its docstring and `raise NotImplementedError`; a class keeps its public methods."""
    lines = source.split("\n")
    header = lines[node.lineno - 1 : node.body[0].lineno - 1] or [lines[node.lineno - 1]]
    docstring = ast.get_docstring(node, clean=False)
    text = [lines[line] for line in range(node.body[0].lineno - 1, node.body[0].end_lineno or 0)] if docstring else []
    if isinstance(node, ast.FunctionDef):
        return "\n".join([*header, *text, f"{indent}    raise NotImplementedError"])
    methods = [
        _emptied(source, part, indent + "    ")
        for part in node.body
        if isinstance(part, ast.FunctionDef) and (not part.name.startswith("_") or part.name.endswith("__"))
    ]
    return "\n\n".join(["\n".join([*header, *text]), *methods])
