"""The filters of the first layer, as images: what the network looks for in the pixels.

K filters, C channels, R x S pixels
"""

import math
from pathlib import Path

import numpy as np
from jaxtyping import Float

from handmade.errors import InputError
from handmade.lens.drawing import new_figure, save, show_image
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


def draw_filters(path: Path, model: Module, title: str) -> None:
    """Draw the first layer's filters to `path`, each scaled on its own and labelled with its number."""
    name, weight = first_filters(model)
    count, _, height, width = weight.shape
    columns = min(count, 8 if count <= 32 else 16)
    rows = math.ceil(count / columns)
    figure = new_figure(max(0.72 * columns, 5), 0.78 * rows * height / width + 0.8)
    figure.suptitle(f"{title}: the {count} filters of {name}, {height}x{width}", fontsize=12)
    figure.supxlabel("middle grey is 0; each filter is scaled by its largest weight", fontsize=9)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for number, (axes, image) in enumerate(zip(grid.flat, as_images(weight), strict=False)):
        show_image(axes, image)
        axes.set_title(str(number), fontsize=7, pad=2, color="0.4")
    save(figure, path)
