"""Where a listed mistake stands: the reference with it computes values that nobody who is right computes there, and so
does the solution."""

import ast
from difflib import SequenceMatcher
from typing import Any

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise
from handmade.workshop.judging.alignment import Alignment, is_target
from handmade.workshop.judging.rightvalues import (
    EXACT,
    RightRun,
    key_of,
    returned_parts,
    right_run,
    same_value,
    tells_much,
)
from handmade.workshop.source import faulty

LOOKED_AT = 300
"""How many values are compared from where the two references part."""

TRIED = 20
"""How many of the values that differ are looked for in the solution."""


def line_of(exercise: Exercise, fault: str, case: Case, right: RightRun, alignment: Alignment) -> int | None:
    """The solution's line with the first value that the reference has with this fault alone; None where none is found.

    right: the reference's run on this case. A value that the solution returns says only that it is wrong in the end.
    """
    found = [places for value in wrong_values(exercise, fault, case, right) if (places := _places(value, alignment))]
    if not found:
        return None
    place, first = min(places[0] for places in found), alignment.first
    if first is not None and first.is_suspect and alignment.feeds(alignment.events.index(first), place):
        return None
    node = alignment.events[place].node
    returned = {id(part) for one in alignment.nodes for part in returned_parts(one)}
    return None if id(alignment.nodes[node]) in returned else alignment.line_of(node)


def wrong_values(exercise: Exercise, fault: str, case: Case, right: RightRun) -> list[Any]:
    """The first telling values that the reference has on this case with the fault, in the place of those of `right`."""
    try:
        wrong = right_run(faulty(exercise, fault), exercise, case).events
    except Exception:  # with some faults the reference itself raises
        return []
    first, second = ([key_of(value) for _, value in events] for events in (right.events, wrong))
    pairs = enumerate(zip(first, second, strict=False))
    same = next((number for number, (one, other) in pairs if one != other), min(len(first), len(second)))
    matcher = SequenceMatcher(None, first[same : same + LOOKED_AT], second[same : same + LOOKED_AT], autojunk=False)
    values = []
    for tag, _, _, begin, end in matcher.get_opcodes():
        if tag in ("replace", "insert"):
            values += [value for _, value in wrong[same + begin : same + end] if tells_much(value)]
    return values[:TRIED]


def _places(value: Any, alignment: Alignment) -> list[int]:
    """At which events of the solution this value is, arguments left out, and what is right as it is: a right solution
    may compute on its way what is wrong in the end."""
    return [
        number
        for number, event in enumerate(alignment.events)
        if not isinstance(alignment.nodes[event.node], ast.arg)
        and event.node not in alignment.trusted
        and not event.leads_to_right
        and (event.found != EXACT or (is_target(alignment.nodes[event.node]) and not event.is_called_so))
        and same_value(event.value, value)
    ]
