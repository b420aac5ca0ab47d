"""The hyperbolic tangent and its derivative, in whatever order the memory is."""

import numpy as np

from handmade.kernels.choice import has_compiled_form


@has_compiled_form
def tanh(x: np.ndarray) -> np.ndarray:
    """tanh(x)."""
    return np.asarray(np.tanh(x))  # NumPy makes a number of an array without axes


@has_compiled_form
def tanh_backward(g: np.ndarray, y: np.ndarray) -> np.ndarray:
    """g times 1 - y^2, the derivative where y = tanh(x)."""
    return np.asarray(g * (1 - y * y))
