"""A solution's file is read before it runs: is it Python, are the functions there, do they accept their arguments?"""

import ast
import codecs
import difflib
import io
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from handmade.reading import cannot_read, read_start
from handmade.workshop.cell.cases import Case
from handmade.workshop.cell.job import Job, Limits
from handmade.workshop.exercise import Exercise
from handmade.workshop.exercises import TOPICS
from handmade.workshop.judging.origins import notebook_lines, unparsable, whole_notebook
from handmade.workshop.judging.signatures import signature_of, signature_problem
from handmade.workshop.judging.verdict import Finding

LARGEST = 1 << 20

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Solution:
    """A file after reading: its text, whether it uses PyTorch, and what is already known to be wrong."""

    path: Path
    source: str
    torch: bool
    findings: list[Finding]

    def job(self, exercise: Exercise, cases: list[Case], limits: Limits, torch: bool) -> Job:
        """The job that runs it on these cases. torch: whether it gets tensors."""
        return Job(
            path=str(self.path.absolute()),
            source=self.source,
            helpers=helper_folders(self.path),
            functions=tuple(function.__name__ for function in exercise.functions),
            driver=exercise.driver,
            outputs=exercise.outputs,
            cases=cases,
            torch=torch,
            limits=limits,
            forbidden=exercise.forbidden,
        )


def read(path: Path, exercise: Exercise, cases: list[Case]) -> Solution:
    """Read a solution, which will be run on these cases. InputError if there is no such file."""
    try:
        content = read_start(path, LARGEST + 1)
    except OSError as error:
        raise cannot_read(path, error) from error
    source, finding = decoded(content)
    tree = None
    finding = finding or whole_notebook(source)
    if finding is None:
        tree, finding = parsed(source, path.name)
    if tree is None:
        return Solution(path, source, False, [finding] if finding else [])
    try:
        names = Names(tree)
        findings = list(notebook_lines(names)) or list(_missing_or_twice(tree, exercise))
        if not findings:
            findings = list(_unwritten(tree, exercise)) or list(_signatures(tree, exercise, cases))
        return Solution(path, source, "torch" in names.modules, [*findings, *_shortcuts(names, exercise)])
    except RecursionError:
        return Solution(path, source, False, [_TOO_DEEP])


def helper_folders(path: Path) -> tuple[str, ...]:
    """Where a solution's own modules may be: next to it, and in the workspace that its topic's folder is in."""
    folder = path.absolute().parent
    return (str(folder), str(folder.parent)) if folder.name in TOPICS else (str(folder),)


def decoded(content: bytes) -> tuple[str, Finding | None]:
    """The text, in the encoding the file declares: UTF-8, unless its first lines say otherwise."""
    if len(content) > LARGEST:
        return "", Finding("file too large", f"The file has more than {LARGEST:,} bytes; no solution needs as many.")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    except SyntaxError:  # an encoding that does not exist, or not even the first lines are UTF-8
        encoding = "utf-8"
    try:
        return content.decode(encoding).replace("\r\n", "\n").replace("\r", "\n"), None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        where = f"line {line} has the byte 0x{content[error.start]:02x}, at position {error.start + 1} of the file"
    except (LookupError, ValueError) as error:  # rot13, hex and the like are no encodings of text
        where = f"its first lines say that its encoding is {encoding}: {error}"
    what = "text in UTF-16" if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "not text in UTF-8"
    return "", Finding("not UTF-8", f"The file is {what}. Save it as UTF-8 in your editor.", where)


