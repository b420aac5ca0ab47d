"""What right solutions compute on one case: every value of every expression, found again by its numbers."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType, ModuleType
from typing import Any

import numpy as np

from handmade.workshop.cell.cases import Case, run_case
from handmade.workshop.cell.drivers import DRIVERS
from handmade.workshop.cell.tracing import SEEN, Recorder, instrumented, walk
from handmade.workshop.exercise import Exercise
from handmade.workshop.source import faulty, solution
from handmade.workshop.variants import variants_of

EXACT, MOVED, UNKNOWN = 2, 1, 0
"""How a value is found: as it is; with its axes in another order, otherwise laid out, or as a row; not at all."""

LARGEST_IN_PARTS = 256
"""Up to how many numbers an array's rows are looked for, too."""

RTOL, RTOL32 = 1e-9, 1e-5
"""How near a value must come to a right one, in float64 and in less."""


@dataclass(frozen=True, eq=False)
class RightRun:
    """One right solution's source, its tree, its nodes by number, and what it computed."""

    source: str
    nodes: list[ast.AST]
    events: list[tuple[int, Any]]

    def results(self) -> list[Any]:
        """The values that stand behind a return."""
        parts = {id(part) for node in self.nodes for part in returned_parts(node)}
        return [value for number, value in self.events if self.nodes and id(self.nodes[number]) in parts]


def returned_parts(node: ast.AST) -> list[ast.expr]:
    """What a `return` gives: the parts of its tuple, or its one value. Nothing for any other node."""
    if not isinstance(node, ast.Return) or node.value is None:
        return []
    return node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]


def right_sources(exercise: Exercise) -> list[str]:
    """The reference, under every convention too, and the variants that need no PyTorch."""
    others = [source for source in variants_of(exercise.name).values() if "torch" not in source]
    return [solution(exercise), *(faulty(exercise, name) for name in exercise.conventions), *others]


def right_runs(exercise: Exercise, case: Case) -> list[RightRun]:
    """Each right solution's run on this case, in this process: they are ours."""
    return [right_run(source, exercise, case) for source in right_sources(exercise)]


def right_run(source: str, exercise: Exercise, case: Case) -> RightRun:
    recorder, module = Recorder(), ModuleType(f"right_{exercise.name}")
    code, nodes = _compiled(source)
    vars(module)[SEEN] = recorder
    exec(code, vars(module))
    functions = {function.__name__: vars(module)[function.__name__] for function in exercise.functions}
    run_case(DRIVERS[exercise.driver], functions, case, exercise.outputs)
    recorder.finish()
    return RightRun(source, nodes, recorder.events)


