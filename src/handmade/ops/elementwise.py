"""Functions of one array, element by element."""

import math

import numpy as np

from handmade.kernels import gelu as kernels
from handmade.kernels import relu as relu_kernels
from handmade.kernels.erf import erf
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
    y = np.tanh(x)
    return y, lambda g: (g * (1 - y * y),)


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
    phi = normal_distribution(x)

    def pullback(g):
        density = np.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))
        return (g * (phi + x * density),)

    return x * phi, pullback


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
def clone(x):
    return x.copy("K"), lambda g: (g,)


@op
def cast(x, *, dtype):
    """The same values in another dtype; the gradient is converted back."""
    return x.astype(dtype), lambda g: (g.astype(x.dtype),)


def logistic(x: np.ndarray) -> np.ndarray:
    """1 / (1 + e^-x), written with tanh so that no argument overflows."""
    return 0.5 * np.tanh(0.5 * x) + 0.5


def normal_distribution(x: np.ndarray) -> np.ndarray:
    """Phi(x) = (1 + erf(x / sqrt 2)) / 2."""
    return 0.5 * (1 + erf(x / math.sqrt(2)))
