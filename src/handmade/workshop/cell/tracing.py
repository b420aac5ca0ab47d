"""A run of a solution with the value of each of its expressions and assignments recorded, as plain data.

The syntax tree is instrumented: `a @ b / c` becomes `seen(7, seen(9, a @ b) / c)`, and behind each assignment the new
value is seen under the number of its target. A node's number is its place in `ast.walk` of the file as it is written,
so that whoever has the file knows which expression is meant. What is kept is bounded: so many values of one node, so
many numbers in all.
"""

import ast
from collections.abc import Iterator
from typing import Any

import numpy as np

SEEN = "__seen__"
VALUES_OF_ONE_NODE, VALUES, NUMBERS, LARGEST, LONGEST = 4, 3000, 60_000, 2048, 1500
LONGEST_INT = 1 << 40  # longer ones are addresses, id(...), which differ from run to run

Definition = ast.FunctionDef | ast.AsyncFunctionDef
_UNSEEN = (
    ast.Constant, ast.Name, ast.Slice, ast.Starred, ast.Lambda, ast.JoinedStr, ast.FormattedValue, ast.Yield,
    ast.YieldFrom, ast.Await, ast.GeneratorExp,
)  # fmt: skip
_NO_VALUES = ("annotation", "pattern", "decorator_list", "defaults", "kw_defaults")
_LOAD = ast.Load()


class Recorder:
    """Called with a node's number and a value, which it gives back. events: (number, what the value was then). steps:
    how often it was called, which is how much work a run is.

    Of a node's values the first few are kept as they come, and the last when all is done, in the place where it came: a
    loop may go wrong late.
    """

    def __init__(self) -> None:
        self.events: list[tuple[int, Any]] = []
        self._counts: dict[int, int] = {}
        self._last: dict[int, tuple[int, Any]] = {}
        self._steps: list[int] = []
        self._numbers = 0
        self.steps = 0

    def __call__(self, number: int, value: Any) -> Any:
        self.steps += 1
        count = self._counts.get(number, 0)
        if count < VALUES_OF_ONE_NODE:
            self._counts[number] = count + 1
            self._keep(number, value, self.steps)
        else:
            is_small = type(value) is np.ndarray and value.size <= LARGEST
            self._last[number] = self.steps, value.copy() if is_small else value  # it may be changed later
        return value

    def finish(self) -> None:
        """Keep the last values, and put all into the order in which they came."""
        for number, (step, value) in sorted(self._last.items(), key=lambda pair: pair[1][0]):
            self._keep(number, value, step)
        order = sorted(range(len(self.events)), key=self._steps.__getitem__)
        self.events = [self.events[place] for place in order]

    def _keep(self, number: int, value: Any, step: int) -> None:
        if len(self.events) < VALUES and self._numbers < NUMBERS:
            kept = snapshot(value)
            self._numbers += kept.size if isinstance(kept, np.ndarray) else 1
            self.events.append((number, kept))
            self._steps.append(step)


def snapshot(value: Any) -> Any:
    """The value as it is now: a number, an array that nobody else has, or a text for lists, names and dictionaries.
    None for everything else and for what is too large."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool | int | float):
        return value if isinstance(value, float) or abs(value) <= LONGEST_INT else None
    if isinstance(value, complex):
        return np.array([value.real, value.imag])
    try:
        if hasattr(value, "detach"):
            value = value.detach().cpu().numpy()
        if isinstance(value, np.ndarray):
            if value.dtype.kind == "c":
                value = np.stack([value.real, value.imag])
            return np.array(value) if value.size <= LARGEST and value.dtype.kind in "biuf" else None
        if isinstance(value, list | tuple) and value and not isinstance(value[0], str | dict | set):
            array = np.array([part.detach().cpu().numpy() if hasattr(part, "detach") else part for part in value])
            if array.dtype.kind in "biuf":
                return array if array.size <= LARGEST else None
    except Exception:
        return None
    text = _text(value, [300])
    return text if text is not None and len(text) <= LONGEST else None


def _text(value: Any, left: list[int]) -> str | None:
    """Plain values in one spelling; `left` counts how many parts may still come."""
    left[0] -= 1
    if left[0] < 0:
        return None
    if isinstance(value, int) and abs(value) > LONGEST_INT:
        return None
    if isinstance(value, bool | int | str) or value is None:
        return repr(value)
    if isinstance(value, float | np.floating):
        return f"{float(value):.7g}"
    if isinstance(value, np.integer):
        return repr(int(value))
    if isinstance(value, dict):
        parts = [(_text(key, left), _text(part, left)) for key, part in value.items()]
        return None if any(None in pair for pair in parts) else f"{{{sorted(map(str, parts))}}}"
    if isinstance(value, list | tuple | set | frozenset):
        texts = [_text(part, left) for part in value]
        if None in texts:
            return None
        return (
            f"{{{sorted(map(str, texts))}}}"
            if isinstance(value, set | frozenset)
            else f"[{', '.join(map(str, texts))}]"
        )
    return None


def walk(tree: ast.AST) -> list[ast.AST]:
    """The nodes that `ast.walk` gives, in its order, in a third of its time: a search for a mend walks through a
    thousand trees."""
    nodes = [tree]
    for node in nodes:  # which grows meanwhile
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, ast.AST):
                nodes.append(value)
            elif type(value) is list:
                nodes += [part for part in value if isinstance(part, ast.AST)]
    return nodes


def instrumented(source: str) -> ast.Module:
    """The file's syntax tree with a call of SEEN around every expression in its functions."""
    tree = ast.parse(source)
    return instrument(tree, walk(tree))


