"""What a function takes: read from a solution's syntax tree, compared with what the exercise calls it with."""

import ast
import inspect
from collections.abc import Callable
from typing import Any

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise


def signature_of(function: Callable[..., Any]) -> str:
    """As one writes it: "def self_attention(Q, K, V)"."""
    if isinstance(function, type):
        return f"class {function.__name__}: __init__{inspect.signature(function.__init__)}"
    return f"def {function.__name__}{inspect.signature(function)}"


def signature_problem(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, function: Callable[..., Any], named: set[str]
) -> tuple[str, str, str] | None:
    """What is wrong with a definition, the expected signature and the one it has; None where the exercise can call it.

    Arguments without default are given by position: their names are free, their order is not. `named`: the optional
    ones that are given by name.
    """
    expected = signature_of(function)
    if isinstance(function, type):
        if not isinstance(node, ast.ClassDef):
            return f"{node.name} has to be a class.", expected, f"def {node.name}(...)"
        made = [part for part in node.body if isinstance(part, ast.FunctionDef)]
        init = next((part for part in made if part.name == "__init__"), None)
        reference = list(inspect.signature(function.__init__).parameters.values())[1:]
        if init is None:
            has_other = bool(node.bases or node.decorator_list) or not reference
            return None if has_other else ("The class has no __init__.", expected, f"class {node.name}")
        problem = _problem(init.args, reference, set(), skip=1)
        return (problem, expected, f"class {node.name}: __init__({ast.unparse(init.args)})") if problem else None
    if isinstance(node, ast.ClassDef):
        return f"{node.name} has to be a function.", expected, f"class {node.name}"
    if isinstance(node, ast.AsyncFunctionDef):
        return f"{node.name} is asynchronous: write def, not async def.", expected, f"async def {node.name}"
    problem = _problem(node.args, list(inspect.signature(function).parameters.values()), named, skip=0)
    return (problem, expected, f"def {node.name}({ast.unparse(node.args)})") if problem else None


def _problem(arguments: ast.arguments, reference: list[inspect.Parameter], named: set[str], skip: int) -> str | None:
    mine = [argument.arg for argument in arguments.posonlyargs + arguments.args][skip:]
    required = mine[: len(mine) - len(arguments.defaults)] if arguments.defaults else mine
    given = [parameter.name for parameter in reference if parameter.default is parameter.empty]
    optional = [parameter.name for parameter in reference if parameter.default is not parameter.empty]
    any_position, any_keyword = arguments.vararg is not None, arguments.kwarg is not None
    if len(mine) < len(given) and not any_position:
        return f"It takes {len(mine)} arguments; {len(given)} are given."
    if len(required) > len(reference):
        return f"It needs {len(required)} arguments; only {len(reference)} are given."
    shared = [name for name in mine if name in given]
    if len(shared) == len(given) and mine[: len(given)] != given and set(mine[: len(given)]) == set(given):
        return "The arguments are in another order."
    known = set(mine) | {argument.arg for argument in arguments.kwonlyargs}
    missing = [name for name in optional if name in named - known]
    if missing and not any_keyword:
        return f"It has no argument {missing[0]}, which is given by name."
    needed = required[len(given) :] + [
        argument.arg
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    extra = [name for name in needed if name not in optional]
    return f"It needs {extra[0]}, which is not given." if extra else None


def parameter_name(exercise: Exercise, case: Case, field: str, key: int | str) -> str:
    """What the exercise calls an argument of a case."""
    if isinstance(key, str):
        return key
    functions = {function.__name__: function for function in exercise.functions}
    function = functions[case.function] if case.function else exercise.functions[0]
    names = [name for name in inspect.signature(function).parameters if name != "self"]
    return names[key] if field == "args" and key < len(names) else f"argument {key + 1}"
