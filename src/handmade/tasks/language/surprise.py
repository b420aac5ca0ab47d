"""A picture of a language model at work: a text, each token coloured by its surprise, -log p."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from handmade import draw


def draw_surprise(
    path: Path, text: Sequence[str], nats: Float[np.ndarray, "T"], unit: str = "character", title: str = "Surprise"
) -> None:
    """Draw the beginning of `text`, characters or tokens, to `path`, as `draw.surprise` does; nats[t] is -log of the
    probability that the model gave token t before it came, or NaN where it was not asked."""
    draw.surprise(text, nats, unit, title).save(path)
