"""A source file in pieces, each with the prose that speaks of it: docstrings, and the comments above."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass
class Piece:
    """Some lines of a file, and what is said of them. A heading begins a part of the file."""

    name: str
    prose: str
    code: str
    heading: str = ""


def pieces(source: str) -> Iterator[Piece]:
    """The pieces of a file in order; its header, its imports and its cards are left out."""
    lines = source.splitlines()
    end = 0
    plain: list[str] = []
    for node in ast.parse(source).body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        comments, heading = _comments(lines[end : first - 1])
        end = node.end_lineno or first
        if _is_left_out(node):
            continue
        if plain and (comments or heading or isinstance(node, ast.FunctionDef | ast.ClassDef)):
            yield Piece("", "", "\n".join(plain))
            plain = []
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield from _definition(lines, node, comments, heading)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield Piece("", inspect.cleandoc(node.value.value), "\n".join(plain))
            plain = []
        elif comments or heading:
            yield Piece("", comments, "\n".join(lines[first - 1 : end]), heading)
        else:
            plain += lines[first - 1 : end]
    if plain:
        yield Piece("", "", "\n".join(plain))


def without_docstring(lines: list[str], node: ast.FunctionDef | ast.ClassDef, last: int | None = None) -> str:
    """The lines of a definition, up to the line `last`, without its docstring and the empty line after that."""
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    end = last or node.end_lineno or first
    if ast.get_docstring(node) is None:
        return _dedented(lines[first - 1 : end])
    docstring = node.body[0]
    rest = docstring.end_lineno or first
    while rest < end and not lines[rest].strip():
        rest += 1
    return _dedented([*lines[first - 1 : docstring.lineno - 1], *lines[rest:end]])


def _definition(lines: list[str], node: ast.FunctionDef | ast.ClassDef, comments: str, heading: str) -> Iterator[Piece]:
    docstring = ast.get_docstring(node) or ""
    prose = "\n\n".join(filter(None, [comments, docstring]))
    if isinstance(node, ast.FunctionDef):
        yield Piece(node.name, prose, without_docstring(lines, node), heading)
        return
    methods = [child for child in node.body if isinstance(child, ast.FunctionDef)]
    spoken_of = [child for child in methods if ast.get_docstring(child)]
    starts = [min([child.lineno, *(d.lineno for d in child.decorator_list)]) for child in spoken_of]
    last = starts[0] - 1 if starts else node.end_lineno
    yield Piece(node.name, prose, without_docstring(lines, node, last), heading)
    ends = [*(start - 1 for start in starts[1:]), node.end_lineno or 0]
    for child, last in zip(spoken_of, ends, strict=False):
        yield Piece(child.name, ast.get_docstring(child) or "", without_docstring(lines, child, last))


def _comments(lines: list[str]) -> tuple[str, str]:
    """The comments of some lines as prose, and the heading among them: `# --- blocks ---`."""
    heading = ""
    said = []
    for line in lines:
        found = re.fullmatch(r"# -+ (.+?) -+", line.strip())
        if found:
            heading = found[1].capitalize()
        elif line.startswith("#"):
            said.append(line.lstrip("# ").rstrip())
    return " ".join(said), heading


def _is_left_out(node: ast.stmt) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.lineno == 1:
        return True
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return any(isinstance(target, ast.Name) and target.id in ("CARDS", "__all__") for target in targets)


def _dedented(lines: list[str]) -> str:
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return inspect.cleandoc("\n".join(["", *lines]))
