"""LeNet-5 (LeCun et al. 1998) on small grey images."""

from dataclasses import dataclass, replace
from typing import ClassVar

from handmade.data import ImageFolder, ImageSet
from handmade.errors import InputError
from handmade.models.lenet import lenet5
from handmade.nn import Module
from handmade.tasks.images.preprocessing import ImageFacts
from handmade.tasks.images.task import ImageRecipe

BACKGROUND, FOREGROUND = -0.1, 1.175
"""What 0 and 1 become for the paper's network (section II.B): over a digit the mean is then about 0, the variance 1."""


@dataclass(frozen=True, kw_only=True)
class LeNetRecipe(ImageRecipe):
    """paper: train the paper's network with the paper's loss instead of today's form (see models/lenet.py)."""

    paper: bool = False

    channels: ClassVar[int] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.paper and self.label_smoothing:
            raise InputError(
                "label_smoothing is for cross-entropy; the paper's LeNet-5 has a loss of its own: leave it 0."
            )

    def build(self, num_classes: int) -> Module:
        if self.paper and num_classes != 10:
            raise InputError(f"the paper's LeNet-5 has ten classes, {self.data} has {num_classes}.")
        return lenet5(num_classes, self.paper)

    def facts(self, images: ImageSet | ImageFolder) -> ImageFacts:
        facts = super().facts(images)
        if not self.paper:
            return facts
        std = 1 / (FOREGROUND - BACKGROUND)  # (x - mean) / std is then -0.1 at 0 and 1.175 at 1
        return replace(facts, mean=[-BACKGROUND * std] * len(facts.mean), std=[std] * len(facts.std))


LENET5 = LeNetRecipe(
    model="lenet5",
    data="fashion-mnist",
    epochs=14,
    batch_size=64,
    optimizer="adam",
    learning_rate=3e-3,
    flip=True,
    threads=1,
)
RECIPES = (LENET5,)
