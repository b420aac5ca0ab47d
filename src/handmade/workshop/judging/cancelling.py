"""Of two faults that explain a solution together, one may only undo a part of the other: it is not in the solution."""

import ast
from collections.abc import Iterator
from typing import Any

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise
from handmade.workshop.judging.rightvalues import EXACT, RightRun, RightValues, right_run, right_runs, tells_much
from handmade.workshop.source import faulty


def undone(exercise: Exercise, faults: list[str], case: Case) -> set[str]:
    """Those of two or more faults that, beside the others, make right again what the others make wrong: at the place in
    our code where such a fault stands, it computes what right solutions do."""
    right = RightValues.of(right_runs(exercise, case))
    wrong = right_run(faulty(exercise, *faults), exercise, case)
    without = {fault: faulty(exercise, *(other for other in faults if other != fault)) for fault in faults}
    return {fault for fault, source in without.items() if _makes_right(wrong, source, right)}


def _makes_right(wrong: RightRun, without: str, right: RightValues) -> bool:
    """Whether all values of the places that differ from the source `without` a fault are right ones."""
    places = set(map(id, _differing(wrong.nodes[0], ast.parse(without))))
    values = [value for number, value in wrong.events if id(wrong.nodes[number]) in places]
    return bool(values) and all(right.find(value) == EXACT and tells_much(value) for value in values)


def _differing(mine: ast.AST, other: ast.AST) -> Iterator[ast.AST]:
    """The smallest parts of a tree that differ from another."""
    if ast.dump(mine) == ast.dump(other):
        return
    fields = [(getattr(mine, name), getattr(other, name, None)) for name in mine._fields]
    pairs = [pair for a, b in fields for pair in _paired(a, b)]
    if type(mine) is not type(other) or not all(_alike(x, y) for x, y in pairs):
        yield mine
        return
    for x, y in pairs:
        if isinstance(x, ast.AST):
            yield from _differing(x, y)


def _paired(a: object, b: object) -> list[tuple[Any, Any]]:
    if isinstance(a, list) and isinstance(b, list):
        return list(zip(a, b, strict=True)) if len(a) == len(b) else [(a, None)]
    return [(a, b)]


def _alike(a: object, b: object) -> bool:
    """Whether two parts are trees of one form, to be looked into, or the same plain value."""
    if isinstance(a, ast.operator | ast.cmpop | ast.unaryop | ast.boolop):
        return type(a) is type(b)
    return (isinstance(a, ast.AST) and isinstance(b, ast.AST)) or a == b
