"""Products of matrices."""

import numpy as np

from handmade.kernels.choice import has_compiled_form


@has_compiled_form
def matmul(a: np.ndarray, b: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
    """a @ b + bias over the last two axes, (..., M, K), (..., K, N), (N,) -> (..., M, N); leading axes broadcast."""
    value = np.asarray(a @ b)  # of two vectors NumPy gives a scalar
    if bias is not None:
        value += bias
    return value
