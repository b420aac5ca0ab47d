"""The receptive field of a unit: the part of the image that it can see, and the part that moves it.

    Luo, Li, Urtasun & Zemel, "Understanding the Effective Receptive Field in Deep Convolutional Neural Networks"
    (2016), section 2: the gradient of one unit by the image, which is far smaller than the windows' sizes allow.

C channels, H, W height and width of the image, K maps, h, w those of the maps
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from handmade import draw
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.lens.hooks import recording, undisturbed
from handmade.lens.layers import maps_of
from handmade.lens.units import following
from handmade.nn import Module


class ReceptiveField(NamedTuple):
    """What one unit of a layer sees. unit: its map, row and column. value: what it says of this image.

    rows, columns: the first pixel of the image that it can see, and the first that it no longer sees, by the sizes of
    the windows; some may lie beyond the edge.
    gradient: |d value / d pixel|, summed over the colours.
    """

    layer: str
    unit: tuple[int, int, int]
    value: float
    rows: tuple[int, int]
    columns: tuple[int, int]
    gradient: Float[np.ndarray, "H W"]


def receptive_field(
    model: Module, image: Float[Tensor, "1 C H W"], layer: str, unit: tuple[int, int, int] | None = None
) -> ReceptiveField:
    """What a unit of `layer` sees of the image: by the sizes of the windows before it, and by its gradient.

    unit: its map, row and column; None for the one that responds most. The model runs in evaluation mode and its
    parameters get no gradients.

    Raises InputError when the model has no such layer, or it gives no maps, and for a unit that is not there.
    """
    seen = Tensor(image.array.copy(), requires_grad=True)
    with undisturbed(model), recording(model, layer) as outputs, following(seen) as seen_by:
        model(seen)
        maps = maps_of(outputs, layer)  # 1 K h w
        down, across = seen_by(maps)
        K, h, w = maps.shape[1:]
        strongest, row, column = np.unravel_index(maps.array[0].argmax(), (K, h, w))
        at = unit or (int(strongest), int(row), int(column))
        if not all(0 <= place < size for place, size in zip(at, (K, h, w), strict=True)):
            raise InputError(f"{layer} has no unit {', '.join(map(str, at))}: its maps are {K} x {h} x {w}.")
        maps[(0, *at)].backward()
    assert seen.grad is not None
    gradient = np.abs(seen.grad.array[0]).sum(0)
    value = float(maps.array[(0, *at)])
    return ReceptiveField(layer, at, value, down.of(at[1]), across.of(at[2]), gradient)


def draw_receptive_field(path: Path, found: ReceptiveField, image: Float[np.ndarray, "C H W"], title: str) -> None:
    """Draw the field on the image (values 0 to 1), the gradient beside it, and the pixels that it lies on."""
    draw.receptive_field(found.gradient, image, found.rows, found.columns, title).save(path)
