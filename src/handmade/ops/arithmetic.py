"""Arithmetic of two operands, and what clips or chooses between them."""

import numpy as np

from handmade.ops.op import op


@op
def add(x, y):
    return np.add(x, y), lambda g: (g, g)


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
    """d(x^y) = y x^(y-1) dx + x^y log(x) dy; the second term counts as 0 at x = 0, as in PyTorch."""
    power = x**y
    base, exponent = np.asarray(x, power.dtype), np.asarray(y, power.dtype)

    def grad_x(g):
        # The exponent 0 has derivative 0, even at x = 0 where x^(0-1) is infinite.
        lowered = np.where(exponent == 0, exponent, exponent - 1)
        return g * exponent * base**lowered

    def grad_y(g):
        return g * power * np.log(np.where(base == 0, np.ones_like(base), base))

    return power, lambda g: (lambda: grad_x(g), lambda: grad_y(g))


@op
def neg(x):
    return np.negative(x), lambda g: (-g,)


@op
def abs(x):
    return np.abs(x), lambda g: (g * np.sign(x),)


@op
def maximum(x, y):
    """The larger of two; where they are equal each takes half of the gradient, as in PyTorch."""
    share = lambda: np.where(x == y, np.asarray(0.5, g_type), (x > y).astype(g_type))
    value = np.maximum(x, y)
    g_type = value.dtype
    return value, lambda g: (lambda: g * share(), lambda: g * (1 - share()))


@op
def minimum(x, y):
    """The smaller of two; where they are equal each takes half of the gradient, as in PyTorch."""
    share = lambda: np.where(x == y, np.asarray(0.5, g_type), (x < y).astype(g_type))
    value = np.minimum(x, y)
    g_type = value.dtype
    return value, lambda g: (lambda: g * share(), lambda: g * (1 - share()))


@op
def clamp(x, *, min=None, max=None):
    """x limited to [min, max]; the gradient passes where x was inside, borders included."""
    inside = np.ones(x.shape, bool)
    if min is not None:
        inside &= x >= min
    if max is not None:
        inside &= x <= max
    return np.clip(x, min, max), lambda g: (g * inside,)


@op
def where(x, y, *, condition):
    """x where the condition holds, else y; each takes the gradient of what it gave."""
    zero = lambda g: np.zeros((), g.dtype)
    return np.where(condition, x, y), lambda g: (
        lambda: np.where(condition, g, zero(g)),
        lambda: np.where(condition, zero(g), g),
    )


@op
def masked_fill(x, *, mask, value):
    """x with `value` where the mask is True; no gradient flows through what was filled."""
    zero = lambda g: np.zeros((), g.dtype)
    filled = np.where(mask, np.asarray(value, x.dtype), x)
    return filled, lambda g: (np.where(mask, zero(g), g),)