@lru_cache(maxsize=128)
def _compiled(source: str) -> tuple[CodeType, list[ast.AST]]:
    """A right solution, ready to be run with its values recorded, and its nodes by number: the same on every case.

    np.empty gives zeros in it: what happens to stand in memory, perhaps a wrong result, is no right value.
    """
    tree = instrumented(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("empty", "empty_like"):
            node.attr = node.attr.replace("empty", "zeros")
    return compile(tree, "right", "exec"), walk(ast.parse(source))


@dataclass
class RightValues:
    """The values of several runs: by what they are, by the name they are assigned to, those that are returned."""

    texts: set[str] = field(default_factory=set)
    scalars: np.ndarray = field(default_factory=lambda: np.zeros(0))
    entries: np.ndarray = field(default_factory=lambda: np.zeros(0))
    exact: dict[tuple[int, ...], np.ndarray] = field(default_factory=dict)
    moved: dict[int, np.ndarray] = field(default_factory=dict)
    by_name: dict[str, list[Any]] = field(default_factory=dict)
    results: list[Any] = field(default_factory=list)
    whole: set[bytes] = field(default_factory=set)

    @property
    def shapes(self) -> set[tuple[int, ...]]:
        """The sizes of all values' axes but those of size 1, in order of size."""
        return {(), *(tuple(sorted(shape)) for shape in self.exact)}

    @classmethod
    def of(cls, runs: Iterable[RightRun]) -> "RightValues":
        values = cls()
        scalars: list[float] = []
        exact: dict[tuple[int, ...], list[np.ndarray]] = {}
        for run in runs:
            values.results += run.results()
            for number, value in run.events:
                if run.nodes and (name := spelled(run.nodes[number])):
                    values.by_name.setdefault(_folded(name), []).append(value)
                    values.whole.add(_rounded(value))
                if isinstance(value, str):
                    values.texts.add(value)
                elif value is not None:
                    array = numbers(value)
                    if array.size == 1:
                        scalars.append(float(array.ravel()[0]))
                    elif array.size:
                        exact.setdefault(without_ones(array.shape), []).append(array.ravel())
        values.scalars = np.unique(np.array(scalars))
        flat = [array for arrays in exact.values() for array in arrays]
        values.entries = np.unique(np.concatenate(flat)) if flat else np.zeros(0)
        by_size: dict[int, list[np.ndarray]] = {}
        for shape, arrays in exact.items():
            stacked = np.unique(np.array(arrays), axis=0)
            values.exact[shape] = stacked
            by_size.setdefault(stacked.shape[1], []).append(np.sort(stacked, axis=1))
            for part in _parts(shape, stacked):
                by_size.setdefault(part.shape[1], []).append(np.sort(part, axis=1))
        values.moved = {size: np.concatenate(rows) for size, rows in by_size.items()}
        return values

    def named(self, name: str) -> list[Any]:
        """What right solutions call by this name, in capitals or not: OW and ow, though not H and h."""
        return self.by_name.get(_folded(name), [])

    def is_named(self, value: Any) -> bool:
        """Whether right solutions give this value a name, and do not only compute it on the way to another."""
        return _rounded(value) in self.whole

    def _is_entry(self, number: float) -> bool:
        """Whether a number is an entry of a right array."""
        place = int(np.searchsorted(self.entries, number))
        near = self.entries[max(place - 1, 0) : place + 1]
        return bool((np.abs(near - number) <= RTOL * abs(number) + 1e-15).any())

    def find(self, value: Any) -> int:
        """How this value is found among the right ones."""
        if value is None:
            return MOVED
        if isinstance(value, str):
            return EXACT if value in self.texts else UNKNOWN
        array = numbers(value)
        if array.size == 0:
            return MOVED
        if array.size == 1:
            number = float(array.ravel()[0])
            near = np.abs(self.scalars - number) <= RTOL * abs(number) + 1e-12
            if near.any() or (number != number and np.isnan(self.scalars).any()):
                return EXACT
            return MOVED if self._is_entry(number) else UNKNOWN
        row, rtol = array.ravel(), RTOL32 if getattr(value, "dtype", None) in (np.float32, np.float16) else RTOL
        if _among(row, self.exact.get(without_ones(array.shape)), rtol):
            return EXACT
        return MOVED if _among(np.sort(row), self.moved.get(row.size), rtol) else UNKNOWN


def _rounded(value: Any) -> bytes:
    """What a value is to some digits, whatever axes of size 1 it has."""
    if value is None or isinstance(value, str):
        return repr(value).encode()
    array = numbers(value)
    return repr(without_ones(array.shape)).encode() + (np.round(array, 7) + 0.0).tobytes()


def _parts(shape: tuple[int, ...], stacked: np.ndarray) -> list[np.ndarray]:
    """The parts of these arrays of one shape with fewer axes: loops take them one by one."""
    count, size = stacked.shape
    if size > LARGEST_IN_PARTS:
        return []
    lengths = [int(np.prod(shape[:axes])) for axes in range(1, len(shape))]
    return [np.unique(stacked.reshape(count * length, size // length), axis=0) for length in lengths]


def _folded(name: str) -> str:
    return name.lower() if len(name) > 1 else name


def _among(row: np.ndarray, rows: np.ndarray | None, rtol: float) -> bool:
    if rows is None:
        return False
    scale = np.max(np.abs(row[np.abs(row) < _INFINITE / 2]), initial=0.0)
    return bool((np.abs(rows - row) <= rtol * (np.abs(row) + scale) + 1e-15).all(1).any())


_INFINITE, _NAN = 1e200, 3e200


def numbers(value: Any) -> np.ndarray:
    """As an array of floats in which infinities and nan are large numbers."""
    array = np.asarray(value, float)
    finite = bool(np.isfinite(array).all())
    return array if finite else np.nan_to_num(array, nan=_NAN, posinf=_INFINITE, neginf=-_INFINITE)


def key_of(value: Any) -> bytes:
    """What a recorded value is, to the last bit: a key to know it again by."""
    return repr(getattr(value, "shape", value)).encode() + getattr(value, "tobytes", bytes)()


def spelled(node: ast.AST) -> str:
    """The name that a node is or assigns, or the attribute as self.keys; "" for other nodes."""
    match node:
        case ast.arg(arg=name) | ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            return f"{name}.{attribute}"
    return ""


def without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)


def tells_much(value: Any) -> bool:
    """Whether a value that is right is so hardly by chance: an uneven number, two of which one is uneven, three, or a
    text."""
    if isinstance(value, str):
        return len(value) > 6
    if value is None:
        return False
    array = np.asarray(value)
    if array.dtype.kind == "f" and array.size == 1:
        return bool(np.isfinite(array).all()) and float(array.ravel()[0]) % 0.5 != 0
    if array.dtype.kind != "f" or array.size < 2:
        return False
    return _has_three(array.ravel()) or (array.size == 2 and _is_uneven(array.ravel()))


def _is_uneven(pair: np.ndarray) -> bool:
    return bool(np.isfinite(pair).all()) and bool(pair[0] != pair[1]) and bool((pair % 0.5 != 0).all())


def _has_three(row: np.ndarray) -> bool:
    """Whether there are more than two different numbers; not a number is one."""
    others = row[(row != row[0]) & ~(np.isnan(row) & np.isnan(row[0]))]
    return bool(((others != others[:1]) & ~(np.isnan(others) & np.isnan(others[:1]))).any())


def same_value(a: Any, b: Any) -> bool:
    """Whether two recorded values are the same but for axes of size 1."""
    if a is None or b is None or isinstance(a, str) or isinstance(b, str):
        return isinstance(a, str) and isinstance(b, str) and a == b
    first, second = numbers(a), numbers(b)
    same_shape = without_ones(first.shape) == without_ones(second.shape)
    return same_shape and bool(np.allclose(first.ravel(), second.ravel(), RTOL, 1e-12))
