"""Attention maps: where each head of each layer looks, for every token of a text.

    Vaswani et al., "Attention Is All You Need" (2017), figures 3 to 5; Clark et al., "What Does BERT Look At?" (2019).

L layers, H heads, S_q tokens that look, S_k tokens that are looked at
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.lens.drawing import new_figure, save
from handmade.lens.hooks import undisturbed
from handmade.nn import Module
from handmade.nn.functional import recorded_attention

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.colors import Normalize

Map = Float[np.ndarray, "H S_q S_k"]

WIDEST, SMALLEST, LARGEST = 26.0, 0.8, 3.6
"""Inches: the picture's width at most, and between these the side of one map."""

GAP = 0.1
"""Inches between two maps."""

CAPTION = {"fontsize": 9, "color": "0.3"}

LEGIBLE = 4.0
"""Points: names that would have to be smaller are left out."""

GAMMA = 0.5
"""Colours follow the square root of the weight: among many tokens, 0.05 is a lot, and must not look like nothing."""


def attention_maps(model: Module, *inputs: Tensor) -> list[Map]:
    """The attention weights of every layer, in the order in which the layers compute them, for the first of a batch.

    Row i of a head's map says how much token i looks at each token; it sums to 1. The model runs in evaluation mode.

    Raises InputError for a model without attention.
    """
    with undisturbed(model), no_grad(), recorded_attention() as weights:
        model(*inputs)
    if not weights:
        raise InputError(f"{type(model).__name__} has no attention whose maps could be drawn.")
    return [layer[0] for layer in weights]


def draw_attention_maps(
    path: Path, maps: Sequence[Map], looking: Sequence[str], looked_at: Sequence[str], title: str
) -> None:
    """Draw all maps in a grid, one row a layer, one column a head, all with the same colours.

    looking, looked_at: the S_q and S_k tokens, as they are to be written beside the maps; they are left out where there
    are too many to be read.
    """
    from matplotlib.patches import Rectangle

    heads, rows, columns = maps[0].shape
    width = float(np.clip(0.155 * columns, SMALLEST, min(LARGEST, max(SMALLEST, WIDEST / heads))))
    height = float(np.clip(width * rows / columns, 0.5 * width, 2.0 * width))
    size = min(8.0, 62 * width / columns, 62 * height / rows)  # points of a token's name
    longest = max(map(len, [*looking, *looked_at])) if size >= LEGIBLE else 3
    margin = longest * size * 0.6 / 72  # inches of the longest name
    across, down = heads * (width + GAP) - GAP, len(maps) * (height + GAP) - GAP
    figure = new_figure(across + margin + 1.7, down + margin + 1.2)
    figure.suptitle(title, fontsize=12)
    axes = figure.subplots()  # one for all maps, in inches
    for layer, weights in enumerate(maps):
        top = layer * (height + GAP)
        axes.text(across + 0.06, top + height / 2, f"layer {layer}", rotation=270, va="center", **CAPTION)
        for head, values in enumerate(weights):
            left = head * (width + GAP)
            extent = (left, left + width, top + height, top)
            drawn = axes.imshow(
                values, cmap="Blues", norm=_norm(), extent=extent, interpolation="nearest", aspect="auto"
            )
            axes.add_patch(
                Rectangle((left, top), width, height, fill=False, edgecolor="0.7", linewidth=0.6, clip_on=False)
            )
    for head in range(heads):
        axes.text(head * (width + GAP) + width / 2, -0.06, f"head {head}", ha="center", **CAPTION)
    axes.set(xlim=(0, across), ylim=(down, 0), xlabel="... looks at this one", ylabel="this token ...")
    _name(axes.xaxis, looked_at, heads, width, size, 90 if longest > 1 else 0)
    _name(axes.yaxis, looking, len(maps), height, size)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set(**CAPTION)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(drawn, ax=axes, shrink=min(1.0, 3 / down), aspect=18, pad=0.25 / across + 0.01)
    bar.set_ticks([0, 0.05, 0.2, 0.5, 1.0])
    bar.ax.tick_params(labelsize=8)
    bar.set_label("attention weight", fontsize=9)
    save(figure, path)


def _name(axis: "Axis", names: Sequence[str], maps: int, side: float, size: float, rotation: float = 0) -> None:
    """Write the tokens beside the outer maps, each in the middle of its row or column; none where too small to read."""
    legible = names if size >= LEGIBLE else []
    middles = (np.arange(len(legible)) + 0.5) * side / len(names)
    places = [number * (side + GAP) + middle for number in range(maps) for middle in middles]
    axis.set_ticks(places, list(legible) * maps, family="monospace", fontsize=size, rotation=rotation)
    axis.set_tick_params(length=0, pad=2)


def _norm() -> "Normalize":
    from matplotlib.colors import PowerNorm

    return PowerNorm(GAMMA, vmin=0, vmax=1)
