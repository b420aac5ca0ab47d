"""The most likely of a model's classes.

K classes
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from handmade.errors import InputError


def likeliest(classes: Sequence[str], probabilities: Float[np.ndarray, "K"], count: int = 5) -> list[tuple[str, float]]:
    """The `count` most likely classes with their probabilities, from the most likely on."""
    if count < 1:
        raise InputError(f"count is {count}, expected at least 1.")
    order = probabilities.argsort()[::-1][:count]
    return [(str(classes[index]), float(probabilities[index])) for index in order]


def worded(likely: Sequence[tuple[str, float]]) -> str:
    """As '7 98.1 %, 1 0.9 %, ...'."""
    return ", ".join(f"{name} {100 * probability:.1f} %" for name, probability in likely)
