"""A picture of a language model at work: a text, each token coloured by how little it was expected."""

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from handmade.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS, ROWS = 64, 16
"""The picture holds so many characters a row, and so many rows at most."""

MOST = 6.0
"""Nats that have the strongest colour; a probability of 1/400."""

SHOWN = str.maketrans({"\n": "¶", "\r": "¶", "\t": "→"})
UNKNOWN = "□"


def draw_surprise(path: Path, text: Sequence[str], nats: Float[np.ndarray, "T"], unit: str = "character") -> None:
    """The beginning of `text`, a string of characters or a list of tokens; nats[t] is -log of the probability that the
    model gave token t before it came, or NaN where it was not asked. Tokens of several characters have the number below
    them."""
    from matplotlib.figure import Figure

    rows = _rows(text)
    columns = max(column + len(text[place]) for row in rows for column, place in row)
    several = any(len(text[place]) > 1 for row in rows for _, place in row)
    width, height = (0.105 * columns, 0.42 * len(rows)) if several else (0.14 * columns, 0.27 * len(rows))
    figure = Figure(figsize=(max(width, 3.5) + 1.2, max(height + 1.0, 2.0)), layout="constrained")
    axes = figure.subplots()
    grid = np.full((len(rows), columns), np.nan)
    for row, places in enumerate(rows):
        for column, place in places:
            grid[row, column : column + len(text[place])] = nats[place]
            _write(axes, row, column, legible(text[place]), float(nats[place]), several)
    image = axes.imshow(grid, cmap="Oranges", vmin=0, vmax=MOST, aspect="auto")
    axes.set(title=f"Surprise, {np.nanmean(nats):.2f} nats a {unit} on average", xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    figure.colorbar(image, label=f"-log p({unit}), nats", shrink=0.9)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)


def legible(text: str) -> str:
    """`text` as the pictures' font can write it: line ends as ¶, and □ for what it has no letter for."""
    letters = _letters()
    return "".join(letter if ord(letter) in letters else UNKNOWN for letter in text.translate(SHOWN))


@cache
def _letters() -> frozenset[int]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(get_font(findfont(FontProperties(family="monospace"))).get_charmap())


def _write(axes: "Axes", row: int, column: int, shown: str, nats: float, several: bool) -> None:
    """A token in its field; where tokens have several characters, with its number below and a line before the next."""
    style: dict[str, Any] = {"ha": "center", "va": "center", "color": "white" if nats > 0.6 * MOST else "black"}
    middle = column + (len(shown) - 1) / 2
    axes.text(middle, row - 0.13 * several, shown, family="monospace", fontsize=9, **style)
    if several:
        axes.plot([column + len(shown) - 0.5] * 2, [row - 0.5, row + 0.5], color="white", linewidth=1.2)
        if len(shown) > 1 and not math.isnan(nats):
            axes.text(middle, row + 0.3, f"{nats:.1f}", fontsize=6, **style)


def _rows(text: Sequence[str]) -> list[list[tuple[int, int]]]:
    """Columns and places in `text`, row by row: a row ends after a line end, or when the next token has no room."""
    rows: list[list[tuple[int, int]]] = [[]]
    column = 0
    for place, token in enumerate(text):
        if rows[-1] and column + len(token) > COLUMNS:
            rows.append([])
            column = 0
        if len(rows) > ROWS:
            break
        rows[-1].append((column, place))
        column += len(token)
        if token.endswith("\n"):
            rows.append([])
            column = 0
    return [row for row in rows[:ROWS] if row]
