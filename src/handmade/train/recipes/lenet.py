"""LeNet-5 (LeCun et al. 1998) on small grey images."""

from dataclasses import dataclass
from typing import ClassVar

from handmade.errors import InputError
from handmade.models.lenet import PaperLeNet5, lenet5
from handmade.nn import Module
from handmade.tensor import Tensor
from handmade.train.image_classification import ImageRecipe


@dataclass(frozen=True, kw_only=True)
class LeNetRecipe(ImageRecipe):
    """paper: learn the paper's network instead of today's form (see models/lenet.py)."""

    paper: bool = False

    channels: ClassVar[int] = 1
    size: ClassVar[int] = 32

    def build(self, num_classes: int) -> Module:
        if self.paper and num_classes != 10:
            raise InputError(f"the paper's LeNet-5 tells ten classes apart, {self.data} has {num_classes}.")
        return lenet5(num_classes, self.paper)

    def criterion(self, model: Module, scores: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy; the paper's network has a loss of its own (equation 9)."""
        if isinstance(model, PaperLeNet5):
            return model.loss(scores, labels)
        return super().criterion(model, scores, labels)


LENET5 = LeNetRecipe(
    model="lenet5",
    data="fashion-mnist",
    epochs=12,
    batch_size=64,
    optimizer="adam",
    learning_rate=2e-3,
    shift=1,
    flip=True,
)
