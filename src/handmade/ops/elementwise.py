"""Functions of one array, element by element."""

import math

import numpy as np

from handmade.kernels import gelu as kernels
from handmade.kernels import relu as relu_kernels
from handmade.kernels import tanh as tanh_kernels
from handmade.kernels.erf import erf as erf_of
from handmade.ops.op import op


@op
def exp(x):
    y = np.exp(x)
    return y, lambda g: (g * y,)


@op
def log(x):
    return np.log(x), lambda g: (g / x,)


@op
def sqrt(x):
    y = np.sqrt(x)
    return y, lambda g: (g / (2 * y),)


@op
def rsqrt(x):
    """1 / sqrt(x), whose derivative is -y^3 / 2."""
    y = 1 / np.sqrt(x)
    return y, lambda g: (g * (-0.5 * y * y * y),)


@op
def tanh(x):
    y = tanh_kernels.tanh(x)
    return y, lambda g: (tanh_kernels.tanh_backward(g, y),)


@op
def sigmoid(x):
    y = logistic(x)
    return y, lambda g: (g * y * (1 - y),)


@op
def relu(x):
    """max(x, 0); the derivative at 0 is taken as 0. A NaN stays NaN, and passes the gradient on.

    >>> import numpy as np
    >>> y, pullback = relu(np.array([-1.0, 2.0]))
    >>> y, *pullback(np.array([3.0, 3.0]))
    (array([0., 2.]), array([0., 3.]))
    """
    y = relu_kernels.relu(x)
    return y, lambda g: (relu_kernels.relu_backward(g, y),)


@op
def silu(x):
    """x sigmoid(x) (Elfwing et al. 2017; "swish" in Ramachandran et al. 2017)."""
    s = logistic(x)
    return x * s, lambda g: (g * (s * (1 + x * (1 - s))),)


@op
def gelu(x):
    """x Phi(x), with Phi the standard normal CDF (Hendrycks & Gimpel 2016)."""
    value, phi = kernels.gelu(x)
    return value, lambda g: (kernels.gelu_backward(g, x, phi),)


@op
def gelu_tanh(x):
    """0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))): the form that BERT's and GPT-2's authors used."""
    value, logistic_of_2u = kernels.gelu_tanh(x)
    return value, lambda g: (kernels.gelu_tanh_backward(g, x, logistic_of_2u),)


@op
def sin(x):
    return np.sin(x), lambda g: (g * np.cos(x),)


@op
def cos(x):
    return np.cos(x), lambda g: (-g * np.sin(x),)


@op
def tan(x):
    y = np.tan(x)
    return y, lambda g: (g * (1 + y * y),)


@op
def asin(x):
    return np.arcsin(x), lambda g: (g / np.sqrt(1 - x * x),)


@op
def acos(x):
    return np.arccos(x), lambda g: (-g / np.sqrt(1 - x * x),)


@op
def atan(x):
    return np.arctan(x), lambda g: (g / (1 + x * x),)


@op
def sinh(x):
    return np.sinh(x), lambda g: (g * np.cosh(x),)


@op
def cosh(x):
    return np.cosh(x), lambda g: (g * np.sinh(x),)


@op
def log1p(x):
    """log(1 + x), exact where x is small."""
    return np.log1p(x), lambda g: (g / (1 + x),)


@op
def expm1(x):
    """e^x - 1, exact where x is small."""
    y = np.expm1(x)
    return y, lambda g: (g * (y + 1),)


@op
def erf(x):
    """erf(x) = 2 / sqrt(pi) times the integral of e^-t^2 from 0 to x."""
    return erf_of(x), lambda g: (g * (2 / math.sqrt(math.pi)) * np.exp(-x * x),)


@op
def logit(x, *, eps=None):
    """log(x / (1 - x)), the inverse of sigmoid; NaN outside [0, 1]. With eps, x is limited to [eps, 1 - eps] first."""
    limited = x if eps is None else np.clip(x, eps, 1 - eps)

    def pullback(g):
        slope = g / (limited * (1 - limited))
        flat = (x < 0) | (x > 1) if eps is None else (x < eps) | (x > 1 - eps)
        return (np.where(flat, np.nan if eps is None else 0.0, slope),)

    return np.log(limited / (1 - limited)), pullback


@op
def softplus(x):
    """log(1 + e^x), whose derivative is the logistic function; no x overflows."""
    return np.logaddexp(x, np.zeros((), x.dtype)), lambda g: (g * logistic(x),)


@op
def sign(x):
    """1, 0 or -1; 0 for NaN, as in PyTorch."""
    return signum(x), _flat


@op
def floor(x):
    return np.floor(x), _flat


@op
def ceil(x):
    return np.ceil(x), _flat


@op
def trunc(x):
    return np.trunc(x), _flat


@op
def round(x, *, decimals=0):
    """Round to `decimals` decimal places; a half goes to the even neighbour."""
    return np.round(x, decimals), _flat


def _flat(g):
    """The pullback of a piecewise constant function: its derivative is 0 wherever it exists."""
    return (np.zeros_like(g),)


@op
def clone(x):
    return x.copy("K"), lambda g: (g,)


@op
def cast(x, *, dtype):
    """The same values in another dtype; the gradient is converted back."""
    return x.astype(dtype), lambda g: (g.astype(x.dtype),)


def signum(x: np.ndarray) -> np.ndarray:
    """1 above 0, -1 below, 0 elsewhere: at NaN, too."""
    return np.subtract(x > 0, x < 0, dtype=x.dtype)


def logistic(x: np.ndarray) -> np.ndarray:
    """1 / (1 + e^-x), written with tanh so that no argument overflows."""
    return 0.5 * np.tanh(0.5 * x) + 0.5
