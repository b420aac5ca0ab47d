"""The filters of the first layer, as images: what the network looks for in the pixels.

K filters, C channels, R x S pixels
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from handmade import draw
from handmade.errors import InputError
from handmade.nn import Module


def first_filters(model: Module) -> tuple[str, Float[np.ndarray, "K C R S"]]:
    """Name and weight of the model's first convolution. InputError when there is none on grey or coloured images."""
    for name, parameter in model.named_parameters():
        if parameter.ndim == 4:
            if parameter.shape[1] in (1, 3):
                return name.rpartition(".")[0], parameter.numpy()
            break
    raise InputError(f"{type(model).__name__} has no first convolution on images, whose filters could be drawn.")


def as_images(weight: Float[np.ndarray, "K C R S"]) -> Float[np.ndarray, "K C R S"]:
    """Weights as values from 0 to 1, so that signs stay visible: 0 becomes 0.5, and the largest of a filter, in size,
    0 or 1."""
    largest = np.abs(weight).max(axis=(1, 2, 3), keepdims=True)
    return 0.5 + weight / (2 * np.where(largest == 0, 1, largest))


def draw_filters(path: Path, model: Module, title: str, grey: bool = False) -> None:
    """Draw the first layer's filters to `path`, each scaled on its own and labelled with its number.

    grey: the model is shown grey images in three channels; what is drawn is the sum of a filter's weights for them.
    """
    name, weight = first_filters(model)
    height, width = weight.shape[2:]
    draw.filters(weight, f"{title}: the {len(weight)} filters of {name}, {height} x {width}", grey).save(path)
