"""Expressions of right solutions, their names put into the learner's: what may stand where a mistake does."""

import ast
import builtins
from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.tracing import seen_nodes
from handmade.workshop.judging.alignment import Alignment
from handmade.workshop.judging.edits import Edit, Editor
from handmade.workshop.judging.rightvalues import RightRun, numbers, spelled

MOST, LONGEST = 120, 160
"""How many pieces are tried at one place, and how long one may be."""

_FREE = {"np", "math", *dir(builtins)}


def pieces(editor: Editor, alignment: Alignment, number: int, runs: list[RightRun]) -> Iterator[Edit]:
    """The expressions of right solutions that can be written with the learner's names, in this node's place."""
    node = editor.nodes[number]
    if not isinstance(node, ast.expr) or not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return
    parent, place = editor.parent[id(node)]
    if (isinstance(parent, ast.Call) and place == "func") or isinstance(node, ast.Constant | ast.Slice | ast.Starred):
        return
    here = set(editor.names_at(node))
    mine, found = editor.text(node), dict[str, None]()
    for run in runs:
        for text in written(run, alignment, here):
            if text != mine and len(text) <= LONGEST:
                found.setdefault(text)
    for rank, text in enumerate(list(found)[:MOST]):
        yield editor.put(node, text, "another expression", 2.0 + 0.004 * rank + 0.004 * abs(len(text) - len(mine)))


def written(run: RightRun, alignment: Alignment, here: set[str]) -> list[str]:
    """A right solution's expressions in the learner's names, those of whole statements first."""
    names = mapped_names(run, alignment)
    tree = run.nodes[0]
    assert isinstance(tree, ast.Module)
    found: list[tuple[bool, str]] = []
    statements = {id(n.value) for n in run.nodes if isinstance(n, ast.Assign | ast.Return | ast.AugAssign) and n.value}
    for node in seen_nodes(tree):
        text = in_other_names(node, names, here)
        if text is not None:
            found.append((id(node) not in statements, text))
    return [text for _, text in sorted(found, key=lambda pair: pair[0])]


def in_other_names(node: ast.expr, names: dict[str, str], here: set[str]) -> str | None:
    """The expression with other names, None where one of its names has no counterpart."""
    used = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    bound = {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    bound |= {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)}
    if not all(name in _FREE or name in bound or names.get(name) in here for name in used):
        return None

    class Renamed(ast.NodeTransformer):
        def visit_Name(self, name: ast.Name) -> ast.Name:
            return ast.Name(name.id if name.id in bound else names.get(name.id, name.id), name.ctx)

    return ast.unparse(Renamed().visit(ast.parse(ast.unparse(node), mode="eval").body))


def mapped_names(run: RightRun, alignment: Alignment) -> dict[str, str]:
    """For names of a right solution, those of the learner's that held the same value, the same names first."""
    mine: dict[bytes, list[str]] = {}
    for event in alignment.events:
        name = spelled(alignment.nodes[event.node])
        if name and event.value is not None:
            mine.setdefault(_key(event.value), []).append(name)
    found: dict[str, str] = {}
    for number, value in run.events:
        name = spelled(run.nodes[number])
        same = mine.get(_key(value), []) if name and value is not None else []
        if same and (name not in found or found[name] != name):
            found[name] = name if name in same else same[0]
    return found


def _key(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode()
    array = numbers(value)
    return repr(array.shape).encode() + np.round(array, 9).tobytes()
