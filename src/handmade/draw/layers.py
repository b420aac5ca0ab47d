"""What the layers of a network have, from the input at the top to the output: what is added, and what comes back."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from handmade.draw.palette import MARKERS, SERIES
from handmade.draw.style import SMALL, Picture, in_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW = 0.22
"""Inches that each bar takes."""


class Added(NamedTuple):
    """A branch of a residual network: its block, its name, the lengths of the stream x and of what is added, F(x)."""

    block: str
    branch: str
    stream: float
    added: float

    @property
    def ratio(self) -> float:
        """‖F(x)‖ / ‖x‖."""
        return self.added / max(self.stream, 1e-12)


class LayerGradient(NamedTuple):
    """A layer: its name, the norms of its weights, and of the gradient of these."""

    name: str
    weights: float
    gradient: float

    @property
    def ratio(self) -> float:
        """‖g‖ / ‖w‖."""
        return self.gradient / self.weights if self.weights else 0.0


@in_style
def branches(added: Sequence[Added], title: str, of: str) -> Picture:
    """Two bars for each branch: how long the stream is that it is added to, and how much it adds, as a share of that.

    of: whose lengths these are, said below.
    """
    blocks, names = list(dict.fromkeys(one.block for one in added)), list(dict.fromkeys(one.branch for one in added))
    places = _spread(added, blocks)
    note = f"From the input at the top to the output at the bottom. {of}"
    figure = new_figure(9.0, ROW * (places[-1] + 1) + 0.8, title, note)
    columns = figure.subplots(1, 2, sharey=True)
    for axes, what, form in zip(columns, ("stream", "ratio"), ("{:.3g}", "{:.2f}"), strict=True):
        values = [getattr(one, what) for one in added]
        for series, name in enumerate(names):
            rows = [row for row, one in enumerate(added) if one.branch == name]
            axes.barh([places[r] for r in rows], [values[r] for r in rows], 0.8, color=SERIES[series], label=name)
        for place, value in zip(places, values, strict=True):
            axes.text(value, place, f"  {form.format(value)}", va="center", fontsize=SMALL)
        axes.set(xticks=[], xlim=(0, 1.2 * max(*values, 1e-12)))
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(length=0)
    middles = [np.mean([at for at, one in zip(places, added, strict=True) if one.block == name]) for name in blocks]
    columns[0].set_yticks(middles, blocks)
    columns[0].set(title="‖x‖: what is there")
    columns[1].set(title="‖F(x)‖ / ‖x‖: what is added to it")
    columns[0].invert_yaxis()
    if len(names) > 1:
        handles, labels = columns[1].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=len(names))
    most, least = max(added, key=lambda one: one.ratio), min(added, key=lambda one: one.ratio)
    told = f"Most is added by the {most.branch} of {most.block}, {most.ratio:.2f} times the length of what is there; "
    told += f"least by the {least.branch} of {least.block}, {least.ratio:.2f} times."
    if len(added) > 1:
        told += f" What is there has the length {added[0].stream:.3g} before the first, "
        told += f"{added[-1].stream:.3g} before the last."
    return Picture(figure, title, told)


def _spread(added: Sequence[Added], blocks: Sequence[str]) -> list[float]:
    """Where each bar lies: those of a block touch, and half a row is between two blocks that have several."""
    gap = 0.5 if len(blocks) < len(added) else 0.0
    return [row + gap * blocks.index(one.block) for row, one in enumerate(added)]


@in_style
def gradients(layers: Sequence[LayerGradient], title: str, of: str) -> Picture:
    """For each layer the norm of its gradient, and that as a share of the norm of its weights, on logarithmic axes.

    of: whose loss it is, said below. A gradient of zero has no place on such an axis: it is written.
    """
    note = f"From the input at the top to the output at the bottom. {of}"
    figure = new_figure(9.0, ROW * len(layers) + 1.1, title, note)
    columns = figure.subplots(1, 2, sharey=True)
    for series, (axes, what) in enumerate(zip(columns, ("gradient", "ratio"), strict=True)):
        rows = [row for row, one in enumerate(layers) if getattr(one, what) > 0]
        values = [getattr(layers[row], what) for row in rows]
        axes.plot(values, rows, color=SERIES[series], marker=MARKERS[series], linestyle="none")
        axes.set(xscale="log")
        _ticks(axes, values)
        for row in set(range(len(layers))) - set(rows):
            axes.text(0.02, row, "0", transform=axes.get_yaxis_transform(), va="center", fontsize=SMALL)
        axes.grid()
    columns[0].set_yticks(range(len(layers)), [one.name for one in layers])
    columns[0].set(title="‖g‖: the gradient", ylim=(len(layers) - 0.5, -0.5))
    columns[1].set(title="‖g‖ / ‖w‖: beside the weights")
    for axes in columns:
        axes.tick_params(axis="y", length=0)
    most, first, last = max(layers, key=lambda one: one.gradient), layers[0], layers[-1]
    told = f"The gradient is largest in {most.name}, {most.gradient:.3g}; in the first layer, {first.name}, it is "
    told += f"{first.gradient:.3g}, and in the last, {last.name}, {last.gradient:.3g}."
    return Picture(figure, title, told)


def _ticks(axes: "Axes", values: Sequence[float]) -> None:
    """A power of ten at least on the axis, so that small differences look small; plain numbers where it is short."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    if not values:
        return
    low, high = min(values), max(values)
    middle, half = (low * high) ** 0.5, max((high / low) ** 0.5 * 1.5, 10**0.5)
    axes.set_xlim(middle / half, middle * half)
    axes.xaxis.set_minor_formatter(NullFormatter())
    if half < 10:
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
