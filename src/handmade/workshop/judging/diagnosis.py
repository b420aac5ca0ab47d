"""What to say of results that no mistake we know of explains: errors, shapes, types, where and how numbers differ."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from handmade.workshop.cell.cases import Case, Result
from handmade.workshop.cell.wire import Opaque
from handmade.workshop.judging.comparison import agree
from handmade.workshop.judging.counterexample import Rerun, describe, smallest
from handmade.workshop.judging.counterfactuals import Counterfactuals
from handmade.workshop.judging.reading import Mistake
from handmade.workshop.judging.relations import place, relation
from handmade.workshop.judging.shapes import Sizes, shape_difference
from handmade.workshop.judging.signatures import parameter_name, signature_of

_RIGHT = frozenset[str]()
_VAGUE = "differs, by up to"


def diagnose(got: Sequence[Result], given: Counterfactuals, rerun: Rerun) -> list[Mistake]:
    """The errors that were raised, then the first output that is wrong, on the smallest case that shows it."""
    mistakes = list(raised(got, given))
    wrong = [n for n, result in enumerate(got) if result.outputs is not None and not given.agrees(result, _RIGHT, n)]
    if wrong:
        found = smallest(got, given, rerun)
        mistakes.append(Mistake(*_told(wrong, got, given), describe(found, given) if found else ""))
    return mistakes


def _told(wrong: list[int], got: Sequence[Result], given: Counterfactuals) -> tuple[str, str]:
    """The first wrong output of which more can be said than that it differs, or else the first wrong one."""
    told = []
    for name in given.exercise.outputs:
        numbers = [n for n in wrong if not _right(got, given, n, name)]
        if numbers:
            title, message = _difference(name, numbers, got, given)
            told.append((_VAGUE in message, title, f"{message} {_where(numbers, got, given)}".strip()))
    _, title, message = min(told, key=lambda one: one[0])
    return title, message


def raised(got: Sequence[Result], given: Counterfactuals) -> Iterator[Mistake]:
    """One mistake for each kind of error, with the cases and the line."""
    kinds: dict[str, list[int]] = {}
    for number, result in enumerate(got):
        if result.problem is not None:
            kinds.setdefault(result.problem.kind, []).append(number)
    for kind, numbers in kinds.items():
        problem = got[numbers[0]].problem
        assert problem is not None
        name, message = _error(kind, problem.message, given)
        where = f"on {len(numbers)} of {len(got)} cases, as {given.cases[numbers[0]].label!r}"
        sizes = ", ".join(
            f"{name} {value.shape}" for name, value in _arguments(given, numbers[0]).items() if _is(value)
        )
        shown = f"{where} ({sizes})" if sizes else where
        yield Mistake(name, message, f"{shown}\n{problem.trace}".strip())


def _is(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _error(kind: str, message: str, given: Counterfactuals) -> tuple[str, str]:
    outputs = ", ".join(given.exercise.outputs)
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
            signatures = "; ".join(signature_of(function) for function in given.exercise.functions)
            return "wrong signature", f"It cannot be called as the exercise does: {message}. Expected: {signatures}."
    return f"raises {kind}", f"It raises {kind}: {message}"


def _right(got: Sequence[Result], given: Counterfactuals, number: int, name: str) -> bool:
    exercise, expected = given.exercise, given.result(_RIGHT, number).outputs
    mine = got[number].outputs
    if mine is None or expected is None:
        return mine is expected
    return agree(mine.get(name), expected[name], exercise.rtol, exercise.atol)


def _difference(name: str, numbers: list[int], got: Sequence[Result], given: Counterfactuals) -> tuple[str, str]:
    """A name and a sentence for what is wrong with one output on these cases."""
    values = []
    for number in numbers:
        mine, expected = (got[number].outputs or {}).get(name), (given.result(_RIGHT, number).outputs or {})[name]
        label = given.cases[number].label
        if mine is None or isinstance(mine, Opaque):
            kind = mine.kind if mine is not None else "None"
            return (
                "returns None" if mine is None else "wrong type"
            ), f"{name} is {_a(kind)}, expected {_kind(expected)}."
        arrays = _numbers(mine), _numbers(expected)
        if arrays[1] is None:
            return _parts(name, mine, expected, label)
        if arrays[0] is None:
            return "wrong type", f"{name} is {_kind(mine)}, expected {_kind(expected)}."
        sizes = _sizes(given, number)
        if arrays[0].shape != arrays[1].shape:
            shapes = f"{name} has shape {arrays[0].shape}, expected {arrays[1].shape}, in case {label!r}."
            return "wrong shape", f"{shapes} {shape_difference(arrays[0].shape, arrays[1].shape, sizes)}"
        values.append((arrays[0], arrays[1]))
    for number, (mine, expected) in zip(numbers, values, strict=True):
        bad = np.argwhere(~np.isfinite(mine) & np.isfinite(expected))
        if len(bad):
            index = tuple(int(k) for k in bad[0])
            what, label = mine[index], given.cases[number].label
            cause = _NAN if np.isnan(what) else _INF
            at = f" at index {index}" if index else ""
            count = f"; {len(bad)} of {mine.size} numbers are not finite" if mine.size > 1 else ""
            return f"{what} in {name}", f"{name} has {what} first{at}, in case {label!r}{count}. {cause}"
    return _wrong_numbers(name, numbers, values, got, given)


_NAN = "Look for inf - inf, inf / inf, 0 / 0, the logarithm or root of a negative number."
_INF = "Look for an exp of a large number, a division by zero, log(0)."


def _wrong_numbers(
    name: str,
    numbers: list[int],
    pairs: list[tuple[np.ndarray, np.ndarray]],
    got: Sequence[Result],
    given: Counterfactuals,
) -> tuple[str, str]:
    sizes = [_sizes(given, number) for number in numbers]
    for found in (
        _precision(name, numbers[0], got),
        _other(name, numbers, pairs, given),
        relation(pairs, sizes),
        _place(pairs),
    ):
        if found:
            return "wrong values", f"{name} {found}."
    return "wrong values", f"{name} {_VAGUE} {max(np.abs(a - b).max() for a, b in pairs):.3g}."


def _place(pairs: list[tuple[np.ndarray, np.ndarray]]) -> str | None:
    found = place(pairs)
    return f"is wrong {found}" if found else None


def _precision(name: str, number: int, got: Sequence[Result]) -> str | None:
    """A type that cannot hold the result."""
    kind = getattr((got[number].outputs or {})[name], "dtype", None)
    if kind is not None and kind.kind in "iub":
        return f"is of {kind}, so fractions are lost: make arrays of floats (np.zeros_like of whole numbers is whole)"
    return None


def _other(
    name: str, numbers: list[int], pairs: list[tuple[np.ndarray, np.ndarray]], given: Counterfactuals
) -> str | None:
    """An argument returned as it came, or another output in this one's place."""
    candidates: list[dict[str, Any]] = [
        {
            **{f"what should be {other}": value for other, value in (given.result(_RIGHT, n).outputs or {}).items()},
            **{f"the argument {argument}, unchanged": value for argument, value in _arguments(given, n).items()},
        }
        for n in numbers
    ]
    for words in candidates[0]:
        others = [_numbers(candidate.get(words)) for candidate in candidates]
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
            return "wrong values", f"{name} has the entries {sorted(mine)}, expected {sorted(expected)}."
        wrong = [key for key in expected if not agree(mine[key], expected[key], 1e-5, 1e-8)]
        return "wrong values", f"{name} is wrong in {', '.join(map(str, wrong))}, in case {label!r}."
    if not isinstance(mine, list | tuple) or not isinstance(expected, list | tuple):
        return "wrong values", f"{name} is {mine!r}, expected {expected!r}, in case {label!r}."[:600]
    for number, (a, b) in enumerate(zip(mine, expected, strict=False)):
        if not agree(a, b, 1e-5, 1e-8):
            return "wrong values", f"{name}[{number}] is {a!r}, expected {b!r}, in case {label!r}."[:600]
    return "wrong length", f"{name} has {len(mine)} entries, expected {len(expected)}, in case {label!r}."


