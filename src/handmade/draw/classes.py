"""Which classes a classifier confuses: the confusion matrix, and its most confident mistakes.

K classes, N images
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64, UInt8

from handmade.draw.palette import LIGHT
from handmade.draw.style import (
    SMALL,
    Picture,
    frame,
    in_style,
    ink_on,
    new_figure,
    thin_frame,
    weight_bar,
    weight_scale,
)

WRITTEN = 20
"""With more classes than this, names and counts are left out."""

NAMED = 3
"""How many of the most common mistakes the caption names."""

COLUMNS = 6
"""How many misclassified images are in a row."""

LONGEST = 15
"""The most letters of a class's name beside an image."""


@in_style
def confusion_matrix(counts: Int64[np.ndarray, "K K"], classes: Sequence[str], title: str) -> Picture:
    """Rows are the true classes, columns the predicted ones, coloured by the share of the row."""
    right, total = int(np.trace(counts)), int(counts.sum())
    title = f"{title}: {right:,} of {total:,} right ({100 * right / max(total, 1):.1f} %)"
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = float(np.clip(0.5 * len(classes) + 1.4, 4.4, 10.0))
    figure = new_figure(side + 1.0, side, title, "A row is a true class; framed in green is what was right.")
    axes = figure.subplots()
    drawn = axes.imshow(shares, **weight_scale())
    thin_frame(axes)
    axes.set(xticks=[], yticks=[])
    if len(classes) <= WRITTEN:
        axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(classes)), classes)
        axes.tick_params(length=0)
        for (row, column), count in np.ndenumerate(counts):
            if count:
                ink = ink_on(drawn, shares[row, column])
                axes.text(column, row, str(count), ha="center", va="center", fontsize=SMALL, color=ink)
        for place in range(len(classes)):
            frame(axes, place - 0.47, place - 0.47, 0.94, 0.94, LIGHT.right, 1.2)
    axes.set(xlabel="predicted class", ylabel="true class")
    weight_bar(figure, drawn, axes, "share of the true class", shrink=0.8)
    return Picture(figure, title, _commonest(counts, classes))


def _commonest(counts: Int64[np.ndarray, "K K"], classes: Sequence[str]) -> str:
    """The most common mistakes, as a sentence."""
    wrong = counts - np.diag(np.diag(counts))
    places = np.argsort(-wrong, axis=None, kind="stable")[:NAMED]
    told = [
        f"{classes[row]} mistaken for {classes[column]} ({wrong[row, column]:,} of {counts[row].sum():,})"
        for row, column in (divmod(int(place), len(classes)) for place in places)
        if wrong[row, column]
    ]
    return f"The most common mistakes: {'; '.join(told)}." if told else "Nothing was mistaken."


class Mistake(NamedTuple):
    """An image, its true class, and the predicted class with its probability."""

    image: UInt8[np.ndarray, "C H W"]
    true: str
    taken_for: str
    probability: float


def surest_mistakes(
    logits: Float[np.ndarray, "N K"], labels: Int64[np.ndarray, "N"]
) -> tuple[Int64[np.ndarray, "W"], Float[np.ndarray, "W"]]:
    """The indices of the misclassified images, the most confident first, and the probabilities of their predictions."""
    probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    sure = probabilities.max(axis=1)
    wrong = np.flatnonzero(logits.argmax(axis=1) != labels)
    wrong = wrong[np.argsort(-sure[wrong], kind="stable")]
    return wrong, sure[wrong]


@in_style
def misclassified(mistakes: Sequence[Mistake], wrong: int, total: int, title: str) -> Picture:
    """The images of `mistakes`, each with its true class above and the predicted one below.

    wrong, total: how many images were misclassified, out of how many.
    """
    columns = min(COLUMNS, max(len(mistakes), 3))
    rows = max(1, -(-len(mistakes) // columns))
    title = f"{title}: {wrong:,} of {total:,} wrong ({100 * wrong / max(total, 1):.1f} %)"
    order = "The surest mistakes first. Above each image, ✓ is what it is; below, ✗ what it was taken for, how surely."
    figure = new_figure(columns * 1.55, rows * 2.1, title, order if mistakes else "Nothing was misclassified.")
    grid = figure.subplots(rows, columns, squeeze=False).flat
    for axes in grid:
        axes.axis("off")
    for axes, mistake in zip(figure.axes, mistakes, strict=False):
        pixels = mistake.image.transpose(1, 2, 0)  # C H W -> H W C
        axes.imshow(pixels if pixels.shape[2] == 3 else pixels[..., 0], cmap="gray", vmin=0, vmax=255)
        style = {"transform": axes.transAxes, "ha": "center", "fontsize": SMALL}
        axes.text(0.5, 1.03, f"✓ {_short(mistake.true)}", va="bottom", color=LIGHT.right, **style)
        taken_for = f"✗ {_short(mistake.taken_for)}\n{100 * mistake.probability:.0f} %"
        axes.text(0.5, -0.04, taken_for, va="top", color=LIGHT.wrong, **style)
    told = [f"{one.true} mistaken for {one.taken_for} ({100 * one.probability:.0f} %)" for one in mistakes[:NAMED]]
    return Picture(figure, title, f"The surest: {'; '.join(told)}." if told else "Nothing was misclassified.")


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
