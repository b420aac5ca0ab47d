"""Where a solution leaves the right path: its values beside those of right solutions, expression by expression.

A value that a right solution computes too is right. One that none computes may still be right, where something right is
made of it later (another way to the same end). The first that is neither, and is made of right ones, is the suspect.
"""

import ast
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from handmade.workshop.cell.tracing import Definition, targets, walk
from handmade.workshop.judging.links import Event, Events, linked_events, owners
from handmade.workshop.judging.rightvalues import (
    EXACT,
    MOVED,
    UNKNOWN,
    RightValues,
    returned_parts,
    same_value,
    spelled,
    tells_much,
    without_ones,
)


@dataclass(eq=False)
class Alignment:
    """The events of a run in order, and the nodes under suspicion, the likeliest first; those among them whose values
    have a shape that no right solution's have there. trusted: those that are right or say nothing. steps: how much work
    the run is."""

    nodes: list[ast.AST]
    events: list[Event]
    suspects: list[int] = field(default_factory=list)
    misshapen: list[int] = field(default_factory=list)
    trusted: set[int] = field(default_factory=set)
    steps: int = 0

    def line_of(self, node: int) -> int:
        return getattr(self.nodes[node], "lineno", 1)

    def feeds(self, place: int, other: int) -> bool:
        """Whether one event is among those that another is made of, or those are made of."""
        todo, known = [other], set[int]()
        while todo:
            number = todo.pop()
            if number == place:
                return True
            if number > place and number not in known:
                known.add(number)
                todo += self.events[number].made_of
        return False

    @property
    def begins(self) -> int:
        """At which event the solution leaves the right path; behind the last where it does not."""
        first = self.first
        return self.events.index(first) if first is not None else len(self.events) + 1

    @property
    def first(self) -> Event | None:
        """The first suspect."""
        of_first = [event for event in self.events if self.suspects and event.node == self.suspects[0]]
        return next((event for event in of_first if event.is_suspect), next(iter(of_first), None))


def align(tree: ast.Module, events: Events, right: RightValues, steps: int = 0) -> Alignment:
    nodes = walk(tree)
    linked = list(linked_events(tree, nodes, events, right))
    unfilled = _unfilled(nodes)
    linked = [replace(event, found=MOVED, made_of=[]) if event.node in unfilled else event for event in linked]
    filled, lists = _filled(nodes), _own_lists(nodes, right)
    linked = [replace(e, found=MOVED) if e.node in lists or (e.node in filled and _is_blank(e)) else e for e in linked]
    for number in range(len(linked) - 1, -1, -1):
        event = linked[number]
        if event.leads_to_right or _is_surely_right(event):
            for earlier in event.made_of:
                linked[earlier].leads_to_right = True
    alignment = Alignment(nodes, linked, steps=steps)
    tuples = _tuples(nodes)
    above_suspicion = alignment.trusted = _right_helpers(tree, nodes, linked, tuples) | tuples
    suspects = [event for event in linked if event.is_suspect and event.node not in above_suspicion]
    first = [e for e in suspects if not any(linked[earlier].is_suspect for earlier in e.made_of)]
    first.sort(key=lambda event: isinstance(event.value, int))  # everybody counts in a way of one's own
    own = {spelled(node) for node in nodes} - {""}
    misnamed = [e for e in linked if is_target(nodes[e.node]) and _is_misnamed(nodes[e.node], e, right, own)]
    parts = [linked[m] for e in first[:1] for m in e.made_of]
    parts += [linked[m] for part in parts for m in part.made_of]
    for event in linked:
        values = right.named(spelled(nodes[event.node]).rpartition(".")[2]) if event.found == EXACT else []
        event.is_called_so = any(same_value(event.value, value) for value in values)
    feeding = [part for part in parts if part in misnamed]
    feeding += _in_several(nodes, linked, first)
    aliases = _aliases(nodes)
    feeding += [part for part in parts if part.node in aliases and not (part.leads_to_right or part.is_called_so)]
    unfinished = [_root(event, linked) for event in _unfinished(tree, nodes, linked, right)]
    moved = [e for e in linked if e.found == MOVED and not e.leads_to_right and tells_much(e.value)]
    begin = linked.index(first[0]) if first else 0
    early = [e for e in linked[:begin] if e in misnamed and _says_much(nodes[e.node], e)]
    ordered = (*early, *feeding, *first, *suspects, *unfinished, *misnamed, *moved)
    ordered = [event for event in ordered if event.node not in above_suspicion]
    alignment.suspects = list(dict.fromkeys(event.node for event in ordered)) or _last_return(nodes, linked)
    either = {*misnamed, *first}
    misshapen = [event for event in linked if event in either and _is_misshapen(nodes[event.node], event, right)]
    alignment.misshapen = list(dict.fromkeys(event.node for event in misshapen))
    return alignment