def parsed(source: str, name: str) -> tuple[ast.Module | None, Finding | None]:
    """The syntax tree, or the error with its line and a caret below the place."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source), None
    except SyntaxError as error:
        shown = f"{name}, line {error.lineno}"
        if error.text:
            text = error.text.rstrip("\n")
            caret = " " * max((error.offset or 1) - 1, 0) + "^"
            shown += f":\n    {text}\n    {caret}"
        return None, unparsable(error, source, shown)
    except (ValueError, RecursionError, MemoryError) as error:
        return None, Finding("syntax error", f"The file is not valid Python: {error}.", name)


_TOO_DEEP = Finding(
    "nested too deeply",
    "Its statements stand inside each other hundreds of times (each elif counts). Use a loop or a dictionary.",
)


class Names(ast.NodeVisitor):
    """What the names in a file stand for, as far as imports and plain assignments tell: F.relu is
    torch.nn.functional.relu after `import torch.nn.functional as F`."""

    def __init__(self, tree: ast.Module) -> None:
        self.stand_for: dict[str, str] = {}
        self.modules: set[str] = set()
        self.used: list[tuple[str, int]] = []
        self.methods: list[tuple[str, int]] = []
        self.notebook_calls: list[int] = []
        self.own_methods = {
            part.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
            for part in node.body
            if isinstance(part, Definition)
        }
        self._starred: list[str] = []
        self.visit(tree)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            first = alias.name.partition(".")[0]
            self.modules.add(first)
            self.stand_for[alias.asname or first] = alias.name if alias.asname else first
            self.used.append((alias.name, node.lineno))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if node.level == 0:
            self.modules.add(module.partition(".")[0])
        for alias in node.names:
            if alias.name == "*":
                self._starred.append(module)
            else:
                self.stand_for[alias.asname or alias.name] = f"{module}.{alias.name}"
                self.used.append((f"{module}.{alias.name}", node.lineno))

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        dotted = self.dotted(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name) and dotted:
                self.stand_for[target.id] = dotted
            elif isinstance(target, ast.Name):
                self.stand_for.pop(target.id, None)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        dotted = self.dotted(node)
        if dotted:
            self.used.append((dotted, node.lineno))
        else:
            self.methods.append((node.attr, node.lineno))
            self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id == "get_ipython" and "get_ipython" not in self.stand_for:
            self.notebook_calls.append(node.lineno)
        if node.id in self.stand_for:
            self.used.append((self.stand_for[node.id], node.lineno))
        self.used += [(f"{module}.{node.id}", node.lineno) for module in self._starred]

    def visit_Subscript(self, node: ast.Subscript) -> None:
        dotted = self.dotted(node)
        if dotted:
            self.used.append((dotted, node.lineno))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        dotted = self.dotted(node)
        if dotted:
            self.used.append((dotted, node.lineno))
        self.generic_visit(node)

    def _module_of(self, node: ast.AST) -> str | None:
        """The module whose names vars(module) and module.__dict__ hold."""
        match node:
            case ast.Call(func=ast.Name(id="vars"), args=[owner]):
                return self.dotted(owner)
            case ast.Attribute(value=owner, attr="__dict__"):
                return self.dotted(owner)
        return None

    def dotted(self, node: ast.AST) -> str | None:
        """The full name that an expression stands for: a name, an attribute, getattr(module, "name")."""
        match node:
            case ast.Name(id=name):
                return self.stand_for.get(name)
            case ast.Attribute(value=owner, attr=name):
                inside = self.dotted(owner)
                return f"{inside}.{name}" if inside else None
            case ast.Call(func=ast.Name(id="getattr"), args=[owner, ast.Constant(value=str(name)), *_]):
                inside = self.dotted(owner)
                return f"{inside}.{name}" if inside else None
            case ast.Subscript(value=names, slice=ast.Constant(value=str(name))):
                inside = self._module_of(names)
                return f"{inside}.{name}" if inside else None
            case ast.Call(func=ast.Name(id="__import__"), args=[ast.Constant(value=str(name)), *_]):
                return name
            case ast.Call(func=function, args=[ast.Constant(value=str(name))]):
                return name if self.dotted(function) == "importlib.import_module" else None
        return None


def _definitions(tree: ast.Module) -> list[Definition]:
    return [node for node in tree.body if isinstance(node, Definition)]


def _bound(tree: ast.Module) -> set[str]:
    """Every name that the top level of the file defines, in whatever way."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.For):
            names |= {inner.name for inner in ast.walk(node) if isinstance(inner, Definition)}
    return names


