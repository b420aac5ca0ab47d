"""How the likeliest classes are worded."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

SHOWN = 5
"""So many classes are named."""


def likeliest(classes: Sequence[str], probabilities: Float[np.ndarray, "K"]) -> str:
    """The likeliest classes, as '7 98.1 %, 1 0.9 %, ...'."""
    order = probabilities.argsort()[::-1][:SHOWN]
    return ", ".join(f"{classes[index]} {100 * probabilities[index]:.1f} %" for index in order)
