"""The pictures of a classifier: which classes it takes for which, and the images that it is most wrong about."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int64

from handmade.data import ImageFolder, ImageSet
from handmade.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TEST, RIGHT = "#D55E00", "#009E73"
"""Vermilion and green that colour-blind people tell apart (Okabe and Ito 2008)."""

SHOWN = 30
"""How many misclassified images are drawn at most."""


def confusion_matrix(
    labels: Int64[np.ndarray, "N"], predicted: Int64[np.ndarray, "N"], num_classes: int
) -> Int64[np.ndarray, "K K"]:
    """How many images of each class (row) were taken for each class (column)."""
    counts = np.bincount(labels * num_classes + predicted, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def draw_confusion(path: Path, matrix: Int64[np.ndarray, "K K"], classes: Sequence[str]) -> None:
    """The confusion matrix, each row coloured by its shares; with up to 20 classes the counts are written in."""
    side = max(5.0, min(0.62 * len(classes) + 2, 14))
    figure = _figure(side + 0.8, side)
    axes = figure.subplots()
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if len(classes) <= 20:
        axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right")
        axes.set_yticks(range(len(classes)), classes)
        for (row, column), count in np.ndenumerate(matrix):
            if count:
                color = "white" if shares[row, column] > 0.5 else "black"
                axes.text(column, row, str(count), ha="center", va="center", fontsize=8, color=color)
    right, total = np.trace(matrix), matrix.sum()
    axes.set(xlabel="predicted", ylabel="true", title=f"{right:,} of {total:,} right ({right / total:.1%})")
    figure.colorbar(image, label="share of the true class", shrink=0.8)
    _save(figure, path)


def draw_misclassified(
    path: Path, images: ImageSet | ImageFolder, logits: Float[np.ndarray, "N K"], labels: Int64[np.ndarray, "N"]
) -> None:
    """The images that the model is most sure about and wrong, with what they are and what they were taken for."""
    probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    predicted, classes = logits.argmax(axis=1), list(images.classes)
    sure = probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    shown = wrong[np.argsort(-sure[wrong], kind="stable")][:SHOWN]
    columns = 6
    rows = max(1, -(-len(shown) // columns))
    figure = _figure(columns * 1.7, rows * 2.1 + 0.5)
    figure.suptitle(f"{len(wrong):,} of {len(labels):,} wrong; the surest: their class, and what they were taken for")
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.axis("off")
    for axes, index in zip(figure.axes, shown, strict=False):
        image = np.asarray(images.batch(np.array([index]))[0][0]).transpose(1, 2, 0)  # C H W -> H W C
        axes.imshow(image if image.shape[2] == 3 else image[..., 0], cmap="gray", vmin=0, vmax=255)
        taken_for = f"{classes[predicted[index]]} {sure[index]:.0%}"
        axes.text(0.5, 1.16, classes[labels[index]], color=RIGHT, **_caption(axes))
        axes.text(0.5, 1.02, taken_for, color=TEST, **_caption(axes))
    _save(figure, path)


def _caption(axes: "Axes") -> dict:
    return {"transform": axes.transAxes, "ha": "center", "va": "bottom", "fontsize": 8}


def _figure(width: float, height: float) -> "Figure":
    """A figure of its own, of `width` x `height` inches; drawing it touches no global state and opens no window."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: "Figure", path: Path) -> None:
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
