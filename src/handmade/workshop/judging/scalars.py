"""Whole numbers on several cases: one such as a size is right by chance on one case, and hardly on four."""

import ast
from typing import Any

import numpy as np

from handmade.workshop.cell.tracing import targets, walk
from handmade.workshop.judging.rightvalues import RightRun, spelled

Events = list[tuple[int, Any]]

FEWEST = 2
"""On how many cases a number must be known to be judged."""


def odd_ones(nodes: list[ast.AST], traces: list[Events], runs: list[list[RightRun]]) -> list[int]:
    """The nodes of names that are assigned whole numbers to which no right solution gives a name, and which are no
    array's size in one, on all of these cases; in the order in which they come.

    traces, runs: what the solution and the right ones computed, case by case.
    """
    assigned = {id(t) for node in nodes if isinstance(node, ast.Assign) for t in targets(node) if _is_stored(t)}
    first = [_first(trace) for trace in traces]
    right = [[_first(_named(run)) for run in case] for case in runs]
    odd = []
    for number in first[0]:
        if id(nodes[number]) not in assigned or not spelled(nodes[number]):
            continue
        known = [case for case, values in enumerate(first) if _is_whole(values.get(number))]
        mine = tuple(first[case][number] for case in known)
        if len(known) == len(traces) >= FEWEST and {*mine} - {0, 1} and mine not in _vectors(right, known):
            odd.append(number)
    return odd


def names_behind(nodes: list[ast.AST], line: int) -> set[str]:
    """The names in the statement at this line, and those in what they are made of."""
    found: set[str] = set()
    made = [node for node in nodes if isinstance(node, ast.Assign | ast.AugAssign | ast.For | ast.comprehension)]
    for node in nodes:
        if getattr(node, "lineno", 0) == line:
            found |= _names(node)
    size = -1
    while size < len(found):
        size = len(found)
        for node in made:
            given = node.targets if isinstance(node, ast.Assign) else [node.target]
            if found & {name for target in given for name in _names(target)}:
                found |= _names(node.iter if isinstance(node, ast.For | ast.comprehension) else node.value)
    return found


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in walk(node) if isinstance(part, ast.Name)}


def _is_stored(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _named(run: RightRun) -> Events:
    """What has a name, and all arrays."""
    return [(number, value) for number, value in run.events if spelled(run.nodes[number]) or not _is_whole(value)]


def _first(events: Events) -> dict[int, Any]:
    """Each node's first value."""
    found: dict[int, Any] = {}
    for number, value in events:
        found.setdefault(number, value)
    return found


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _vectors(right: list[list[dict[int, Any]]], known: list[int]) -> set[tuple[int, ...]]:
    """The numbers and sizes that right solutions have on these cases."""
    vectors = set()
    for runs in zip(*(right[case] for case in known), strict=False):
        for number in runs[0]:
            values = [run.get(number) for run in runs]
            if all(_is_whole(value) for value in values):
                vectors.add(tuple(values))
            elif all(isinstance(value, np.ndarray) for value in values):
                vectors.update(zip(*(value.shape for value in values), strict=False))  # pyright: ignore
    return vectors