def _missing_or_twice(tree: ast.Module, exercise: Exercise) -> Iterator[Finding]:
    definitions, bound = _definitions(tree), _bound(tree)
    for function in exercise.functions:
        name = function.__name__
        lines = [node.lineno for node in definitions if node.name == name]
        if len(lines) > 1:
            yield Finding(
                "defined twice",
                f"There are {len(lines)} definitions of {name}: the last replaces the others. Keep one.",
                f"lines {', '.join(map(str, lines))}",
            )
        elif not lines and name not in bound and "*" not in bound:
            yield Finding(
                "missing function", f"There is no {name} in the file.{_near(name, tree)}", signature_of(function)
            )


def _near(name: str, tree: ast.Module) -> str:
    """What there is instead: the same name inside a class, or a similar spelling."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and any(isinstance(d, Definition) and d.name == name for d in node.body):
            return f" It is inside the class {node.name}: define it at the top level."
    there = [node.name for node in _definitions(tree)]
    lowered = {other.lower().replace("_", ""): other for other in there}
    close = difflib.get_close_matches(name.lower().replace("_", ""), lowered, n=1)
    if close:
        return f" There is {lowered[close[0]]}: rename it."
    return f" There are only {', '.join(there)}." if there else " It defines no function at all."


def _unwritten(tree: ast.Module, exercise: Exercise) -> Iterator[Finding]:
    names = {function.__name__ for function in exercise.functions}
    wanted = [node for node in _definitions(tree) if node.name in names]
    empty = [node.name for node in wanted if _is_stub(node)]
    if empty:
        message = f"Nothing is written yet in {' and '.join(empty)}."
        yield Finding("not written yet", message)


def _is_stub(node: ast.AST) -> bool:
    """Whether it contains only its docstring and `raise NotImplementedError`, pass or ..."""
    if isinstance(node, ast.ClassDef):
        functions = [part for part in node.body if isinstance(part, Definition)]
        return not functions or all(_is_stub(part) for part in functions)
    body = [part for part in getattr(node, "body", []) if not _is_constant(part)]
    return all(isinstance(part, ast.Pass) or _raises_not_implemented(part) for part in body)


def _is_constant(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _raises_not_implemented(node: ast.stmt) -> bool:
    return isinstance(node, ast.Raise) and node.exc is not None and "NotImplementedError" in ast.dump(node.exc)


def _signatures(tree: ast.Module, exercise: Exercise, cases: list[Case]) -> Iterator[Finding]:
    named = {name for case in cases for name in case.options}
    definitions = {node.name: node for node in _definitions(tree)}
    for function in exercise.functions:
        node = definitions.get(function.__name__)
        problem = signature_problem(node, function, named) if node is not None else None
        if problem:
            message, expected, got = problem
            yield Finding("wrong signature", message, f"expected: {expected}\nyours:    {got}")


def _shortcuts(names: Names, exercise: Exercise) -> Iterator[Finding]:
    told = set()
    methods = {name.rpartition(".")[2]: name for name in exercise.forbidden if name.startswith("torch.Tensor.")}
    called = [(methods[name], line) for name, line in names.methods if name in methods.keys() - names.own_methods]
    for used, line in [*names.used, *(called if "torch" in names.modules else [])]:
        for forbidden in ("handmade", *exercise.forbidden):
            if (used == forbidden or used.startswith(f"{forbidden}.")) and forbidden not in told:
                told.add(forbidden)
                yield Finding(
                    "forbidden shortcut",
                    f"{forbidden} does the work of this exercise. Write it from smaller parts.",
                    f"line {line} uses {used}",
                )