def _in_several(nodes: list[ast.AST], events: list[Event], first: list[Event]) -> list[Event]:
    """What is given a name and goes into the first suspects of several lines, and into nothing that is right: it may be
    right as far as it goes, as a sum without its last term."""
    lines: dict[int, set[int]] = {}
    for event in first:
        for part in event.made_of:
            used = events[part]
            if is_target(nodes[used.node]) and not used.leads_to_right and tells_much(used.value):
                lines.setdefault(part, set()).add(getattr(nodes[event.node], "lineno", 0))
    return [events[part] for part in sorted(lines) if len(lines[part]) > 1]


def _aliases(nodes: list[ast.AST]) -> set[int]:
    """The targets that only give another name to something, keep = p, once, and the new name is no short form of it, as
    p = padding: what should be done on the way may be missing."""
    plain = [s for s in nodes if isinstance(s, ast.Assign) and len(s.targets) == 1 and isinstance(s.value, ast.Name)]
    stored = Counter(spelled(node) for node in nodes if is_target(node))
    found = {id(s.targets[0]) for s in plain if spelled(s.targets[0])[:1] != spelled(s.value)[:1]}
    return {n for n, node in enumerate(nodes) if id(node) in found and stored[spelled(node)] == 1}


def _is_surely_right(event: Event) -> bool:
    """Whether a value is right, and hardly by chance. A number may be the entry of an array that others compute."""
    is_number = event.found == MOVED and isinstance(event.value, float)
    return (event.found == EXACT or is_number) and tells_much(event.value)


def _is_blank(event: Event) -> bool:
    """Whether it is an array of nothing but zeros or ones, to be filled: it says nothing before it is."""
    value = event.value
    is_array = isinstance(value, np.ndarray) and value.size > 1
    return event.found == UNKNOWN and is_array and (not value.any() or bool((value == 1).all()))


def _tuples(nodes: list[ast.AST]) -> set[int]:
    """Tuples, whose parts are looked at; constants, np.inf and lists of them, as axes; and shapes: they are wrong where
    an array is."""
    found = set()
    for number, node in enumerate(nodes):
        constants = isinstance(node, ast.List) and all(isinstance(part, ast.Constant) for part in node.elts)
        constants |= isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant)
        constants |= isinstance(node, ast.Attribute) and spelled(node.value) in ("np", "math")
        shape = isinstance(node, ast.Attribute) and node.attr in ("shape", "size", "ndim")
        if isinstance(node, ast.Tuple) or constants or shape:
            found.add(number)
    return found


def _last_return(nodes: list[ast.AST], events: list[Event]) -> list[int]:
    """What was returned last, where all values are right and the result is not: a way was taken that ends there."""
    parts = {id(part) for node in nodes for part in returned_parts(node)}
    returned = [event.node for event in events if id(nodes[event.node]) in parts]
    return returned[-1:]


def is_target(node: ast.AST) -> bool:
    return isinstance(getattr(node, "ctx", None), ast.Store)


def _says_much(node: ast.AST, event: Event) -> bool:
    return len(spelled(node)) > 1 and tells_much(event.value) and not event.leads_to_right


def _unfilled(nodes: list[ast.AST]) -> set[int]:
    """The nodes whose values say nothing: memory not yet written to, np.empty(...), addresses, pairs of divmod."""
    without_meaning = ("empty", "empty_like", "id", "divmod")
    called = [node for node in nodes if isinstance(node, ast.Call)]
    calls = {id(n) for n in called if getattr(n.func, "attr", getattr(n.func, "id", "")) in without_meaning}
    named = {
        id(target)
        for statement in nodes
        if isinstance(statement, ast.Assign) and calls & set(map(id, walk(statement.value)))
        for target in targets(statement)
    }
    return {number for number, node in enumerate(nodes) if id(node) in calls | named}


_BLANK = ("zeros", "ones", "full", "zeros_like", "ones_like", "full_like", "eye", "new_zeros")


def _filled(nodes: list[ast.AST]) -> set[int]:
    """The nodes of arrays that are made blank, and of the names that they are assigned to."""
    called = [node for node in nodes if isinstance(node, ast.Call)]
    calls = {id(n) for n in called if getattr(n.func, "attr", getattr(n.func, "id", "")) in _BLANK}
    blank = [s for s in nodes if isinstance(s, ast.Assign) and calls & set(map(id, walk(s.value)))]
    names = {spelled(target) for statement in blank for target in targets(statement)} - {""}
    return {n for n, node in enumerate(nodes) if id(node) in calls or spelled(node) in names}


