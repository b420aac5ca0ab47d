"""What went wrong in a learner's process, in words: each mishap becomes a finding."""

import ast
import re
from collections.abc import Collection, Iterator

from handmade.workshop.cell.cases import Case
from handmade.workshop.cell.job import Job
from handmade.workshop.exercise import Exercise
from handmade.workshop.judging.outcome import Outcome
from handmade.workshop.judging.signatures import parameter_name
from handmade.workshop.judging.verdict import Finding

_LIMIT_HIT = "File too large"

_IMPORT = re.compile(r", in line \d+: ((?:import|from) .+)")
"""Where a solution was at work when something was refused: at an import, which does that by itself."""


def mishaps(outcome: Outcome, job: Job, exercise: Exercise) -> Iterator[Finding]:
    """Everything except wrong results: how the process ended, what was denied, what it changed and left behind."""
    yield from _refusals(outcome)
    for name in dict.fromkeys(outcome.shortcuts):
        yield Finding("forbidden shortcut", f"{name} does the work of this exercise. Write it from smaller parts.")
    yield from _endings(outcome, job)
    if outcome.cut:
        limit = job.limits.file >> 10
        yield Finding("prints too much", f"It printed more than {limit:,} kB. Remove the prints.", outcome.printed[:80])
    if outcome.left:
        message = "Processes that it started still ran when its own had ended. They were ended, too."
        yield Finding("processes left behind", message)
    if outcome.threads:
        yield Finding(
            "threads left behind",
            f"{len(outcome.threads)} threads still run when it has returned: a program that uses it never ends.",
            ", ".join(outcome.threads[:5]),
        )
    if outcome.patched:
        names = ", ".join(outcome.patched[:5])
        yield Finding(
            "changes NumPy",
            f"It puts something else in the place of {names}. All code in the program would get that; the judge, "
            "which compares in a process of its own, does not.",
            names,
        )
    yield from _changed_arguments(outcome, job, exercise)


def stopped_at(outcome: Outcome, cases: list[Case]) -> str:
    """Which case was running, or that the file was still being loaded."""
    number = len(outcome.results)
    return f"case {cases[number].label!r}" if 0 < number < len(cases) else "loading or the first case"


def _refusals(outcome: Outcome) -> Iterator[Finding]:
    for what in dict.fromkeys(outcome.refused):
        imported = _IMPORT.search(what)
        mend = f" Remove this import: {imported[1]}." if imported else ""
        yield Finding(
            "leaves the sandbox",
            "A solution computes and nothing else: it may not write files outside of its scratch folder, start "
            f"processes or use the network. It was kept from doing so.{mend}",
            f"it {what}",
        )


def _endings(outcome: Outcome, job: Job) -> Iterator[Finding]:
    where = "; ".join(filter(None, (stopped_at(outcome, job.cases), outcome.where)))
    found = re.match(r"line (\d+)", outcome.where)
    line = int(found[1]) if found else None
    match outcome.ending:
        case "time":
            message = f"It still ran after {job.limits.seconds:g} s and was ended. Does a loop never end?"
            yield Finding("time limit", message, where, line)
        case "exit":
            yield Finding("ends the process", "It ended its own process, as os._exit does. Return instead.", where)
        case "crash":
            yield Finding(
                "crash",
                f"Its process crashed ({outcome.signal}). Most often that is recursion without end in compiled code.",
                where,
                line,
            )
        case "lost":
            what = "Its process reported something other than results, or more than can be read: nothing of it counts."
            yield Finding("no report", f"{what} Return the results, and nothing else.", where)
        case "load":
            yield from _loading(outcome, job)


