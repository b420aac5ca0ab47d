"""A picture of a language model at work: a text, each character coloured by how little it was expected."""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from handmade.files import replacing

COLUMNS, ROWS = 64, 16
"""The picture holds so many characters a row, and so many rows at most."""

MOST = 6.0
"""Nats that have the strongest colour; a probability of 1/400."""


def draw_surprise(path: Path, text: str, nats: Float[np.ndarray, "T"]) -> None:
    """The beginning of `text`; nats[t] is -log of the probability that the model gave character t before it came."""
    from matplotlib.figure import Figure

    rows = _rows(text)
    columns = max(map(len, rows))
    figure = Figure(figsize=(max(0.14 * columns, 3.5) + 1.2, 0.27 * len(rows) + 1.0), layout="constrained")
    axes = figure.subplots()
    grid = np.full((len(rows), columns), np.nan)
    for row, places in enumerate(rows):
        for column, place in enumerate(places):
            grid[row, column] = nats[place]
            shown = "¶" if text[place] == "\n" else text[place]
            color = "white" if nats[place] > 0.6 * MOST else "black"
            axes.text(column, row, shown, ha="center", va="center", family="monospace", fontsize=9, color=color)
    image = axes.imshow(grid, cmap="Oranges", vmin=0, vmax=MOST, aspect="auto")
    axes.set(title=f"Surprise, {nats.mean():.2f} nats a character on average", xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    figure.colorbar(image, label="-log p(character), nats", shrink=0.9)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)


def _rows(text: str) -> list[list[int]]:
    """Places in `text`, row by row: a row ends after a line end, or when it is full."""
    rows: list[list[int]] = [[]]
    for place, character in enumerate(text):
        rows[-1].append(place)
        if character == "\n" or len(rows[-1]) == COLUMNS:
            if len(rows) == ROWS:
                break
            rows.append([])
    return [row for row in rows if row]
