"""Arithmetic with two operands, and functions that clip or choose."""

import numpy as np

from handmade.kernels import sums
from handmade.ops.elementwise import signum
from handmade.ops.op import op


@op
def add(x, y):
    return sums.add(x, y), lambda g: (g, g)


@op
def sub(x, y):
    return np.subtract(x, y), lambda g: (g, lambda: -g)


@op
def mul(x, y):
    return np.multiply(x, y), lambda g: (lambda: g * y, lambda: g * x)


@op
def div(x, y):
    """d(x / y) = dx / y - x dy / y^2."""
    quotient = np.true_divide(x, y)
    return quotient, lambda g: (lambda: g / y, lambda: -g * quotient / y)


@op
def pow(x, y):
    """d(x^y) = y x^(y-1) dx + x^y log(x) dy; the second term counts as 0 where x = 0 and y >= 0, as in PyTorch."""
    with np.errstate(divide="ignore"):  # 0^-1 is infinite, without a warning
        power = x**y
    base, exponent = np.asarray(x, power.dtype), np.asarray(y, power.dtype)

    def grad_x(g):
        # The exponent 0 has derivative 0, even at x = 0 where x^(0-1) is infinite.
        lowered = np.where(exponent == 0, exponent, exponent - 1)
        return g * exponent * base**lowered

    def grad_y(g):
        constant = (base == 0) & (exponent >= 0)
        with np.errstate(divide="ignore", invalid="ignore"):  # 0^-1 = inf, and NaN below 0
            return g * power * np.log(np.where(constant, np.ones_like(base), base))

    return power, lambda g: (lambda: grad_x(g), lambda: grad_y(g))


@op
def remainder(x, y):
    """x - y floor(x / y), with the sign of the divisor, like Python's %."""
    return np.remainder(x, y), lambda g: (g, lambda: -g * np.floor_divide(x, y))


@op
def fmod(x, y):
    """x - y trunc(x / y), with the sign of the dividend, like C's fmod."""
    return np.fmod(x, y), lambda g: (g, lambda: -g * np.trunc(np.true_divide(x, y)).astype(g.dtype))


@op
def div_rounded(x, y, *, rounding_mode):
    """x / y rounded towards 0 ("trunc") or down ("floor"): piecewise constant, so both derivatives are 0."""
    value = np.trunc(np.true_divide(x, y)) if rounding_mode == "trunc" else np.floor_divide(x, y)
    return value, lambda g: (np.zeros_like(g), np.zeros_like(g))


@op
def neg(x):
    return np.negative(x), lambda g: (-g,)


@op
def abs(x):
    return np.abs(x), lambda g: (g * signum(x),)


@op
def maximum(x, y):
    """The larger of the two; where they are equal, each gets half of the gradient, as in PyTorch.

    Where either is NaN, neither is larger or smaller, and each gets the whole gradient.
    """
    share = lambda g, smaller: np.where(smaller, np.zeros((), g.dtype), np.where(x == y, g / 2, g))
    return np.maximum(x, y), lambda g: (lambda: share(g, np.less(x, y)), lambda: share(g, np.less(y, x)))


@op
def minimum(x, y):
    """The smaller of the two; where they are equal, each gets half of the gradient, as in PyTorch.

    Where either is NaN, neither is larger or smaller, and each gets the whole gradient.
    """
    share = lambda g, larger: np.where(larger, np.zeros((), g.dtype), np.where(x == y, g / 2, g))
    return np.minimum(x, y), lambda g: (lambda: share(g, np.greater(x, y)), lambda: share(g, np.greater(y, x)))


@op
def clamp(x, min, max):
    """x limited to [min, max], either of which may be None; where min > max the value is max, as in PyTorch.

    The gradient goes to x where x was within the limits (inclusive), and elsewhere to the limit that was used. A NaN
    stays NaN and gets no gradient.
    """
    low = -np.inf if min is None else min
    high = np.inf if max is None else max
    below, above = np.less(x, low), np.greater(x, high)
    value = np.clip(x, min, max)
    inside = lambda: np.greater_equal(x, low) & np.less_equal(x, high)
    return value, lambda g: (
        lambda: np.where(inside(), g, np.zeros((), g.dtype)),
        lambda: g * (below & np.less(low, high)),
        lambda: g * (above | np.greater(low, high)),
    )


@op
def hardtanh(x, *, min_val, max_val):
    """x limited to [min_val, max_val]; at the limits and beyond the gradient is 0."""
    limited = (x <= min_val) | (x >= max_val)
    return np.clip(x, min_val, max_val), lambda g: (g * ~limited,)


@op
def where(x, y, *, condition):
    """x where the condition is True, else y; each gets the gradient of the elements taken from it."""
    zero = lambda g: np.zeros((), g.dtype)
    return np.where(condition, x, y), lambda g: (
        lambda: np.where(condition, g, zero(g)),
        lambda: np.where(condition, zero(g), g),
    )


@op
def masked_fill(x, value, *, mask):
    """x with `value`, one number, where the mask is True; each gets the gradient of its elements."""
    if mask.dtype != bool:
        raise TypeError(f"masked_fill: mask is {mask.dtype}, expected bool: True where value is to be filled in")
    if np.ndim(value):
        raise ValueError(f"masked_fill: value has shape {value.shape}, expected one number without axes")
    if isinstance(value, complex):
        raise TypeError(f"masked_fill: value is {value}, expected a real number")
    zero = lambda g: np.zeros((), g.dtype)
    filled = np.where(mask, np.asarray(value, x.dtype), x)
    return filled, lambda g: (lambda: np.where(mask, zero(g), g), lambda: np.where(mask, g, zero(g)))
