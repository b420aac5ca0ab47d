"""Feature maps: what each channel of a layer finds where in an image.

C channels, H height, W width
"""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64

from handmade.engine import Tensor, no_grad
from handmade.lens.drawing import new_figure, save, show_image
from handmade.lens.hooks import recording, undisturbed
from handmade.lens.layers import maps_of
from handmade.nn import Module

SHOWN = 40
"""How many channels are drawn at most."""


class Strongest(NamedTuple):
    """The channels of a layer with the largest activations, in size, and their maps."""

    channels: Int64[np.ndarray, "n"]
    maps: Float[np.ndarray, "n H W"]


def feature_maps(model: Module, image: Float[Tensor, "1 C H W"], layer: str) -> Float[np.ndarray, "K h w"]:
    """What the channels of `layer` make of the image, in evaluation mode.

    Raises InputError when the model has no such layer, or it gives no maps.
    """
    with undisturbed(model), no_grad(), recording(model, layer) as outputs:
        model(image)
    return maps_of(outputs, layer).numpy()[0]


def strongest(maps: Float[np.ndarray, "K h w"], count: int) -> Strongest:
    """The `count` channels that respond most at some place, in the order of their numbers."""
    response = np.abs(maps).max(axis=(1, 2))
    channels = np.sort(np.argsort(-response, kind="stable")[:count])
    return Strongest(channels, maps[channels])


def draw_feature_maps(
    path: Path, maps: Float[np.ndarray, "K h w"], layer: str, image: Float[np.ndarray, "C H W"], title: str
) -> None:
    """Draw the maps of a layer beside the image (values 0 to 1), all on one scale, labelled with their channels."""
    channels, shown = strongest(maps, SHOWN)
    columns = min(8, len(shown))
    rows = math.ceil(len(shown) / columns)
    signed = shown.min() < 0
    limit = float(np.percentile(np.abs(shown), 99.5)) or 1.0  # a few extreme pixels would leave all others dark
    scale = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit} if signed else {"cmap": "magma", "vmin": 0, "vmax": limit}

    figure = new_figure(4.2 + 0.95 * columns, max(1.08 * rows, 2.6) + 0.7)
    spec = figure.add_gridspec(1, 2, width_ratios=(3.2, 0.95 * columns + 1.0))
    left, right = figure.add_subfigure(spec[0]), figure.add_subfigure(spec[1])
    of_all = f"{len(shown)} of {len(maps)}, the strongest" if len(shown) < len(maps) else f"all {len(maps)}"
    figure.suptitle(f"{title}: feature maps of {layer} ({of_all}), {maps.shape[1]}x{maps.shape[2]}", fontsize=11)
    show_image(left.subplots(), image)
    grid = right.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, channel, values in zip(grid.flat, channels, shown, strict=False):
        drawn = axes.imshow(values, **scale)
        axes.set_title(str(channel), fontsize=7, pad=2, color="0.4")
    bar = right.colorbar(drawn, ax=grid, shrink=0.8, aspect=30, extend="both" if signed else "max")
    bar.set_label("activation", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    save(figure, path)
