"""Formulas of cards: numbers, names, + - * / // ** and a few functions; nothing else is evaluated.

A formula comes from a data file that people edit, so it is read as a syntax tree and not given to `eval`.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping

LONGEST = 300  # characters of a formula
LARGEST = 4096  # bits of an integer power

_BINARY: dict[type[ast.operator], Callable] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}
_FUNCTIONS = {"log": math.log, "exp": math.exp, "sin": math.sin, "erf": math.erf, "sqrt": math.sqrt}


def evaluate(formula: str, values: Mapping[str, float] | None = None) -> float:
    """The formula's value, with the names in it standing for `values`.

    Raises ValueError for anything but arithmetic, for unknown names, and where there is no finite real value.
    """
    if len(formula) > LONGEST:
        raise ValueError(f"a formula of {len(formula)} characters; at most {LONGEST} are read.")
    try:
        value = _value(ast.parse(formula, mode="eval").body, values or {})
    except (SyntaxError, ArithmeticError, RecursionError, MemoryError) as error:
        raise ValueError(f"{formula!r} has no value: {error}.") from error
    if not math.isfinite(value):
        raise ValueError(f"{formula!r} is {value}.")
    return value


def _value(node: ast.expr, values: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return number
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, values)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_value(left, values), _value(right, values))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _BINARY[type(op)](_value(left, values), _value(right, values))
        case ast.Call(func=ast.Name(id="round"), args=[number], keywords=[]):
            return round(_value(number, values))
        case ast.Call(func=ast.Name(id="round"), args=[number, ast.Constant(value=int() as digits)], keywords=[]) if (
            0 <= digits <= 12
        ):
            return round(_value(number, values), digits)
        case ast.Call(func=ast.Name(id=name), args=[number], keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](_value(number, values))
    raise ValueError(f"{ast.unparse(node)!r} is not arithmetic, or a name without a value.")


def _power(base: float, exponent: float) -> float:
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * abs(exponent) > LARGEST:
        raise ValueError(f"a power of more than {LARGEST} bits.")
    power = base**exponent
    if isinstance(power, complex):
        raise ValueError(f"({base}) ** {exponent} is no real number.")
    return power