def instrument(tree: ast.Module, nodes: list[ast.AST], first: int = 0) -> ast.Module:
    """The same made of a tree and its nodes, whose numbers begin at `first`. The tree is changed."""
    numbers = {id(node): number for number, node in enumerate(nodes, first)}
    around = {id(node) for node in _seen_among(nodes)}
    return _Instrumenter(numbers, around).visit(tree)


def seen_nodes(tree: ast.Module) -> Iterator[ast.expr]:
    """The expressions whose values are recorded."""
    return _seen_among(walk(tree))


def _seen_among(nodes: list[ast.AST]) -> Iterator[ast.expr]:
    for function in nodes:
        if isinstance(function, Definition):
            for statement in function.body:
                yield from _seen(statement)


def _seen(node: ast.AST, returned: ast.AST | None = None) -> list[ast.expr]:
    """returned: the tuple that the statement returns, if it does: its names are seen, too."""
    found: list[ast.expr] = []
    if isinstance(node, Definition | ast.ClassDef):
        return found
    if isinstance(node, ast.Return):
        returned = node.value
    for field in node._fields:
        if field in _NO_VALUES:
            continue
        value = getattr(node, field, None)
        for part in value if isinstance(value, list) else [value]:
            if not isinstance(part, ast.AST) or not part._fields:  # no node, or one such as Load or Add
                continue
            if isinstance(part, ast.expr):
                is_function = isinstance(node, ast.Call) and field == "func"
                is_index = isinstance(node, ast.Subscript) and field == "slice" and isinstance(part, ast.Tuple)
                is_result = isinstance(part, ast.Name) and (
                    isinstance(node, ast.Return) or _is_returned(node, returned)
                )
                is_plain = not isinstance(part, _UNSEEN) and isinstance(getattr(part, "ctx", _LOAD), ast.Load)
                if is_result or (is_plain and not is_function and not is_index):
                    found.append(part)
            if not isinstance(part, ast.JoinedStr):
                found += _seen(part, returned)
    return found


def _is_returned(node: ast.AST, returned: ast.AST | None) -> bool:
    return node is returned and isinstance(node, ast.Tuple)


def targets(statement: ast.stmt) -> Iterator[ast.expr]:
    """The names, and attributes as self.keys, whose values a statement changes, or may change: tokens.append(...)."""
    if isinstance(statement, ast.Assign):
        found = statement.targets
    elif isinstance(statement, ast.AugAssign | ast.AnnAssign | ast.For):
        found = [statement.target]
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        found = list(_told_to(statement.value))
    else:
        return
    todo = list(found)
    while todo:
        target = todo.pop(0)
        if isinstance(target, ast.Tuple | ast.List):
            todo += target.elts
        elif isinstance(target, (ast.Starred, ast.Subscript)):
            todo.append(target.value)
        elif isinstance(target, ast.Name) or (isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name)):
            yield target


def _told_to(call: ast.Call) -> Iterator[ast.expr]:
    """What a call that stands alone changes: the list of tokens.append(...), the array of np.add.at(dx, ...)."""
    match call.func:
        case ast.Attribute(value=ast.Name(id="np")):
            return
        case ast.Attribute(attr="at") if call.args:
            yield call.args[0]
        case ast.Attribute(value=value):
            yield value


class _Instrumenter(ast.NodeTransformer):
    def __init__(self, numbers: dict[int, int], around: set[int]) -> None:
        self.numbers, self.around = numbers, around
        self.inside = 0

    def visit(self, node: ast.AST) -> Any:
        new: Any = self.generic_visit(node) if node._fields else node
        return _call(self.numbers[id(node)], new, node) if id(node) in self.around else new

    def generic_visit(self, node: ast.AST) -> ast.AST:
        inside = isinstance(node, Definition)
        self.inside += inside
        super().generic_visit(node)
        if self.inside:
            for field in ("body", "orelse", "finalbody"):
                statements = getattr(node, field, None)
                if isinstance(statements, list) and not isinstance(node, ast.ClassDef):
                    setattr(node, field, [new for statement in statements for new in self._with_targets(statement)])
        if isinstance(node, ast.For) and self.inside:
            node.body = [*map(self._look, targets(node)), *node.body]
        if isinstance(node, Definition):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            node.body = [_look(self.numbers[id(a)], _name(a.arg, a), a) for a in arguments] + node.body
        self.inside -= inside
        return node

    def _with_targets(self, statement: ast.stmt) -> list[ast.stmt]:
        is_loop = isinstance(statement, ast.For)
        declares = isinstance(statement, ast.AnnAssign) and statement.value is None
        return [statement] if is_loop or declares else [statement, *map(self._look, targets(statement))]

    def _look(self, target: ast.expr) -> ast.stmt:
        """A statement in which the target is seen."""
        if isinstance(target, ast.Attribute):
            assert isinstance(target.value, ast.Name)
            again: ast.expr = ast.Attribute(_name(target.value.id, target), target.attr, ast.Load(), **_place(target))
        else:
            assert isinstance(target, ast.Name)
            again = _name(target.id, target)
        return _look(self.numbers[id(target)], again, target)


def _look(number: int, value: ast.expr, at: ast.AST) -> ast.stmt:
    return ast.Expr(_call(number, value, at), **_place(at))


def _name(name: str, at: ast.AST) -> ast.Name:
    return ast.Name(name, ast.Load(), **_place(at))


def _call(number: int, value: ast.expr, at: ast.AST) -> ast.Call:
    place = _place(at)
    return ast.Call(ast.Name(SEEN, ast.Load(), **place), [ast.Constant(number, **place), value], [], **place)


def _place(node: ast.AST) -> dict[str, Any]:
    """Where a node stands, for one that is made in its place. `ast.fix_missing_locations` would walk the whole tree."""
    return {name: getattr(node, name) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset")}