def _loading(outcome: Outcome, job: Job) -> Iterator[Finding]:
    raised = outcome.raised
    if raised is None or outcome.refused or outcome.shortcuts or (outcome.cut and _LIMIT_HIT in raised.message):
        return
    trace, line = raised.trace or f"{raised.kind}: {raised.message}", raised.line
    match raised.kind:
        case "SystemExit":
            yield Finding("ends the process", "The file calls exit() as it is loaded. Remove that.", trace, line)
        case "MemoryError":
            message = f"Loading the file takes more than {job.limits.memory >> 20:,} MB of memory."
            yield Finding("memory limit", message, trace, line)
        case "RecursionError":
            yield Finding(
                "endless recursion", "A function calls itself without end as the file is loaded.", trace, line
            )
        case "ModuleNotFoundError":
            yield Finding("missing library", f"{raised.message}: it is not installed here.", trace, line)
        case "ImportError" if "handmade" in raised.message:
            yield Finding(
                "forbidden shortcut", "handmade holds the answers: a solution may not import it.", trace, line
            )
        case "EOFError":
            yield Finding("asks for input", "It reads from the keyboard (input()); there is none here.", trace, line)
        case "NameError" if "after the file has run" in raised.message:
            yield Finding("missing function", f"{raised.message[0].upper()}{raised.message[1:]}.", trace, line)
        case _:
            yield Finding("does not load", f"The file raises {raised.kind}: {raised.message}", trace, line)


def _changed_arguments(outcome: Outcome, job: Job, exercise: Exercise) -> Iterator[Finding]:
    places = {
        parameter_name(exercise, case, field, key): case.label
        for case, result in zip(job.cases, outcome.results, strict=False)
        for field, key in result.changed
        if parameter_name(exercise, case, field, key) not in exercise.may_change
    }
    if places:
        yield Finding(
            "changes its arguments",
            f"It changes {' and '.join(places)} in place. The caller, and the backward pass, still need what was "
            "there. Work on a copy: x = x - y instead of x -= y.",
            f"case {next(iter(places.values()))!r}",
            changing_line(job.source, places),
        )


def changing_line(source: str, names: Collection[str]) -> int | None:
    """The first line that changes one of these arguments in place, under its own name or another that it was given.

    Each function is looked at by itself, since its names are its own; one that is bound to a new array no longer names
    the argument.
    """
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lines = [_changing(function, _parameters(function) & set(names)) for function in functions]
    return min(filter(None, lines), default=None)


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    return {argument.arg for argument in ast.walk(function.args) if isinstance(argument, ast.arg)}


def _changing(function: ast.FunctionDef | ast.AsyncFunctionDef, same: set[str]) -> int | None:
    """The first line of this function that changes what these names of its stand for."""
    for node in sorted(_own(function), key=lambda node: getattr(node, "lineno", 0)):
        match node:
            case ast.FunctionDef() if inner := _changing(node, same - _parameters(node) - _stored(node)):
                return inner
            case ast.Assign(targets=[ast.Name(id=new)], value=ast.Name(id=old)) if old in same:
                same.add(new)
            case ast.Assign(targets=[ast.Name(id=new)], value=value) if _is_new(value):
                same.discard(new)
            case ast.Assign(targets=[ast.Tuple(elts=new)], value=ast.Tuple(elts=old)):
                pairs = zip(new, old, strict=False)
                same |= {a.id for a, b in pairs if isinstance(a, ast.Name) and isinstance(b, ast.Name) and b.id in same}
            case ast.Assign(targets=targets) if any(isinstance(t, ast.Subscript) and _root(t) in same for t in targets):
                return node.lineno
            case ast.AugAssign(target=target) if _root(target) in same:
                return node.lineno
            case ast.Call(keywords=keywords) if any(k.arg == "out" and _root(k.value) in same for k in keywords):
                return node.lineno
            case ast.Call(func=ast.Attribute(attr=name, value=value)) if name in _IN_PLACE and _root(value) in same:
                return node.lineno
            case ast.Call(func=ast.Attribute(attr="at" | "fill_diagonal" | "copyto" | "put"), args=[first, *_]):
                if _root(first) in same:
                    return node.lineno
    return None


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """What a function consists of, without what the functions in it do."""
    for node in ast.iter_child_nodes(function):
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield from _own(node)


def _stored(function: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _is_new(value: ast.expr) -> bool:
    """Whether it is an array of its own, whatever it is made of: x - y, x.copy()."""
    match value:
        case ast.BinOp() | ast.Call(func=ast.Attribute(attr="copy")):
            return True
    return False


_IN_PLACE = (
    "sort",
    "fill",
    "append",
    "extend",
    "pop",
    "clear",
    "update",
    "insert",
    "remove",
    "reverse",
    "add_",
    "mul_",
)


def _root(node: ast.AST) -> str:
    """The name that an expression as x[i] or x.T is a part of."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
