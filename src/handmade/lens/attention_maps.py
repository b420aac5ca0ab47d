"""Attention maps: where each head of each layer looks, for every token of a text.

    Vaswani et al., "Attention Is All You Need" (2017), figures 3 to 5; Clark et al., "What Does BERT Look At?" (2019).

L layers, H heads, S_q tokens that look, S_k tokens that are looked at
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from handmade.errors import InputError
from handmade.lens.drawing import new_figure, save
from handmade.lens.recording import undisturbed
from handmade.nn import Module
from handmade.nn.functional import recorded_attention
from handmade.tape import no_grad
from handmade.tensor import Tensor

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.colors import Normalize

Map = Float[np.ndarray, "H S_q S_k"]

WIDEST, SMALLEST, LARGEST = 26.0, 0.8, 3.6
"""Inches: the picture's width at most, and between these the side of one map."""

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
    heads, rows, columns = maps[0].shape
    width = float(np.clip(0.155 * columns, SMALLEST, min(LARGEST, max(SMALLEST, WIDEST / heads))))
    height = float(np.clip(width * rows / columns, 0.5 * width, 2.0 * width))
    size = min(8.0, 62 * width / columns, 62 * height / rows)  # points of a token's name
    longest = max(map(len, [*looking, *looked_at])) if size >= LEGIBLE else 3
    margin = longest * size * 0.6 / 72  # inches of the longest name
    figure = new_figure(heads * (width + 0.1) + margin + 1.6, len(maps) * (height + 0.1) + margin + 1.1)
    figure.suptitle(title, fontsize=12)
    grid = figure.subplots(len(maps), heads, squeeze=False)
    for layer, (row, weights) in enumerate(zip(grid, maps, strict=True)):
        for head, (axes, values) in enumerate(zip(row, weights, strict=True)):
            drawn = axes.imshow(values, cmap="Blues", norm=_norm(), aspect="auto", interpolation="nearest")
            axes.spines[:].set(color="0.7", linewidth=0.6)
            _name(axes.yaxis, looking if head == 0 else [], size)
            _name(
                axes.xaxis, looked_at if layer == len(maps) - 1 else [], size, 90 if max(map(len, looked_at)) > 1 else 0
            )
            if layer == 0:
                axes.set_title(f"head {head}", fontsize=9, color="0.3")
        row[-1].yaxis.set_label_position("right")
        row[-1].set_ylabel(f"layer {layer}", fontsize=9, color="0.3", rotation=270, va="bottom")
    figure.supylabel("this token ...", fontsize=9, color="0.3")
    figure.supxlabel("... looks at this one", fontsize=9, color="0.3")
    bar = figure.colorbar(drawn, ax=grid, shrink=min(1.0, 3 / (len(maps) * height)), aspect=18, pad=0.012)
    bar.set_ticks([0, 0.05, 0.2, 0.5, 1.0])
    bar.ax.tick_params(labelsize=8)
    bar.set_label("attention weight", fontsize=9)
    save(figure, path)


def _name(axis: "Axis", names: Sequence[str], size: float, rotation: float = 0) -> None:
    """Write the tokens' names beside an axis; nothing where there are none."""
    legible = names if size >= LEGIBLE else []
    axis.set_ticks(range(len(legible)), legible, family="monospace", fontsize=size, rotation=rotation)
    axis.set_tick_params(length=0, pad=2)


def _norm() -> "Normalize":
    from matplotlib.colors import PowerNorm

    return PowerNorm(GAMMA, vmin=0, vmax=1)
