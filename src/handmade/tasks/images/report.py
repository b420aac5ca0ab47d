"""Pictures of a classifier's mistakes: the confusion matrix, and the images that it is most wrong about."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int64

from handmade import draw
from handmade.data import ImageFolder, ImageSet

SHOWN = 30
"""How many misclassified images are drawn at most."""


def confusion_matrix(
    labels: Int64[np.ndarray, "N"], predicted: Int64[np.ndarray, "N"], num_classes: int
) -> Int64[np.ndarray, "K K"]:
    """How many images of each class (row) were classified as each class (column)."""
    counts = np.bincount(labels * num_classes + predicted, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def draw_confusion(
    path: Path, matrix: Int64[np.ndarray, "K K"], classes: Sequence[str], title: str = "The test data"
) -> None:
    """Draw the confusion matrix to `path`, each row coloured by its shares."""
    draw.confusion_matrix(matrix, classes, title).save(path)


def draw_misclassified(
    path: Path,
    images: ImageSet | ImageFolder,
    logits: Float[np.ndarray, "N K"],
    labels: Int64[np.ndarray, "N"],
    title: str = "The test images",
) -> None:
    """Draw to `path` the images that the model misclassifies most confidently, with their predicted class."""
    wrong, sure = draw.surest_mistakes(logits, labels)
    taken_for, classes = logits.argmax(axis=1), list(images.classes)
    mistakes = [
        draw.Mistake(
            np.asarray(images.batch(np.array([index]))[0][0]),
            classes[labels[index]],
            classes[taken_for[index]],
            float(probability),
        )
        for index, probability in zip(wrong[:SHOWN], sure, strict=False)
    ]
    draw.misclassified(mistakes, len(wrong), len(labels), title).save(path)
