"""Edits of statements: one left out, another assignment, a neighbour first, in or out of a loop or a condition."""

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from handmade.workshop.judging.vocabulary import OPERATORS

if TYPE_CHECKING:
    from handmade.workshop.judging.edits import Edit, Editor

INDENT = "    "

OTHERS = 10
"""How many other names are tried in all places of a statement at once, the nearest first."""


def edits_of_statement(editor: "Editor", node: ast.stmt) -> Iterator["Edit"]:
    """All edits of one statement as a whole."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return
    match node:
        case ast.Assign(targets=[target]) if not isinstance(target, ast.Tuple):
            name, value = editor.text(target), editor.text(node.value)
            for sign in ("+", "-", "*"):
                yield editor.replaced(node, f"{name} {sign}= {value}", f"{sign}= in place of =", 1.2)
        case ast.AugAssign(target=target, op=op, value=value):
            name, text = editor.text(target), editor.text(value)
            sign = OPERATORS.get(type(op), "+")
            yield editor.replaced(node, f"{name} = {text}", f"= in place of {sign}=", 1.1)
            yield editor.replaced(node, f"{name} = {name} {sign} ({text})", "a new array, not the old one changed", 1.1)
            for other in ("+", "-", "*", "/"):
                if other != sign:
                    yield editor.replaced(node, f"{name} {other}= {text}", "an operator", 1.1)
        case ast.If():
            test = editor.text(node.test)
            yield editor.put(node.test, f"not ({test})", "a condition", 1.2)
            yield editor.put(node.test, "True", "a condition", 1.5)
            yield editor.put(node.test, "False", "a condition", 1.5)
    if is_docstring(node):
        return
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Return | ast.Expr):
        yield from _renamed(editor, node)
    if not isinstance(node, ast.Return | ast.Pass):
        yield editor.replaced(node, "pass", "a statement too many", 1.6)
    yield from _moves(editor, node)


def is_docstring(node: ast.stmt) -> bool:
    """Whether a statement only says something."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _renamed(editor: "Editor", node: ast.stmt) -> Iterator["Edit"]:
    """Another name in all places of the statement where one is read more than once."""
    read = [part for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)]
    callees = {id(part.func) for part in ast.walk(node) if isinstance(part, ast.Call)}
    places: dict[str, list[ast.Name]] = {}
    for part in read:
        if id(part) not in callees and part.id != "np":
            places.setdefault(part.id, []).append(part)
    given = {part.arg for part in ast.walk(editor.function_of(node) or node) if isinstance(part, ast.arg)}
    for name, parts in places.items():
        others = [other for other in editor.names_at(node) if other != name]
        others = [*(o for o in others if (o in given) == (name in given)), *others]
        for rank, other in enumerate(list(dict.fromkeys(others))[:OTHERS] if len(parts) > 1 else ()):
            texts = tuple((*editor.span(part), other) for part in parts)
            yield _edit(editor, node, texts, "another name", 1.15 + 0.05 * rank)


def _moves(editor: "Editor", node: ast.stmt) -> Iterator["Edit"]:
    parent, field = editor.parent[id(node)]
    body = getattr(parent, field)
    if not isinstance(body, list):
        return
    place = body.index(node)
    if place + 1 < len(body):
        after = body[place + 1]
        yield _rewritten(editor, node, [node, after], [(after, 0), (node, 0)], "the order of two statements", 1.4)
        if isinstance(node, ast.For | ast.While) and not node.orelse:
            yield _rewritten(editor, after, [node, after], [(node, 0), (after, 1)], "a statement into the loop", 1.4)
    if isinstance(parent, ast.For | ast.While | ast.If) and field == "body" and len(body) > 1 and not parent.orelse:
        if place == len(body) - 1:
            start, end = _whole_lines(editor, node)
            text = " " * (node.col_offset - len(INDENT)) + _dedented(editor.text(node))
            yield _edit(editor, node, ((start, end, f"{text}\n"),), "a statement out of the block", 1.3)
        if place == 0:
            text, header = editor.text(node), editor.span(parent)[0]
            indent = " " * parent.col_offset
            start, end = _whole_lines(editor, node)
            parts = ((header, header, f"{_dedented(text)}\n{indent}"), (start, end, ""))
            yield _edit(editor, node, parts, "a statement out of the block", 1.4)
    if isinstance(node, ast.If) and not node.orelse:
        start, end = _whole_lines(editor, node)
        indent = " " * node.col_offset
        text = "\n".join(indent + _dedented(editor.text(part)) for part in node.body)
        yield _edit(editor, node, ((start, end, f"{text}\n"),), "a condition", 1.6)


def _rewritten(
    editor: "Editor", about: ast.stmt, old: list[ast.stmt], new: list[tuple[ast.stmt, int]], kind: str, cost: float
) -> "Edit":
    """Statements of one block in another order, some of them indented further."""
    start, end = editor.span(old[0])[0], editor.span(old[-1])[1]
    indent = " " * old[0].col_offset
    texts = [f"{INDENT * deeper}{_indented(editor.text(part), deeper)}" for part, deeper in new]
    return _edit(editor, about, ((start, end, f"\n{indent}".join(texts)),), kind, cost)


def _whole_lines(editor: "Editor", node: ast.stmt) -> tuple[int, int]:
    start, end = editor.span(node)
    return start - node.col_offset, min(editor.source.find("\n", end) + 1 or len(editor.source), len(editor.source))


def _indented(text: str, steps: int) -> str:
    return text.replace("\n", "\n" + INDENT * steps)


def _dedented(text: str) -> str:
    """The text with all lines but the first, which stands where it is put, one step further out."""
    return text.replace("\n" + INDENT, "\n")


def _edit(editor: "Editor", node: ast.stmt, parts: tuple[tuple[int, int, str], ...], kind: str, cost: float) -> "Edit":
    from handmade.workshop.judging.edits import Edit

    return Edit(kind, cost, editor.number[id(node)], node.lineno, parts)
