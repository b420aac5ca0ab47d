"""Feature maps: what each channel of a layer finds where in an image.

C channels, H height, W width
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64

from handmade import draw
from handmade.engine import Tensor, no_grad
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
    """Draw the strongest maps of a layer beside the image (values 0 to 1), all on one scale."""
    channels, shown = strongest(maps, SHOWN)
    of_all = f"the strongest {len(shown)} of {len(maps)}" if len(shown) < len(maps) else f"all {len(maps)}"
    title = f"{title}: feature maps of {layer}, {maps.shape[1]} x {maps.shape[2]}"
    draw.feature_maps(shown, channels, image, title, f"Above each map its channel; {of_all}.").save(path)