def _own_lists(nodes: list[ast.AST], right: RightValues) -> set[int]:
    """The nodes of lists that grow, xs of xs.append(x), under names that no right solution has: the parts tell more."""
    told = [node for node in nodes if isinstance(node, ast.Expr)]
    lists = {id(target) for statement in told for target in targets(statement)}
    return {n for n, node in enumerate(nodes) if id(node) in lists and not right.named(spelled(node))}


def _unfinished(tree: ast.Module, nodes: list[ast.AST], events: list[Event], right: RightValues) -> list[Event]:
    """What is returned, and right on the way, but none of the results that right solutions return: where it got its
    last value, unless the function would go on behind the return."""
    owner = owners(tree)
    number_of = {id(node): number for number, node in enumerate(nodes)}
    last = {event.node: event for event in events}
    assigned: dict[tuple[str, str], Event] = {}
    for event in events:
        if is_target(nodes[event.node]):
            assigned[owner.get(id(nodes[event.node]), ""), spelled(nodes[event.node])] = event
    ends = {id(node.body[-1]) for node in nodes if isinstance(node, Definition)}
    found = []
    for node in nodes:
        for part in returned_parts(node):
            event = last.get(number_of[id(part)])
            if event is not None and right.results and not _is_result(event.value, right):
                of_name = assigned.get((owner.get(id(node), ""), spelled(part)))
                is_last = of_name is not None and id(node) in ends and same_value(of_name.value, event.value)
                found.append(of_name if of_name is not None and is_last else event)
    return found


def _root(event: Event, events: list[Event]) -> Event:
    """Where a right value that is laid out otherwise got its layout; the event itself where it is none."""
    known = {id(event)}
    while event.found == MOVED and tells_much(event.value):
        parts = [events[m] for m in event.made_of]
        parts += [events[m] for part in parts if part.value is None for m in part.made_of]  # a list
        parts = [part for part in parts if part.found == MOVED and tells_much(part.value)]
        parts = [part for part in parts if not part.leads_to_right and id(part) not in known]
        if not parts:
            break
        event = parts[0]
        known.add(id(event))
    return event


def _is_result(value: Any, right: RightValues) -> bool:
    return value is None or any(same_value(value, result) for result in right.results)


def _right_helpers(tree: ast.Module, nodes: list[ast.AST], events: list[Event], tuples: set[int]) -> set[int]:
    """The nodes of functions that give right values where they are called elsewhere: it is the call that is wrong.

    tuples: the nodes that say nothing.
    """
    owner = owners(tree)
    calls = Counter(node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name))
    called = {name for name, count in calls.items() if count > 1}
    right = {owner.get(id(nodes[event.node]), "") for event in events if event.leads_to_right} & called
    wrong_only = {event.node for event in events} - {event.node for event in events if not event.is_suspect} - tuples
    whole = right - {owner.get(id(nodes[number]), "") for number in wrong_only}
    return {event.node for event in events if owner.get(id(nodes[event.node]), "") in whole}


def _is_misnamed(node: ast.AST, event: Event, right: RightValues, own: set[str]) -> bool:
    """Whether the value is right, but never what right solutions call by this name.

    Everybody has names of one's own: it must then be what they call by another name that the solution has, too, or by
    none.
    """
    name = spelled(node)
    values = right.named(name) if len(name) > 1 or tells_much(event.value) else []
    if not values or event.found != EXACT or any(same_value(event.value, value) for value in values):
        return False
    if len(name) > 1 and not right.is_named(event.value):
        return True
    return any(same_value(event.value, value) for other in own - {name} for value in right.named(other))


def _is_misshapen(node: ast.AST, event: Event, right: RightValues) -> bool:
    """Whether no right value of this name, or none at all where it has no name of theirs, has this value's shape."""
    value, named = event.value, right.named(spelled(node))
    if isinstance(value, str) or any(isinstance(other, str) for other in named) or np.size(value) == 0:
        return False
    if isinstance(value, np.ndarray) and not value.any():
        return False
    known = [other for other in named if other is not None]
    if not named:
        return value is not None and _sizes(value) not in right.shapes
    if value is None or not known:
        return (value is None) != (not known)
    kinds = {np.asarray(other).dtype.kind == "f" for other in known}
    other_kind = kinds == {False} and np.asarray(value).dtype.kind == "f"
    return other_kind or np.size(value) == 1 or _sizes(value) not in {_sizes(other) for other in known}


def _sizes(value: Any) -> tuple[int, ...]:
    return tuple(sorted(without_ones(np.shape(value))))
