"""What to say about results that no known mistake explains: errors, shapes, types, where and how numbers differ."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from handmade.workshop.cell.wire import Opaque
from handmade.workshop.exercise import Exercise
from handmade.workshop.judging.comparison import agree, real_numbers
from handmade.workshop.judging.counterexample import Rerun, describe, smallest
from handmade.workshop.judging.explained import explained
from handmade.workshop.judging.relations import Pairs, place, relation
from handmade.workshop.judging.shapes import Sizes, shape_difference
from handmade.workshop.judging.signatures import signature_of
from handmade.workshop.judging.trial import Trial
from handmade.workshop.judging.values import written
from handmade.workshop.judging.verdict import Finding

OTHER_ORDER = "results in another order"

_VAGUE = "differs, by up to"

_KINDS = ("returns None", "wrong type", "wrong shape", "wrong length")
"""What is told before wrong numbers."""


def diagnose(trial: Trial, rerun: Rerun) -> list[Finding]:
    """The errors that were raised, then the first output that is wrong, on the smallest case that shows it."""
    findings = list(errors(trial))
    wrong = trial.on(n for n in trial.numbers if trial.results[n].outputs is not None and not trial.agrees(n))
    if wrong.numbers:
        found = smallest(trial, rerun)
        findings.append(Finding(*_told(wrong), describe(found, trial.exercise) if found else ""))
    return findings


def errors(trial: Trial) -> Iterator[Finding]:
    """One finding for each kind of error, with the cases and the line."""
    kinds: dict[str, list[int]] = {}
    for number in trial.numbers:
        raised = trial.results[number].raised
        if raised is not None:
            kinds.setdefault(raised.kind, []).append(number)
    for kind, numbers in kinds.items():
        first = numbers[0]
        raised = trial.results[first].raised
        assert raised is not None
        name, message = _error(kind, raised.message, trial.exercise)
        code = raised.trace.rpartition("\n")[2].partition(": ")[2]
        words = explained(raised.message, code) if name.startswith("raises ") else ""
        where = f"on {len(numbers)} of {len(trial.results)} cases, as {trial.case(first).label!r}"
        sizes = ", ".join(f"{name} {value.shape}" for name, value in trial.arguments(first).items() if _is(value))
        shown = f"{where} ({sizes})" if sizes else where
        said = f"{message.rstrip(' .')}. {words}" if words else message.strip()
        yield Finding(name, said, f"{shown}\n{raised.trace}".strip(), raised.line)


def _told(wrong: Trial) -> tuple[str, str]:
    """The first wrong output about which more can be said than that it differs, or else the first wrong one."""
    order = _order_of_results(wrong)
    if order:
        return OTHER_ORDER, order
    told = []
    for name in wrong.exercise.outputs:
        some = wrong.on(n for n in wrong.numbers if not wrong.is_right(n, name))
        if some.numbers:
            title, message = _difference(name, some)
            rank = 0 if title in _KINDS else 2 if _VAGUE in message else 1
            told.append((rank, title, f"{message} {_where(some)}".strip()))
    _, title, message = min(told, key=lambda one: one[0])
    return title, message


def _order_of_results(trial: Trial) -> str:
    """What to say where results stand in each other's places: each is compared with all before it is by its name."""
    names = trial.exercise.outputs
    exercise = trial.exercise
    stand_for: dict[str, str] = {}
    for name in names:
        if all(trial.is_right(n, name) for n in trial.numbers):
            continue
        for other in names:
            pairs = [(trial.output(n, name), trial.expected(n).get(other)) for n in trial.numbers]
            if other != name and all(b is not None and agree(a, b, exercise.rtol, exercise.atol) for a, b in pairs):
                stand_for[name] = other
                break
        else:
            return ""
    if len(set(stand_for.values())) < 2 or set(stand_for.values()) != set(stand_for):
        return ""
    said = ", ".join(stand_for.get(name, name) for name in names)
    return f"The results are right, in another order: you return {said}; expected: {', '.join(names)}."


