"""A reference's source with every switch decided: what is left is plain code, its comments and layout kept.

    scale = 1.0 if wrong("no scale") else np.sqrt(d_k)    becomes    scale = np.sqrt(d_k)

What switches decide is folded by its place in the text, from the end to the beginning, the outermost first; then the
text is parsed again, until none is left.
"""

import ast
from collections.abc import Iterator
from functools import lru_cache

Spot = tuple[int, int]
"""A place in a text: line and column, from 0; columns in characters."""


def fold(source: str, on: frozenset[str] = frozenset()) -> str:
    """The source under these switches. ValueError where a switch stands in a form that cannot be folded."""
    if "wrong(" not in source and "convention(" not in source:
        return source
    return _folded(source, frozenset(name for name in on if name in source))


@lru_cache(maxsize=1024)
def _folded(source: str, on: frozenset[str]) -> str:
    """The same; known for a function of which other functions' switches differ: a file has a mistake in one of them."""
    while nodes := sorted(_outermost(ast.parse(source), on), key=lambda node: (node.lineno, node.col_offset)):
        for node in reversed(nodes):  # so that those before it stand where they stood
            source = _fold_one(source, node, on)
    if "wrong(" in source or "convention(" in source:
        raise ValueError(f"a switch is left in:\n{source}")
    return source


def _outermost(node: ast.AST, on: frozenset[str]) -> Iterator[ast.If | ast.IfExp | ast.BoolOp]:
    """What a switch decides, but for what is inside such a thing."""
    conditions = node.values if isinstance(node, ast.BoolOp) else []
    if isinstance(node, ast.If | ast.IfExp):
        conditions = [node.test]
    if any(_truth(condition, on) is not None for condition in conditions):
        yield node  # pyright: ignore[reportReturnType]
    else:
        for child in ast.iter_child_nodes(node):
            yield from _outermost(child, on)


def _fold_one(source: str, node: ast.If | ast.IfExp | ast.BoolOp, on: frozenset[str]) -> str:
    if isinstance(node, ast.BoolOp):
        return _fold_condition(source, node, on)
    truth = bool(_truth(node.test, on))
    if isinstance(node, ast.If):
        return _fold_statement(source, node, truth)
    return _fold_expression(source, node, node.body if truth else node.orelse)


def _truth(node: ast.expr, on: frozenset[str]) -> bool | None:
    """Whether a condition holds, where the switches alone decide it."""
    match node:
        case ast.Call(func=ast.Name(id="wrong" | "convention"), args=[ast.Constant(value=name)]):
            return name in on
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            truth = _truth(operand, on)
            return None if truth is None else not truth
        case ast.BoolOp(op=op, values=values):
            truths = [_truth(value, on) for value in values]
            deciding = isinstance(op, ast.Or)
            return deciding if deciding in truths else None if None in truths else not deciding
    return None


def _fold_condition(source: str, node: ast.BoolOp, on: frozenset[str]) -> str:
    """Leave out the operands that the switches decide, which do not decide the whole."""
    rest = [value for value in node.values if _truth(value, on) is None]
    if not rest:  # the whole is decided, in a place that is no condition
        raise ValueError(f"a switch stands where none can be folded: {ast.unparse(node)}")
    word = " and " if isinstance(node.op, ast.And) else " or "
    texts = [_text(source, value) for value in rest]
    if len(rest) > 1:
        texts = [f"({t})" if isinstance(v, ast.BoolOp | ast.IfExp) else t for t, v in zip(texts, rest, strict=True)]
    return _replaced(source, *_span(source, node), word.join(texts))


def _fold_expression(source: str, node: ast.IfExp, chosen: ast.expr) -> str:
    """Put the chosen branch in the place of the whole, without brackets that only the whole needed."""
    text = _text(source, chosen)
    (start_line, start), (end_line, end) = _span(source, node)
    lines = source.split("\n")
    before = "\n".join([*lines[:start_line], lines[start_line][:start]])
    after = "\n".join([lines[end_line][end:], *lines[end_line + 1 :]])
    opened, closed = before.rstrip(), after.lstrip()
    if opened.endswith("(") and closed.startswith(")") and "\n" not in text:
        outside = opened[:-1].rstrip()
        is_call = outside[-1:].isalnum() or outside[-1:] in set("_)]\"'")
        is_call = is_call and outside.rpartition(" ")[2] not in {"return", "in", "and", "or", "not", "else", "if"}
        follows = closed[1:].lstrip(" ")[:1]
        is_atom = isinstance(chosen, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.Constant)
        alone = outside[-1:] in set("=,([") or outside.endswith("return")
        if not is_call and (is_atom or (alone and follows in set("\n,)]:"))):
            before, after = opened[:-1], closed[1:]
        elif is_call:
            before, after = opened, closed
    return before + text + after


def _fold_statement(source: str, node: ast.If, truth: bool) -> str:
    """Put the chosen branch's lines in the place of the whole `if`, or of its part of the chain."""
    lines = source.split("\n")
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    indent = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
    in_chain = lines[first].lstrip().startswith("elif")
    header = (node.test.end_lineno or node.lineno) - 1
    if node.body[0].lineno - 1 == header:
        raise ValueError(f"a switch and what it does stand on one line: {lines[header].strip()}")
    other = _other_branch(lines, node, indent)
    body = lines[header + 1 : last + 1 if other is None else other]
    rest = [] if other is None else lines[other : last + 1]
    is_else = bool(rest) and rest[0].lstrip().startswith("else")
    if truth:
        new = [f"{indent}else:", *body] if in_chain else _dedented(body, indent)
    elif in_chain or not rest:
        new = rest
    elif is_else:
        new = _dedented(rest[1:], indent)
    else:
        new = [rest[0].replace("elif", "if", 1), *rest[1:]]
    folded = "\n".join([*lines[:first], *new, *lines[last + 1 :]])
    says = any(line.strip() and not line.lstrip().startswith("#") for line in new)
    return folded if says or _parses(folded) else "\n".join([*lines[:first], f"{indent}pass", *lines[last + 1 :]])


def _other_branch(lines: list[str], node: ast.If, indent: str) -> int | None:
    """The line of this statement's `else` or `elif`."""
    if not node.orelse:
        return None
    line = node.orelse[0].lineno - 1
    while not lines[line].startswith((f"{indent}else", f"{indent}elif")):
        line -= 1
    return line


def _dedented(lines: list[str], indent: str) -> list[str]:
    extra = len(next(line for line in lines if line.strip())) - len(
        next(line for line in lines if line.strip()).lstrip()
    )
    return [line[extra - len(indent) :] if line.strip() else line for line in lines]


def _parses(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def _span(source: str, node: ast.expr) -> tuple[Spot, Spot]:
    """From where to where an expression stands; the parser counts columns in bytes of UTF-8."""
    lines = source.split("\n")

    def spot(line: int | None, column: int | None) -> Spot:
        assert line is not None
        return line - 1, len(lines[line - 1].encode()[:column].decode())

    return spot(node.lineno, node.col_offset), spot(node.end_lineno, node.end_col_offset)


def _text(source: str, node: ast.expr) -> str:
    (first, start), (last, end) = _span(source, node)
    lines = source.split("\n")[first : last + 1]
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][start:]
    return "\n".join(lines)


def _replaced(source: str, start: Spot, end: Spot, text: str) -> str:
    lines = source.split("\n")
    new = lines[start[0]][: start[1]] + text + lines[end[0]][end[1] :]
    return "\n".join([*lines[: start[0]], *new.split("\n"), *lines[end[0] + 1 :]])
