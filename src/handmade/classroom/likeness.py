"""Solutions that are more alike than chance makes them: a hint for a teacher, not a verdict.

Names, comments, layout and constants' spelling are taken out: what is left is the sequence of a syntax tree's nodes.
Its windows of `WINDOW` nodes are compared, thinned out by winnowing (Schleimer, Wilkerson & Aiken 2003, "Winnowing:
local algorithms for document fingerprinting"): of each `THINNED` windows in a row the smallest hash is kept, so that a
piece of WINDOW + THINNED - 1 nodes in common is always found. Short exercises are alike by nature: a window counts the
less, the more of the class have it, and what is in the stub or a usual solution does not count.
"""

import ast
import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

WINDOW, THINNED = 12, 4

LEAST_LIKE, LEAST_WINDOWS = 0.8, 6
"""From which share of their windows on, by weight, and from how many in common, two are told to be alike."""

MOST_SHARED = 20
"""A window that more students have says nothing about any two of them."""


@dataclass(frozen=True)
class Alike:
    """Two students' solutions to an exercise, and how alike they are: 1 for the same but for names and layout."""

    exercise: str
    first: str
    second: str
    likeness: float


def alike(exercise: str, sources: dict[str, str], usual: Iterable[str] = ()) -> list[Alike]:
    """The pairs of students whose sources are alike, the most alike first. usual: sources that anybody may have."""
    known = {window for source in usual for window in windows(source)}
    found = {student: windows(source) - known for student, source in sources.items()}
    holders: defaultdict[int, list[str]] = defaultdict(list)
    for student, own in found.items():
        for window in own:
            holders[window].append(student)
    weight = {window: math.log((1 + len(found)) / len(who)) for window, who in holders.items()}
    total = {student: sum(weight[window] for window in own) for student, own in found.items()}
    common: Counter[tuple[str, str]] = Counter()
    shared: defaultdict[tuple[str, str], float] = defaultdict(float)
    for window, who in holders.items():
        for pair in combinations(who, 2) if 2 <= len(who) <= MOST_SHARED else ():
            common[pair] += 1
            shared[pair] += weight[window]
    pairs = []
    for (first, second), both in shared.items():
        likeness = both / (total[first] + total[second] - both)
        if common[first, second] >= LEAST_WINDOWS and likeness >= LEAST_LIKE:
            pairs.append(Alike(exercise, first, second, round(likeness, 3)))
    return sorted(pairs, key=lambda pair: -pair.likeness)


def windows(source: str) -> set[int]:
    """The hashes of windows of the source's normalised syntax tree that winnowing keeps; empty if it is no Python."""
    try:
        nodes = list(_nodes(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    hashes = [_hash(" ".join(nodes[n : n + WINDOW])) for n in range(len(nodes) - WINDOW + 1)]
    return {min(hashes[n : n + THINNED]) for n in range(max(len(hashes) - THINNED + 1, 0))}


def _nodes(tree: ast.AST) -> Iterator[str]:
    """The kinds of nodes from the top down, with what is written the same by everybody: attributes and constants."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue  # a docstring
        if isinstance(child, ast.expr_context | ast.Import | ast.ImportFrom):
            continue
        kind = type(child).__name__
        if isinstance(child, ast.Attribute):
            kind += f".{child.attr}"
        elif isinstance(child, ast.Constant):
            kind += repr(child.value)
        yield kind
        yield from _nodes(child)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest())
