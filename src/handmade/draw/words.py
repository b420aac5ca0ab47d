"""Words as vectors: how similar each is to each other.

W words, D size of the vectors
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from handmade.draw.style import SMALL, Picture, bar, in_style, ink_on, new_figure, signed_scale, thin_frame


@in_style
def similarities(vectors: Float[np.ndarray, "W D"], words: Sequence[str], title: str) -> Picture:
    """The cosine of each pair of words' vectors, as a number and a colour. The diagonal, which is 1, is left out."""
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = units @ units.T
    np.fill_diagonal(cosines, np.nan)
    side = float(np.clip(0.46 * len(words) + 1.0, 3.0, 10.0))
    figure = new_figure(side + 1.2, side, title, "Cosine of the angle between two words' vectors.")
    axes = figure.subplots()
    drawn = axes.imshow(cosines, **signed_scale(1.0))
    thin_frame(axes)
    axes.set_xticks(range(len(words)), words, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(words)), words)
    axes.tick_params(length=0)
    for row, column in zip(*np.nonzero(~np.isnan(cosines)), strict=True):
        cosine = cosines[row, column]
        said = f"{cosine:z.2f}".replace("-", "\N{MINUS SIGN}")
        axes.text(column, row, said, ha="center", va="center", fontsize=SMALL, color=ink_on(drawn, cosine))
    bar(figure, drawn, axes, "cosine", (-1, 0, 1), shrink=0.8)
    nearest = np.nanargmax(cosines, axis=1)
    pairs = ", ".join(f"{word}: {words[near]}" for word, near in zip(words, nearest, strict=True))
    return Picture(figure, title, f"The most similar of these words to each is {pairs}.")
