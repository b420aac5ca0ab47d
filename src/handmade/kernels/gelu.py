"""GELU, x Phi(x), and its tanh form, in blocks that stay in the cache and without temporaries.

Phi(x) = (1 + erf(x / sqrt 2)) / 2 is the normal distribution, with the density e^(-x^2 / 2) / sqrt(2 pi):

    gelu'(x) = Phi(x) + x density(x)

In the tanh form 0.5 (1 + tanh u) is the logistic function s of 2 u, and e^x is cheaper than tanh:

    gelu(x) = x s(2 u),  2 u = x (a + b x^2),  a = 2 sqrt(2/pi),  b = 0.044715 a
    gelu'(x) = s + x s (1 - s) (a + 3 b x^2)
"""

import math

import numpy as np

from handmade.kernels.choice import has_compiled_form
from handmade.kernels.erf import erf

A = 2 * math.sqrt(2 / math.pi)
B = 0.044715 * A
_BLOCK = 1 << 15  # elements: with its neighbours a block fits a core's cache


@has_compiled_form
def gelu(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x Phi(x), and Phi(x) for the way back."""
    phi = np.asarray(0.5 * (1 + erf(np.asarray(x / math.sqrt(2)))))  # NumPy turns an array without axes into a number
    return np.asarray(x * phi), phi


@has_compiled_form
def gelu_backward(g: np.ndarray, x: np.ndarray, phi: np.ndarray) -> np.ndarray:
    """g (Phi(x) + x density(x))."""
    density = np.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))
    return np.asarray(g * (phi + x * density))


@has_compiled_form
def gelu_tanh(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """gelu(x), and s for the way back."""
    value, s = np.empty_like(x), np.empty_like(x)
    with np.errstate(over="ignore"):  # e^-2u becomes inf where x is far below zero, and s zero
        for x_part, part, s_part in _blocks(x, value, s):
            np.multiply(x_part, x_part, out=s_part)
            s_part *= -B
            s_part -= A
            s_part *= x_part
            np.exp(s_part, out=s_part)
            s_part += 1
            np.reciprocal(s_part, out=s_part)
            np.multiply(x_part, s_part, out=part)
    return value, s


@has_compiled_form
def gelu_tanh_backward(g: np.ndarray, x: np.ndarray, s: np.ndarray) -> np.ndarray:
    """g gelu'(x)."""
    gradient = np.empty_like(x)
    for x_part, s_part, g_part, part in _blocks(x, s, g, gradient):
        np.multiply(x_part, x_part, out=part)
        part *= 3 * B
        part += A
        part *= x_part
        part *= 1 - s_part
        part += 1
        part *= s_part
        part *= g_part
    return gradient


def _blocks(first: np.ndarray, *others: np.ndarray):
    """Blocks of arrays of one shape: as flat ones where memory allows it, otherwise the whole arrays."""
    arrays = (first, *others)
    if not all(array.flags.c_contiguous for array in arrays):
        return iter([arrays])
    flat = [array.reshape(-1) for array in arrays]
    return ([array[start : start + _BLOCK] for array in flat] for start in range(0, first.size, _BLOCK))
