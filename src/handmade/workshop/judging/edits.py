"""Small edits of a solution: each puts another text in the place of one expression or statement.

What people get wrong decides what is tried: an axis, a name, an operator, a constant, a comparison, `=` for `+=`, a
transposition, a copy, an argument, a factor or term too few or too many, the place of a statement.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from handmade.workshop.cell.tracing import Definition, walk
from handmade.workshop.cell.versions import line_starts
from handmade.workshop.judging.moves import edits_of_statement
from handmade.workshop.judging.vocabulary import (
    AXES,
    COMPARISONS,
    FAMILIES,
    INDEXED,
    OPERATORS,
    REDUCTIONS,
    WRAPPERS,
)

Part = tuple[int, int, str]
"""From which character to which, and what stands there then."""


@dataclass(frozen=True)
class Edit:
    """One edit: its kind in a few words, its cost (how much it changes, how seldom it is the mend), its parts, and the
    node and line it is about."""

    kind: str
    cost: float
    node: int
    line: int
    parts: tuple[Part, ...] = field(repr=False)


@lru_cache(maxsize=4)
def editor_of(source: str) -> "Editor":
    """The editor of a file: what looks for the first of two mistakes needs the one that has looked for a single one."""
    return Editor(source, ast.parse(source))


class Editor:
    """Edits of one file."""

    def __init__(self, source: str, tree: ast.Module) -> None:
        self.source, self.tree = source, tree
        self.nodes = walk(tree)
        self.number = {id(node): number for number, node in enumerate(self.nodes)}
        self.parent: dict[int, tuple[ast.AST, str]] = {}
        for node in self.nodes:
            for name, value in ast.iter_fields(node):
                for part in value if isinstance(value, list) else [value]:
                    if isinstance(part, ast.AST):
                        self.parent[id(part)] = node, name
        self._names: dict[tuple[int, int], list[str]] = {}
        self._lines = source.split("\n")
        self._starts = line_starts(source)

    # --- where things stand -------------------------------------------------------------------------------------------

    def span(self, node: ast.AST) -> tuple[int, int]:
        """From which character of the source to which a node stands."""

        def offset(line: int, column: int) -> int:
            text = self._lines[line - 1]
            return self._starts[line - 1] + (column if text.isascii() else len(text.encode()[:column].decode()))

        start = offset(node.lineno, node.col_offset)  # pyright: ignore[reportAttributeAccessIssue]
        return start, offset(node.end_lineno, node.end_col_offset)  # pyright: ignore[reportAttributeAccessIssue]

    def text(self, node: ast.AST) -> str:
        start, end = self.span(node)
        return self.source[start:end]

    def function_of(self, node: ast.AST) -> ast.AST | None:
        while id(node) in self.parent:
            node = self.parent[id(node)][0]
            if isinstance(node, Definition):
                return node
        return None

    def statement_of(self, node: ast.AST) -> ast.stmt | None:
        while not isinstance(node, ast.stmt):
            if id(node) not in self.parent:
                return None
            node = self.parent[id(node)][0]
        return node

    def names_at(self, node: ast.AST) -> list[str]:
        """The names that have a value where the node stands: the function's, the nearest first, then the file's."""
        function, line = self.function_of(node), getattr(node, "lineno", 0)
        key = id(function), line
        if key not in self._names:
            self._names[key] = self._names_in(function, line) if function is not None else []
        return self._names[key]

    def _names_in(self, function: ast.AST, line: int) -> list[str]:
        found: dict[str, int] = {}
        for part in walk(function):
            if isinstance(part, ast.arg):
                found[part.arg] = part.lineno
            elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                found[part.id] = max(part.lineno, found.get(part.id, 0)) if part.lineno <= line else part.lineno
        near = sorted(found, key=lambda name: (found[name] > line, abs(line - found[name])))
        constants = [
            target.id
            for statement in self.tree.body
            if isinstance(statement, ast.Assign)
            for target in statement.targets
            if isinstance(target, ast.Name)
        ]
        return [name for name in [*near, *constants] if name != "self"]

    # --- edits --------------------------------------------------------------------------------------------------------

    def put(self, node: ast.AST, text: str, kind: str, cost: float) -> Edit:
        """The text in the node's place; in brackets where they may be needed."""
        bare = text.isidentifier() or text.replace(".", "", 1).isdigit() or self._is_free(node)
        return self.replaced(node, text if bare else f"({text})", kind, cost)

    def replaced(self, node: ast.AST, text: str, kind: str, cost: float) -> Edit:
        """The text in the node's place, as it is."""
        start, end = self.span(node)
        return Edit(kind, cost, self.number[id(node)], node.lineno, ((start, end, text),))  # pyright: ignore[reportAttributeAccessIssue]

    def _is_free(self, node: ast.AST) -> bool:
        """Whether any expression may stand in the node's place without brackets."""
        parent, name = self.parent[id(node)]
        return (
            isinstance(parent, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return | ast.keyword | ast.Expr)
            or (isinstance(parent, ast.Call) and name == "args")
            or (isinstance(parent, ast.Subscript) and name == "slice")
        )

    def narrow(self, number: int) -> Iterator[Edit]:
        """Edits that put something else in the place of a node or of a part of it."""
        node = self.nodes[number]
        if isinstance(node, ast.stmt):
            if self.function_of(node) is not None:
                yield from edits_of_statement(self, node)
        elif self._is_value(node):
            yield from self._of_expression(node)

    def wide(self, number: int) -> Iterator[Edit]:
        """Edits that put something around an expression: a call, a transposition, a factor, a term."""
        node = self.nodes[number]
        parent, place = self.parent.get(id(node), (self.tree, ""))
        is_callee = isinstance(parent, ast.Call) and place == "func"
        is_plain = isinstance(node, ast.Constant | ast.Tuple) or isinstance(parent, ast.arguments)
        if isinstance(node, ast.expr) and self._is_value(node) and not is_callee and not is_plain:
            yield from self._around(node, parent, place)

    def _is_value(self, node: ast.AST) -> bool:
        """Whether a node is an expression in a function, in whose place another may stand."""
        parent, place = self.parent.get(id(node), (self.tree, ""))
        if not isinstance(node, ast.expr) or not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            return False
        if isinstance(node, ast.Slice | ast.Starred | ast.Lambda) or (isinstance(node, ast.Tuple) and place == "slice"):
            return False
        return self.function_of(node) is not None and not isinstance(parent, ast.JoinedStr | ast.FormattedValue)

    def _of_expression(self, node: ast.AST) -> Iterator[Edit]:
        parent, place = self.parent.get(id(node), (self.tree, ""))
        match node:
            case ast.Constant():
                yield from self._of_constant(node, parent)
            case ast.Tuple() | ast.List():
                yield from self._of_several(node, parent)
            case ast.BinOp():
                yield from self._of_operation(node)
            case ast.Compare():
                yield from self._of_comparison(node)
            case ast.UnaryOp():
                yield self.put(node, self.text(node.operand), "a sign", 1.0)
            case ast.IfExp():
                test, body, other = map(self.text, (node.test, node.body, node.orelse))
                yield self.put(node, f"{other} if {test} else {body}", "branches exchanged", 1.1)
                yield self.put(node, body, "a condition", 1.4)
                yield self.put(node, other, "a condition", 1.4)
            case ast.BoolOp():
                word, other_word = (" and ", " or ") if isinstance(node.op, ast.And) else (" or ", " and ")
                yield self.put(node, other_word.join(map(self.text, node.values)), "and / or", 1.1)
                for value in node.values:
                    rest = [self.text(other) for other in node.values if other is not value]
                    yield self.put(node, word.join(rest), "a condition", 1.4)
            case ast.Call():
                yield from self._of_call(node)
            case ast.Subscript():
                yield self.put(node, self.text(node.value), "an index", 1.6)
                yield from self._of_index(node)
            case ast.Attribute(attr="T" | "mT"):
                yield self.put(node, self.text(node.value), "a transposition", 1.0)
                yield self.put(node, f"{self._atom(node.value)}.swapaxes(-1, -2)", "a transposition", 1.0)
        if isinstance(node, ast.expr) and not isinstance(parent, ast.arguments):
            yield from self._of_names(node, isinstance(parent, ast.Call) and place == "func")

    def _of_constant(self, node: ast.Constant, parent: ast.AST) -> Iterator[Edit]:
        value = node.value
        if isinstance(value, bool):
            yield self.put(node, str(not value), "a constant", 1.0)
        elif isinstance(value, int):
            is_axis = isinstance(parent, ast.keyword) and parent.arg == "axis"
            kind = "an axis" if is_axis else "a constant"
            inside = isinstance(parent, ast.UnaryOp)
            others = [value + 1, value - 1, 2 * value, *range(4), *([] if inside else [-1, -2, -3]), value * value]
            for other in dict.fromkeys(others):
                if other != value and other >= (0 if inside else -3):
                    yield self.put(node, str(other), kind, 1.0 if abs(other - value) < 3 else 1.1)
            if is_axis or isinstance(parent, ast.Call):
                for other in AXES:
                    yield self.put(node, other, "an axis", 1.2)
        elif isinstance(value, float):
            inverse = [1 / value] if value else []
            for other in dict.fromkeys([*inverse, 1 - value, value / 2, 2 * value, value * value, 0.0, 0.5, 1.0, 2.0]):
                if other != value:
                    yield self.put(node, f"{other:.12g}", "a constant", 1.0)
            for text in ("1e-5", "0.044715", "1.702", "1e-8", "1e-12", "-np.inf", "np.inf", "1.0", "10000.0"):
                yield self.put(node, text, "a constant", 1.1)
            yield self.put(node, f"-{self.text(node)}", "a sign", 1.1)
        elif value is None:
            yield from (self.put(node, text, "an argument", 1.2) for text in ("0", "1", "-1"))

    def _of_several(self, node: ast.Tuple | ast.List, parent: ast.AST) -> Iterator[Edit]:
        text = self.text(node)
        before, after = (text[0], text[-1]) if text[0] in "([" else ("", "")
        parts = list(map(self.text, node.elts))
        for a in range(len(parts)):
            for b in range(a):
                order = parts.copy()
                order[a], order[b] = order[b], order[a]
                yield self.replaced(node, f"{before}{', '.join(order)}{after}", "an order", 1.0)
        if (
            isinstance(node, ast.Tuple)
            and isinstance(parent, ast.keyword | ast.Call)
            and all(isinstance(e, ast.Constant | ast.UnaryOp) for e in node.elts)
        ):
            for text in ("0", "1", "-1", "-2", *AXES):
                yield self.put(node, text, "an axis", 1.1)

    def _atom(self, node: ast.AST) -> str:
        """The node's text, in brackets unless it is one thing."""
        simple = isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.Constant)
        return self.text(node) if simple else f"({self.text(node)})"

    def _of_operation(self, node: ast.BinOp) -> Iterator[Edit]:
        left, right = self._atom(node.left), self._atom(node.right)
        sign = OPERATORS.get(type(node.op), None)
        for other in OPERATORS.values():
            if other != sign:
                usual = other in "+-*/@" or {other, sign} <= set("^**&|//")
                yield self.put(node, f"{left} {other} {right}", "an operator", 1.0 if usual else 1.5)
        if sign in ("-", "/", "@", "//", "**", "%"):
            yield self.put(node, f"{right} {sign} {left}", "sides exchanged", 1.0)
        kind = {"*": "a factor", "/": "a divisor", "+": "a term", "-": "a term"}.get(sign or "", "a part")
        yield self.put(node, self.text(node.left), kind, 1.4)
        yield self.put(node, self.text(node.right), kind, 1.4)
        if sign and isinstance(node.left, ast.BinOp) and type(node.left.op) in OPERATORS:
            a, b, inner = self._atom(node.left.left), self._atom(node.left.right), OPERATORS[type(node.left.op)]
            yield self.put(node, f"{a} {inner} ({b} {sign} {right})", "brackets", 1.2)
            yield self.put(node, f"({a} {sign} {right}) {inner} {b}", "brackets", 1.3)
        if sign and isinstance(node.right, ast.BinOp) and type(node.right.op) in OPERATORS:
            a, b, inner = self._atom(node.right.left), self._atom(node.right.right), OPERATORS[type(node.right.op)]
            yield self.put(node, f"({left} {sign} {a}) {inner} {b}", "brackets", 1.2)
        if sign == "@":
            for a, b in ((f"{left}.swapaxes(-1, -2)", right), (left, f"{right}.swapaxes(-1, -2)")):
                yield self.put(node, f"{a} @ {b}", "a transposition", 1.1)
            yield self.put(node, f"{right}.swapaxes(-1, -2) @ {left}", "sides exchanged", 1.3)
            yield self.put(node, f"{right} @ {left}.swapaxes(-1, -2)", "sides exchanged", 1.3)

    def _of_comparison(self, node: ast.Compare) -> Iterator[Edit]:
        left, right = self._atom(node.left), self._atom(node.comparators[0])
        for kind, sign in COMPARISONS.items():
            if not isinstance(node.ops[0], kind) and len(node.ops) == 1:
                yield self.put(node, f"{left} {sign} {right}", "a comparison", 1.0)
        yield self.put(node, f"not ({self.text(node)})", "a condition", 1.3)

    def _of_call(self, node: ast.Call) -> Iterator[Edit]:
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        function, arguments = self.text(node.func), list(map(self.text, node.args))
        keywords = [self.text(keyword) for keyword in node.keywords]

        def call(arguments: Iterable[str], keywords: Iterable[str]) -> str:
            return f"{function}({', '.join([*arguments, *keywords])})"

        for number, keyword in enumerate(node.keywords):
            rest = keywords[:number] + keywords[number + 1 :]
            yield self.put(node, call(arguments, rest), f"{keyword.arg}", 1.2)
        have = {keyword.arg for keyword in node.keywords}
        if name in REDUCTIONS:
            for word, values in REDUCTIONS[name].items():
                if word not in have:
                    for value in values:
                        yield self.put(node, call(arguments, [*keywords, f"{word}={value}"]), word, 1.2)
            if "axis" not in have and "keepdims" not in have:
                for axis in ("-1", "1", "-2", "0", "(2, 3)"):
                    more = [f"axis={axis}", "keepdims=True"]
                    yield self.put(node, call(arguments, [*keywords, *more]), "axis and keepdims", 1.3)
        for a in range(len(arguments)):
            for b in range(a):
                order = arguments.copy()
                order[a], order[b] = order[b], order[a]
                yield self.put(node, call(order, keywords), "arguments exchanged", 1.1)
        if len(arguments) > 1:
            for number in range(len(arguments)):
                yield self.put(node, call(arguments[:number] + arguments[number + 1 :], keywords), "an argument", 1.5)
        if name in INDEXED:
            for more in ("k=1", "k=-1", "1", "-1"):
                yield self.put(node, call(arguments[:1], [more]), "the diagonal", 1.2)
        if isinstance(node.func, ast.Attribute) and self.text(node.func.value) not in ("np", "math", "torch"):
            yield self.put(node, self.text(node.func.value), f".{name}()", 1.4)
        if len(arguments) >= 1:
            yield self.put(node, arguments[0], f"{name}()", 1.3)
        if name in ("reshape", "transpose") and len(arguments) > 2:
            yield self.put(node, call(arguments[::-1], keywords), "an order", 1.2)

    def _of_index(self, node: ast.Subscript) -> Iterator[Edit]:
        value, index = self.text(node.value), node.slice
        for text in (":-1", "1:", "::-1", "-1", "0", "..., 0", ":, 0", "..., ::-1", ":, ::-1"):
            yield self.put(node, f"{value}[{text}]", "an index", 1.4)
        for text in ("[:, None]", "[None]", "[..., None]", "[:, None, None]"):
            yield self.put(node, f"{value}{text}", "an index", 1.4)
        if isinstance(index, ast.Tuple):
            yield from self._of_slices(node, index)
        if isinstance(index, ast.Slice):
            low, high = (self.text(part) if part else "" for part in (index.lower, index.upper))
            if low and high:
                for a, b in ((low, ""), ("", high), (f"{low} + 1", high), (low, f"{high} + 1"), (low, f"{high} - 1")):
                    yield self.put(node, f"{value}[{a}:{b}]", "an index", 1.2)
            for a, b in ((high, ""), ("", low)):
                if a or b:
                    yield self.put(node, f"{value}[{a}:{b}]", "an index", 1.2)

    def _of_slices(self, node: ast.Subscript, index: ast.Tuple) -> Iterator[Edit]:
        """Other ends of the slices in an index of several axes."""
        value, parts = self.text(node.value), list(map(self.text, index.elts))
        for number, part in enumerate(index.elts):
            if isinstance(part, ast.Slice) and part.step is None:
                low, high = (self.text(end) if end else "" for end in (part.lower, part.upper))
                names = self.names_at(node)[:6]
                others = [f"{low}:", f":{high}", *(f"{low}:{name}" for name in names), *(f"{n}:{high}" for n in names)]
                for text in dict.fromkeys(others):
                    new = ", ".join([*parts[:number], text, *parts[number + 1 :]])
                    if text != parts[number]:
                        yield self.put(node, f"{value}[{new}]", "the end of a slice", 1.2)

    def _of_names(self, node: ast.expr, is_callee: bool) -> Iterator[Edit]:
        """Another name, function or method in the place of this one."""
        word = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        for family in FAMILIES:
            if word in family:
                for other in family:
                    if other != word:
                        text = f"{self.text(node.value)}.{other}" if isinstance(node, ast.Attribute) else other
                        yield self.replaced(node, text, "another function" if is_callee else "another name", 1.0)
        if isinstance(node, ast.Name) and not is_callee:
            for place, other in enumerate(self.names_at(node)):
                if other != node.id:
                    yield self.put(node, other, "another name", 1.0 + 0.05 * min(place, 12))
        if isinstance(node, ast.Name) and is_callee:
            own = [part.name for part in self.tree.body if isinstance(part, Definition) and part.name != node.id]
            yield from (self.replaced(node, name, "another function", 1.2) for name in own)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            own = {p.attr for p in self.nodes if isinstance(p, ast.Attribute) and self.text(p.value) == "self"}
            yield from (self.replaced(node, f"self.{name}", "another name", 1.1) for name in sorted(own - {node.attr}))

    def _around(self, node: ast.expr, parent: ast.AST, place: str) -> Iterator[Edit]:
        """Something around the expression: a call, a transposition, a factor, a term."""
        is_part = isinstance(parent, ast.Attribute) or (isinstance(parent, ast.Subscript) and place == "slice")
        if is_part and not isinstance(node, ast.BinOp | ast.Name | ast.Call):
            return
        text, atom = self.text(node), self._atom(node)
        for template, kind, cost in WRAPPERS:
            yield self.put(node, template.format(text=text, atom=atom), kind, cost)
        names = [name for name in self.names_at(node) if name != text]
        for number, name in enumerate(names[:14]):
            cost = 1.6 + 0.01 * number
            for sign, kind in (
                ("*", "a factor"),
                ("/", "a divisor"),
                ("+", "a term"),
                ("-", "a term"),
                ("@", "a factor"),
            ):
                yield self.put(node, f"{atom} {sign} {name}", kind, cost)
            yield self.put(node, f"{name} - {atom}", "a term", cost + 0.2)
            yield self.put(node, f"{atom} / np.sqrt({name})", "a divisor", cost + 0.2)
            for axis in ("-1", "0", "1"):
                yield self.put(node, f"{atom} / np.sqrt({name}.shape[{axis}])", "a divisor", cost + 0.3)
                yield self.put(node, f"{atom} / {name}.shape[{axis}]", "a divisor", cost + 0.3)
            yield self.put(node, f"{atom} * (1 - {name})", "a factor", cost + 0.2)
            yield self.put(node, f"{atom} * {name}[:, None, None]", "a factor", cost + 0.2)
            yield self.put(node, f"{atom} + {name}[:, None, None]", "a term", cost + 0.2)
