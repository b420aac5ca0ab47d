"""Expressions of right solutions, their names put into the learner's: what may stand where a mistake does."""

import ast
import builtins
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import lru_cache

import numpy as np

from handmade.workshop.cell.tracing import Definition, seen_nodes, targets, walk
from handmade.workshop.judging.alignment import Alignment
from handmade.workshop.judging.edits import Edit, Editor
from handmade.workshop.judging.moves import is_docstring
from handmade.workshop.judging.rightvalues import RightRun, numbers, spelled, tells_much

MOST, LONGEST = 120, 200
"""How many pieces are tried at one place, and how long one may be."""

UNLIKE = 0.6
"""What a piece costs more that has nothing in common with what stands there."""

_KNOWN = frozenset({"np", "math", *dir(builtins)})
"""The names that need no counterpart: what every solution has."""


def pieces(editor: Editor, alignment: Alignment, number: int, runs: list[RightRun]) -> Iterator[Edit]:
    """The expressions of right solutions that can be written with the learner's names, in this node's place."""
    node = editor.nodes[number]
    if not isinstance(node, ast.expr) or not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return
    parent, place = editor.parent[id(node)]
    if (isinstance(parent, ast.Call) and place == "func") or isinstance(node, ast.Constant | ast.Slice | ast.Starred):
        return
    here = {*editor.names_at(node), *_own_functions(editor)}
    mine, found = editor.text(node), dict[str, float]()
    target = spelled(parent.targets[0]) if isinstance(parent, ast.Assign) and len(parent.targets) == 1 else ""
    for run in runs:
        for text, name in written(run, alignment, here):
            if text != mine and len(text) <= LONGEST:
                cost = 1.3 if name and name == target else 1.55
                found[text] = min(cost, found.get(text, cost))
    costs = {text: cost + UNLIKE * (1 - SequenceMatcher(None, mine, text).ratio()) for text, cost in found.items()}
    for text in sorted(costs, key=costs.__getitem__)[:MOST]:
        yield editor.put(node, text, "another expression", costs[text])


def statements(editor: Editor, alignment: Alignment, number: int, runs: list[RightRun]) -> Iterator[Edit]:
    """The plain statements of right solutions that can be written with the learner's names: in the place of a `pass`,
    or behind a statement."""
    node = editor.nodes[number]
    if not isinstance(node, ast.stmt) or isinstance(node, Definition | ast.ClassDef | ast.Return):
        return
    function = editor.function_of(node)
    if function is None:
        return
    here = {*editor.names_at(node), *_own_functions(editor)}
    replaced = {editor.text(target) for target in targets(node)}
    known = {ast.unparse(part) for part in walk(function) if isinstance(part, ast.stmt)}
    found: dict[str, None] = {}
    for run in runs:
        for text, target, used in _renamed_statements(run, alignment):
            if used <= here and not (target and target in replaced) and text not in known:
                found.setdefault(text)
    missing = {n.id for n in walk(function) if isinstance(n, ast.Name)} - here - _KNOWN
    is_pass, indent = isinstance(node, ast.Pass), " " * node.col_offset
    for rank, text in enumerate(list(found)[:MOST]):
        gives_missing = bool(missing & _changed_names(ast.parse(text)))
        cost = (1.2 if gives_missing else 1.5 if is_pass else 2.4) + 0.004 * rank
        if is_pass:
            text = text.replace("\n", f"\n{indent}")
            yield editor.replaced(node, text, "a statement that is missing", cost)
        elif not getattr(node, "body", None) and "\n" not in text:
            yield editor.replaced(node, f"{editor.text(node)}\n{indent}{text}", "a statement that is missing", cost)


