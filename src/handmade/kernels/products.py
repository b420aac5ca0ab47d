"""Products of matrices."""

import numpy as np

from handmade.kernels.choice import has_compiled_form


@has_compiled_form
def matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a @ b over the last two axes, (..., M, K) and (..., K, N) -> (..., M, N); leading axes broadcast."""
    return np.asarray(a @ b)  # of two vectors NumPy gives a scalar
