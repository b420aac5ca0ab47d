"""Occlusion: how much of a class's probability is lost when a part of the image is covered.

    Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks" (2014), section 4.2.

C channels, H height, W width
"""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float

from handmade import draw
from handmade.engine import Tensor, no_grad
from handmade.lens.hooks import undisturbed
from handmade.nn import Module

PLACES = 11
"""How many places the patch takes along the longer side, unless told otherwise."""


def occlusion(
    model: Module,
    image: Float[Tensor, "1 C H W"],
    class_index: int,
    patch: int | None = None,
    stride: int | None = None,
    batch_size: int = 16,
) -> Float[np.ndarray, "rows columns"]:
    """The drop of the class's probability, with a grey square in the middle of each part of the image.

    The image is cut into parts of about stride x stride pixels, and the square covers patch x patch around the middle
    of one of them at a time. Grey is 0, the mean colour of normalised images. A positive drop: the class needs what was
    covered; a negative one: it competes with it.

    patch, stride: in pixels; by default the stride is an eleventh of the longer side and the patch twice that.
    """
    return np.stack(list(occluded_rows(model, image, class_index, patch, stride, batch_size)))


def occluded_rows(
    model: Module,
    image: Float[Tensor, "1 C H W"],
    class_index: int,
    patch: int | None = None,
    stride: int | None = None,
    batch_size: int = 16,
) -> Iterator[Float[np.ndarray, "columns"]]:
    """`occlusion`, a row after another. Between two of them the model is as it was before."""
    height, width = image.shape[2:]
    stride = stride or default_stride(height, width)
    patch = patch or 2 * stride
    if min(patch, stride) < 1:
        raise ValueError(f"patch is {patch} and stride {stride} pixels, expected at least 1")
    rows, columns = math.ceil(height / stride), math.ceil(width / stride)
    tops = _starts(height, rows, patch)
    lefts = _starts(width, columns, patch)

    def probability(images: np.ndarray) -> np.ndarray:
        with undisturbed(model), no_grad():
            return model(Tensor(images)).softmax(dim=1).array[:, class_index]

    whole = probability(image.array)
    for top in tops:
        drops = []
        for start in range(0, columns, batch_size):
            group = lefts[start : start + batch_size]
            covered = np.repeat(image.array, len(group), axis=0)
            for one, left in zip(covered, group, strict=True):
                one[:, max(top, 0) : top + patch, max(left, 0) : left + patch] = 0
            drops.append(whole - probability(covered))
        yield np.concatenate(drops)


def default_stride(height: int, width: int) -> int:
    return max(1, round(max(height, width) / PLACES))


def _starts(length: int, parts: int, patch: int) -> list[int]:
    """Where a patch begins so that its middle is that of each part; at the edges it may hang over."""
    return [round((part + 0.5) * length / parts - patch / 2) for part in range(parts)]


def draw_occlusion(
    path: Path, drop: Float[np.ndarray, "rows columns"], image: Float[np.ndarray, "C H W"], patch: int, title: str
) -> None:
    """Draw the drops beside the image (values 0 to 1) with one patch on it, and what in the image is needed."""
    draw.covered(drop, image, patch, title).save(path)
