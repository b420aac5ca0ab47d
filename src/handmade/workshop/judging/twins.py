"""Where a listed mistake stands: the reference with it computes values that nobody who is right computes there, and so
does the solution."""

import ast
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Any

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise
from handmade.workshop.judging.alignment import Alignment
from handmade.workshop.judging.rightvalues import returned_parts, right_run, same_value, tells_much
from handmade.workshop.source import faulty, solution

LOOKED_AT = 300
"""How many values are compared from where the two references part."""

TRIED = 20
"""How many of the values that differ are looked for in the solution."""


def line_of(exercise: Exercise, fault: str, case: Case, alignment: Alignment) -> int | None:
    """The solution's line with the first value that the reference has with this fault alone; None where none is found.

    A value that the solution returns says only that it is wrong in the end.
    """
    found = [places for value in wrong_values(exercise, fault, case) if (places := _places(value, alignment))]
    if not found:
        return None
    first, *others = found
    end = next((places[0] for places in others if places[0] > first[0]), None)
    place = first[-1] if end is None else max(p for p in first if p < end)
    node = alignment.events[place].node
    returned = {id(part) for one in alignment.nodes for part in returned_parts(one)}
    if place == first[0] and id(alignment.nodes[node]) in returned:
        return None
    return alignment.line_of(node)


def wrong_values(exercise: Exercise, fault: str, case: Case) -> list[Any]:
    """The first telling values that the reference has on this case with the fault, in the place of others."""
    try:
        right = right_run(solution(exercise), exercise, case).events
        wrong = right_run(faulty(exercise, fault), exercise, case).events
    except Exception:  # with some faults the reference itself raises
        return []
    same = sum(1 for _ in takewhile(lambda pair: _key(pair[0]) == _key(pair[1]), zip(right, wrong, strict=False)))
    first, second = ([_key(event) for event in events[same : same + LOOKED_AT]] for events in (right, wrong))
    values = []
    for tag, _, _, begin, end in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if tag in ("replace", "insert"):
            values += [value for _, value in wrong[same + begin : same + end] if tells_much(value)]
    return values[:TRIED]


def _key(event: tuple[int, Any]) -> bytes:
    """What an event's value is, to be compared with another run's of nearly the same file."""
    value = event[1]
    return repr(getattr(value, "shape", value)).encode() + getattr(value, "tobytes", bytes)()


def _places(value: Any, alignment: Alignment) -> list[int]:
    """At which events of the solution this value is, arguments left out."""
    return [
        number
        for number, event in enumerate(alignment.events)
        if not isinstance(alignment.nodes[event.node], ast.arg) and same_value(event.value, value)
    ]
