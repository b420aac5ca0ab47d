"""What the pictures share: figures, files, images and maps over them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from handmade.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

DPI = 120


def new_figure(width: float, height: float) -> "Figure":
    """A figure of its own, of `width` x `height` inches; drawing it touches no global state and opens no window."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save(figure: "Figure", path: Path) -> None:
    """Write the figure as PNG, whole or not at all."""
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI)


def show_image(axes: "Axes", image: Float[np.ndarray, "C H W"]) -> None:
    """Draw an image of values from 0 to 1, grey (C = 1) or red, green, blue, without ticks."""
    pixels = image.transpose(1, 2, 0)  # C H W -> H W C
    axes.imshow(pixels if len(image) == 3 else pixels[..., 0], cmap="gray", vmin=0, vmax=1)
    axes.set(xticks=[], yticks=[])


def side_by_side(image: Float[np.ndarray, "C H W"], title: str) -> "tuple[Figure, Axes, Axes]":
    """A figure with the image on the left and place for a picture of the same shape on the right."""
    height, width = image.shape[1:]
    figure = new_figure(9.0, 4.1 * height / width + 0.8)
    figure.suptitle(title, fontsize=12)
    left, right = figure.subplots(1, 2)
    show_image(left, image)
    return figure, left, right


def show_over(
    axes: "Axes", image: Float[np.ndarray, "C H W"], values: Float[np.ndarray, "h w"], limit: float, **options: Any
) -> "AxesImage":
    """Draw a map of an image's parts over the image in grey: clear where it is 0, strong where it is +-limit."""
    height, width = image.shape[1:]
    show_image(axes, 0.2 + 0.7 * image.mean(axis=0, keepdims=True))
    finer = max(1, round(480 / width))  # so that the map is smooth over an image of few pixels
    smooth = enlarged(values, finer * height, finer * width)
    alpha = 0.7 * np.clip(np.abs(smooth) / limit, 0, 1) ** 0.7
    return axes.imshow(smooth, alpha=alpha, vmax=limit, extent=(-0.5, width - 0.5, height - 0.5, -0.5), **options)


def enlarged(values: Float[np.ndarray, "h w"], height: int, width: int) -> Float[np.ndarray, "H W"]:
    """A map of an image's parts in the image's size, bilinear; the outer pixels lie half a part from the edge."""
    from PIL import Image

    small = Image.fromarray(np.ascontiguousarray(values, np.float32))
    return np.asarray(small.resize((width, height), Image.Resampling.BILINEAR))