def _where(numbers: list[int], got: Sequence[Result], given: Counterfactuals) -> str:
    """Which cases go wrong, if not all: what their arguments have in common, or their names; and what is right."""
    right = [n for n in range(len(got)) if n not in numbers and got[n].problem is None]
    others = [name for name in given.exercise.outputs if all(_right(got, given, n, name) for n in numbers)]
    only = f"{' and '.join(others)} {'is' if len(others) == 1 else 'are'} right." if others else ""
    if not right:
        return f"{only} All {len(numbers)} cases show it.".strip() if len(numbers) > 1 else only
    shared = _in_common(numbers, right, given)
    labels = ", ".join(repr(given.cases[n].label) for n in numbers[:4])
    return f"{only} {shared or f'Only in {len(numbers)} of {len(got)} cases: {labels}.'}".strip()


def _in_common(wrong: list[int], right: list[int], given: Counterfactuals) -> str | None:
    """A plain argument, or the number of axes, that tells the wrong cases from the right ones."""
    plain = {
        n: {k: v for k, v in _arguments(given, n).items() if v is None or isinstance(v, int | float | str)}
        for n in (*wrong, *right)
    }
    for name in dict.fromkeys(key for facts in plain.values() for key in facts):
        bad, good = ({plain[n].get(name, "its default") for n in group} for group in (wrong, right))
        if not bad & good and len(bad) <= 3:
            values = " or ".join(map(str, sorted(bad, key=str)))
            return (
                f"Only where {name} is {values}; with {' or '.join(map(str, sorted(good, key=str)[:4]))} it is right."
            )
    axes = {n: max((v.ndim for v in _arguments(given, n).values() if _is(v)), default=0) for n in (*wrong, *right)}
    if min(axes[n] for n in wrong) > max(axes[n] for n in right):
        return "Only with leading axes, such as a batch; without them it is right."
    return None


def _arguments(given: Counterfactuals, number: int) -> dict[str, Any]:
    case: Case = given.cases[number]
    by_position = {parameter_name(given.exercise, case, "args", n): value for n, value in enumerate(case.args)}
    return {**by_position, **case.options}


def _sizes(given: Counterfactuals, number: int) -> Sizes:
    arguments = _arguments(given, number)
    sizes = {f"{n} (the argument)": v for n, v in arguments.items() if isinstance(v, int) and v > 1}
    for name, value in arguments.items():
        if _is(value):
            sizes |= {f"axis {axis} of {name}": size for axis, size in enumerate(value.shape)}
            sizes |= {f"axis {axis - value.ndim} of {name}": size for axis, size in enumerate(value.shape)}
    return sizes


def _numbers(value: Any) -> np.ndarray | None:
    if value is None or isinstance(value, str | dict | Opaque):
        return None
    try:
        array = np.asarray(value)
        return array.astype(float) if array.dtype.kind in "fiubO" else None
    except (TypeError, ValueError):
        return None


def _kind(value: Any) -> str:
    array = _numbers(value)
    if array is None or isinstance(value, list | tuple):
        return _a(type(value).__name__)
    return f"an array of shape {array.shape}" if array.ndim else "a number"


def _a(kind: str) -> str:
    return kind if kind == "None" or " of shape" in kind else f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
