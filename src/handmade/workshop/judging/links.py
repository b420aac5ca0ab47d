"""Which values a solution makes of which: the events of a traced run, each with those that go into it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from handmade.workshop.cell.tracing import Definition, seen_nodes, targets, walk
from handmade.workshop.judging.rightvalues import (
    UNKNOWN,
    RightValues,
    key_of,
    returned_parts,
    same_value,
    spelled,
    tells_much,
)

Events = list[tuple[int, Any]]


@dataclass(eq=False)
class Event:
    """A value that was seen: the node's number, what it was, the events that it is made of, how it is found."""

    node: int
    value: Any
    made_of: list[int]
    found: int
    leads_to_right: bool = False
    is_called_so: bool = False
    """Whether right solutions have this value under the same name."""

    @property
    def is_suspect(self) -> bool:
        return self.found == UNKNOWN and not self.leads_to_right


def linked_events(tree: ast.Module, nodes: list[ast.AST], events: Events, right: RightValues) -> Iterator[Event]:
    """The events, each with those that it is made of: its parts' latest values, and those of the names in it."""
    number_of = {id(node): number for number, node in enumerate(nodes)}
    seen = {id(node) for node in seen_nodes(tree)}
    owner = owners(tree)
    assigned = {
        number_of[id(target)]: statement
        for statement in nodes
        if isinstance(statement, ast.stmt)
        for target in targets(statement)
    }
    given = {id(part) for node in nodes for part in returned_parts(node)}
    rounds = _in_comprehensions(nodes)
    returned: int | None = None
    latest: dict[int, int] = {}
    since: dict[int, list[int]] = {}
    holding: dict[bytes, int] = {}
    names: dict[tuple[str, str], int] = {}
    known: dict[bytes, int] = {}
    for place, (number, value) in enumerate(events):
        if number >= len(nodes):
            return
        node = nodes[number]
        function = owner.get(id(node), "")
        if number in assigned or isinstance(node, ast.arg):
            statement = assigned.get(number)
            parts = _sources(statement, node)
            name = spelled(node)
        else:
            parts, name = list(ast.iter_child_nodes(node)), ""
        made_of = _made_of(parts, seen, number_of, latest, names, function)
        for part in made_of.copy():
            made_of += since.pop(events[part][0], [])
        if isinstance(node, ast.Call) and returned is not None and same_value(events[returned][1], value):
            made_of.append(returned)  # it is a function of the learner's that has just returned this
            returned = None
        if isinstance(node, ast.arg) and tells_much(value) and (key := key_of(value)) in holding:
            made_of.append(holding[key])
        if name:
            if isinstance(assigned.get(number), ast.AugAssign | ast.Expr) or _is_partial(assigned.get(number), node):
                key = _scope(name, function), name
                made_of += [names[key]] if key in names else []
            names[_scope(name, function), name] = place
        latest[number] = place
        if id(node) in rounds:
            since.setdefault(number, []).append(place)
        if id(node) in given:
            returned = place
        if tells_much(value):
            holding[key_of(value)] = place
        yield Event(number, value, [m for m in made_of if m < place], _find(value, right, known))


def _in_comprehensions(nodes: list[ast.AST]) -> set[int]:
    """What is computed in each round of a comprehension: all of it goes into what is made of that."""
    loops = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    return {id(part) for node in nodes if isinstance(node, loops) for part in walk(node)}


def _find(value: Any, right: RightValues, known: dict[bytes, int]) -> int:
    if not hasattr(value, "tobytes"):
        return right.find(value)
    key = key_of(value)
    if key not in known:
        known[key] = right.find(value)
    return known[key]


def owners(tree: ast.Module) -> dict[int, str]:
    """The name of the function that each node is in."""
    found: dict[int, str] = {}

    def enter(node: ast.AST, name: str) -> None:
        for child in ast.iter_child_nodes(node):
            inner = child.name if isinstance(child, Definition) else name
            found[id(child)] = inner
            enter(child, inner)

    enter(tree, "")
    return found


def _sources(statement: ast.stmt | None, target: ast.AST) -> list[ast.AST]:
    """What a statement's target gets its value from."""
    if isinstance(statement, ast.For):
        return [statement.iter]
    if isinstance(statement, ast.Assign):
        pairs = statement.targets[0], statement.value
        if isinstance(pairs[0], ast.Tuple) and isinstance(pairs[1], ast.Tuple) and target in pairs[0].elts:
            return [pairs[1].elts[min(pairs[0].elts.index(target), len(pairs[1].elts) - 1)]]  # pyright: ignore
        indices = [t for t in statement.targets if isinstance(t, ast.Subscript)]
        return [statement.value, *(t.slice for t in indices)]
    if isinstance(statement, ast.AugAssign | ast.AnnAssign) and statement.value is not None:
        return [statement.value]
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):  # rows.append(row)
        return list(statement.value.args)
    return []


def _is_partial(statement: ast.stmt | None, target: ast.AST) -> bool:
    """Whether only a part of the name's value is written, as in out[i] = row."""
    return (
        isinstance(statement, ast.Assign)
        and target not in statement.targets
        and isinstance(getattr(target, "ctx", None), ast.Load)
    )


def _scope(name: str, function: str) -> str:
    """Attributes belong to all functions."""
    return "" if "." in name else function


def _made_of(
    parts: list[ast.AST],
    seen: set[int],
    number_of: dict[int, int],
    latest: dict[int, int],
    names: dict[tuple[str, str], int],
    function: str,
) -> list[int]:
    """The latest events of the nearest seen expressions below, and of the names between."""
    found: list[int] = []
    todo = list(parts)
    while todo:
        part = todo.pop()
        number = number_of.get(id(part), -1)
        if id(part) in seen and number in latest:
            found.append(latest[number])
            continue
        name = spelled(part)
        for scope in (function, ""):
            if name and (scope, name) in names:
                found.append(names[scope, name])
                break
        todo += ast.iter_child_nodes(part)
    return found
