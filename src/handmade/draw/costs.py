"""What the parts of a network cost: their parameters and multiply-adds, side by side."""

from collections.abc import Sequence
from typing import NamedTuple

from handmade.draw.palette import SERIES
from handmade.draw.style import SMALL, Picture, in_style, new_figure

ROW = 0.22
"""Inches that each part's bars take."""


class Part(NamedTuple):
    """A part of a network: its name, the shape of its output for one example, and what it costs."""

    name: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int


@in_style
def costs(parts: Sequence[Part], title: str) -> Picture:
    """Two bars for each part, from the input at the top to the output at the bottom."""
    note = "From the input at the top to the output at the bottom, each part with the shape of its output."
    figure = new_figure(9.0, ROW * len(parts) + 0.5, title, note)
    told = []
    columns = figure.subplots(1, 2, sharey=True)
    for series, (axes, what) in enumerate(zip(columns, ("parameters", "multiply_adds"), strict=True)):
        values, said = [getattr(part, what) for part in parts], what.replace("_", "-")
        total = max(sum(values), 1)
        axes.barh(range(len(parts)), values, color=SERIES[series], height=0.66)
        for place, value in enumerate(values):
            if value:
                axes.text(value, place, f"  {shortened(value)}", va="center", fontsize=SMALL)
        axes.set(title=f"{said}: {shortened(sum(values))}", xticks=[], xlim=(0, 1.25 * max(*values, 1)))
        axes.spines["bottom"].set_visible(False)
        most = max(range(len(parts)), key=values.__getitem__)
        told.append(f"{sum(values):,} {said}, {100 * values[most] / total:.0f} % of them in {parts[most].name}.")
    columns[0].set_yticks(range(len(parts)), [_label(part) for part in parts])
    columns[0].tick_params(length=0)
    columns[1].tick_params(length=0)
    columns[0].invert_yaxis()
    return Picture(figure, title, " ".join(told))


def shortened(number: int) -> str:
    """A number in at most three digits and a letter: 864, 9.41 k, 37.7 M, 4.09 G."""
    for letter, unit in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if number >= 0.9995 * unit:  # three digits round up to it
            return f"{number / unit:#.3g}".rstrip(".") + f" {letter}"
    return str(number)


def _label(part: Part) -> str:
    shape = "\N{MULTIPLICATION SIGN}".join(map(str, part.shape))
    return f"{part.name}  {shape}"