def _changed_names(statement: ast.AST) -> set[str]:
    """The names that the statement, or one in it, gives a value."""
    inner = [part for part in walk(statement) if isinstance(part, ast.stmt)]
    stored = {n.id for n in walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return stored | {target.id for part in inner for target in targets(part) if isinstance(target, ast.Name)}


def written(run: RightRun, alignment: Alignment, here: set[str]) -> list[tuple[str, str]]:
    """A right solution's expressions in the learner's names, each with the name that it is assigned to, if it is."""
    return [(text, name) for text, name, used in _renamed(run, alignment) if used <= here]


@lru_cache(maxsize=32)
def _renamed(run: RightRun, alignment: Alignment) -> list[tuple[str, str, set[str]]]:
    """The expressions in the learner's names, the names that they are assigned to, and the names in them."""
    names = mapped_names(run, alignment)
    tree = run.nodes[0]
    assert isinstance(tree, ast.Module)
    assigned = {
        id(node.value): spelled(node.targets[0])
        for node in run.nodes
        if isinstance(node, ast.Assign) and len(node.targets) == 1
    }
    found: list[tuple[str, str, set[str]]] = []
    for node in seen_nodes(tree):
        text = in_other_names(node, names, set(names.values()))
        if text is not None and len(text) <= LONGEST:
            own = assigned.get(id(node), "")
            used = {names[part.id] for part in walk(node) if isinstance(part, ast.Name) and part.id in names}
            found.append((text, names.get(own, own), used))
    return found


@lru_cache(maxsize=32)
def _renamed_statements(run: RightRun, alignment: Alignment) -> list[tuple[str, str, set[str]]]:
    """The statements in the learner's names, what a plain assignment assigns to, and the names that they need: those
    that they assign themselves may be new."""
    names = mapped_names(run, alignment)
    found: list[tuple[str, str, set[str]]] = []
    for part in run.nodes:
        if isinstance(part, ast.Assign | ast.AugAssign | ast.For | ast.If | ast.Expr) and not is_docstring(part):
            own = _changed_names(part)
            mapped = {**{name: name for name in own}, **names}
            text = in_other_names(part, mapped, set(mapped.values()))
            if text is not None and len(text) <= LONGEST:
                target = ast.unparse(part.targets[0]) if isinstance(part, ast.Assign) else ""
                used = {mapped[name] for name in _free_names(part) - _KNOWN}
                found.append((text, target, used - {names.get(name, name) for name in own}))
    return found


def in_other_names(node: ast.expr | ast.stmt, names: dict[str, str], here: set[str]) -> str | None:
    """The expression or statement with other names, None where one of its names has no counterpart."""
    free = _free_names(node)
    if not all(names.get(name) in here for name in free - _KNOWN):
        return None
    if all(names.get(name, name) == name for name in free):
        return _unparsed(node)

    class Renamed(ast.NodeTransformer):
        def visit_Name(self, name: ast.Name) -> ast.Name:
            return ast.Name(names.get(name.id, name.id) if name.id in free else name.id, name.ctx)

    return ast.unparse(Renamed().visit(ast.parse(_unparsed(node)).body[0]))


@lru_cache(maxsize=4096)
def _unparsed(node: ast.AST) -> str:
    return ast.unparse(node)


@lru_cache(maxsize=4096)
def _free_names(node: ast.AST) -> frozenset[str]:
    """The names in an expression or statement that are not bound in it; those that a statement assigns are among
    them."""
    parts = walk(node)
    bound = {part.arg for part in parts if isinstance(part, ast.arg)}
    if isinstance(node, ast.expr):
        bound |= {part.id for part in parts if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    return frozenset({part.id for part in parts if isinstance(part, ast.Name)} - bound)


def _own_functions(editor: Editor) -> set[str]:
    return {node.name for node in editor.tree.body if isinstance(node, Definition)}


@lru_cache(maxsize=32)
def mapped_names(run: RightRun, alignment: Alignment) -> dict[str, str]:
    """For names of a right solution, those of the learner's that held the same value, the same names first; functions
    of the same name are taken to be the same."""
    mine: dict[bytes, list[str]] = {}
    for event in alignment.events:
        name = spelled(alignment.nodes[event.node])
        if name and event.value is not None:
            mine.setdefault(_key(event.value), []).append(name)
    stored = {spelled(node) for node in alignment.nodes if isinstance(getattr(node, "ctx", None), ast.Store)}
    own = {node.name for node in alignment.nodes if isinstance(node, Definition)}
    found = {node.name: node.name for node in run.nodes if isinstance(node, Definition) and node.name in own}
    for number, value in run.events:
        name = spelled(run.nodes[number])
        same = mine.get(_key(value), []) if name and value is not None else []
        if name in stored and name not in same and not tells_much(value):
            same = [name]  # a number may be another's by chance
        if same and (name not in found or found[name] != name):
            found[name] = name if name in same else same[0]
    return found


def _key(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode()
    array = numbers(value)
    return repr(array.shape).encode() + np.round(array, 9).tobytes()