def _is(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _error(kind: str, message: str, exercise: Exercise) -> tuple[str, str]:
    outputs = ", ".join(exercise.outputs)
    match kind:
        case "NotImplementedError":
            return "not written yet", "It raises NotImplementedError: a part is as the stub left it."
        case "RecursionError":
            return (
                "endless recursion",
                "A function calls itself until the stack is full: does it never reach its end?",
            )
        case "MemoryError":
            return "memory limit", f"It needs more memory than it may have. {message}".strip()
        case "SystemExit":
            return "ends the process", "It calls exit(). Return the result instead."
        case "EOFError":
            return "asks for input", "It reads from the keyboard (input()); there is none here."
        case "OSError" if "File too large" in message:
            return "prints too much", "It prints more than can be kept. Remove the prints."
        case "ValueError" if message.startswith("returned None"):
            return "returns None", f"It returns None. Is the return missing? Expected: {outputs}."
        case "ValueError" if message.startswith("returned "):
            return "wrong number of results", f"It {message}."
        case "TypeError" if "argument" in message and "()" in message:
            signatures = "; ".join(signature_of(function) for function in exercise.functions)
            return "wrong signature", f"It cannot be called as the exercise does: {message}. Expected: {signatures}."
    return f"raises {kind}", f"It raises {kind}: {message}"


def _difference(name: str, trial: Trial) -> tuple[str, str]:
    """A name and a sentence for what is wrong with one output on these cases."""
    pairs = []
    for number in trial.numbers:
        mine, expected = trial.output(number, name), trial.expected(number)[name]
        label = trial.case(number).label
        if mine is None or isinstance(mine, Opaque):
            title = "returns None" if mine is None else "wrong type"
            return title, f"{name} is {_a('None' if mine is None else mine.kind)}, expected {_kind(expected)}."
        arrays = real_numbers(mine), real_numbers(expected)
        if arrays[1] is None:
            return _parts(name, mine, expected, label)
        if arrays[0] is None:
            return "wrong type", f"{name} is {_kind(mine)}, expected {_kind(expected)}."
        if arrays[0].shape != arrays[1].shape:
            shapes = f"{name} has shape {arrays[0].shape}, expected {arrays[1].shape}, in case {label!r}."
            why = shape_difference(arrays[0].shape, arrays[1].shape, _telling_sizes(name, number, trial))
            return "wrong shape", f"{shapes} {why}"
        pairs.append((arrays[0], arrays[1]))
    for number, (mine, expected) in zip(trial.numbers, pairs, strict=True):
        bad = np.argwhere(~np.isfinite(mine) & np.isfinite(expected))
        if len(bad):
            index = tuple(int(k) for k in bad[0])
            what, label = mine[index], trial.case(number).label
            cause = _NAN if np.isnan(what) else _INF
            at = f" at index {index}" if index else ""
            count = f"; {len(bad)} of {mine.size} numbers are not finite" if mine.size > 1 else ""
            return f"{what} in {name}", f"{name} has {what} first{at}, in case {label!r}{count}. {cause}"
    return "wrong values", f"{name} {_wrong_numbers(name, pairs, trial)}."


def _telling_sizes(name: str, number: int, trial: Trial) -> Sizes:
    """The axes of this case's arguments that are as long as one of the output's, yours or the right one, on every case:
    on one that is chance."""
    found = set(trial.sizes(number))
    for n in trial.numbers:
        sizes, mine, right = trial.sizes(n), real_numbers(trial.output(n, name)), real_numbers(trial.expected(n)[name])
        lengths = {*(() if mine is None else mine.shape), *(() if right is None else right.shape)}
        found &= {axis for axis, size in sizes.items() if size in lengths}
    return {axis: size for axis, size in trial.sizes(number).items() if axis in found}


_NAN = "Look for inf - inf, inf / inf, 0 / 0, the logarithm or root of a negative number."
_INF = "Look for an exp of a large number, a division by zero, log(0)."


def _wrong_numbers(name: str, pairs: Pairs, trial: Trial) -> str:
    """What is wrong with an output whose shape is right."""
    return (
        _precision(name, trial)
        or _other(name, pairs, trial)
        or relation(pairs, [trial.sizes(number) for number in trial.numbers])
        or _place(pairs)
        or f"{_VAGUE} {max(np.abs(a - b).max() for a, b in pairs):.3g}"
    )


def _place(pairs: Pairs) -> str | None:
    found = place(pairs)
    return f"is wrong {found}" if found else None


def _precision(name: str, trial: Trial) -> str | None:
    """A type that cannot hold the result."""
    kind = getattr(trial.output(trial.numbers[0], name), "dtype", None)
    if kind is not None and kind.kind in "iub":
        return f"is of {kind}, so fractions are lost: make arrays of floats (np.zeros_like of whole numbers is whole)"
    return None


def _other(name: str, pairs: Pairs, trial: Trial) -> str | None:
    """An argument returned as it came, or another output in this one's place."""
    candidates: list[dict[str, Any]] = [
        {
            **{f"what should be {other}": value for other, value in trial.expected(n).items()},
            **{f"the argument {argument}, unchanged": value for argument, value in trial.arguments(n).items()},
        }
        for n in trial.numbers
    ]
    for words in candidates[0]:
        others = [real_numbers(candidate.get(words)) for candidate in candidates]
        if all(
            other is not None and other.shape == mine.shape and np.allclose(mine, other, 1e-5, 1e-8)
            for other, (mine, _) in zip(others, pairs, strict=True)
        ):
            return f"is {words}"
    return None


def _parts(name: str, mine: Any, expected: Any, label: str) -> tuple[str, str]:
    """Lists, texts and dictionaries: the first part that differs."""
    if isinstance(expected, dict) and isinstance(mine, dict):
        if mine.keys() != expected.keys():
            entries, wanted = sorted(map(str, mine)), sorted(map(str, expected))
            return "wrong values", f"{name} has the entries {entries}, expected {wanted}."
        wrong = [key for key in expected if not agree(mine[key], expected[key], 1e-5, 1e-8)]
        return "wrong values", f"{name} is wrong in {', '.join(map(str, wrong))}, in case {label!r}."
    if not isinstance(mine, list | tuple) or not isinstance(expected, list | tuple):
        return "wrong values", f"{name} is {written(mine)}, expected {written(expected)}, in case {label!r}."[:600]
    for number, (a, b) in enumerate(zip(mine, expected, strict=False)):
        if not agree(a, b, 1e-5, 1e-8):
            return "wrong values", f"{name}[{number}] is {written(a)}, expected {written(b)}, in case {label!r}."[:600]
    return "wrong length", f"{name} has {len(mine)} entries, expected {len(expected)}, in case {label!r}."


def _where(wrong: Trial) -> str:
    """Which cases go wrong, if not all: what their arguments have in common, or their names; and what is right."""
    numbers = wrong.numbers
    right = [n for n, result in enumerate(wrong.results) if n not in numbers and result.raised is None]
    others = [name for name in wrong.exercise.outputs if all(wrong.is_right(n, name) for n in numbers)]
    only = f"{' and '.join(others)} {'is' if len(others) == 1 else 'are'} right." if others else ""
    if not right:
        return f"{only} All {len(numbers)} cases show it.".strip() if len(numbers) > 1 else only
    labels = ", ".join(repr(wrong.case(n).label) for n in numbers[:4])
    some = _in_common(wrong, right) or f"Only in {len(numbers)} of {len(wrong.results)} cases: {labels}."
    return f"{only} {some}".strip()


def _in_common(wrong: Trial, right: list[int]) -> str | None:
    """A plain argument, or the number of axes, that tells the wrong cases from the right ones. That a number with
    fractions does, or a count that takes many values, is chance."""
    arguments = {n: wrong.arguments(n) for n in (*wrong.numbers, *right)}
    plain = {
        n: {k: v for k, v in values.items() if v is None or isinstance(v, int | str)} for n, values in arguments.items()
    }
    for name in dict.fromkeys(key for facts in plain.values() for key in facts):
        bad, good = ({plain[n].get(name, "its default") for n in group} for group in (wrong.numbers, right))
        counts = {value for value in bad | good if isinstance(value, int) and not isinstance(value, bool)}
        if not bad & good and len(bad) <= 3 and (len(bad) == 1 or len(counts) <= 2):
            values = " or ".join(map(str, sorted(bad, key=str)))
            return (
                f"Only where {name} is {values}; with {' or '.join(map(str, sorted(good, key=str)[:4]))} it is right."
            )
    axes = {n: max((v.ndim for v in values.values() if _is(v)), default=0) for n, values in arguments.items()}
    if min(axes[n] for n in wrong.numbers) > max(axes[n] for n in right):
        return "Only with leading axes, such as a batch; without them it is right."
    return None


def _kind(value: Any) -> str:
    array = real_numbers(value)
    if array is None or isinstance(value, list | tuple):
        return _a(type(value).__name__)
    return f"an array of shape {array.shape}" if array.ndim else "a number"


def _a(kind: str) -> str:
    return kind if kind == "None" or " of shape" in kind else f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
