"""MobileNetV2 on small images, after Sandler et al. 2018, section 6.1, with momentum SGD and one cycle.

The paper trains by RMSProp, for hundreds of epochs.
"""

from dataclasses import dataclass

from handmade.models.mobilenet_v2 import mobilenet_v2_cifar
from handmade.nn import Module
from handmade.tasks.images.task import ImageRecipe


@dataclass(frozen=True, kw_only=True)
class MobileNetV2Recipe(ImageRecipe):
    """width_mult: a factor of all numbers of channels. dropout: of an input of the last layer."""

    width_mult: float = 1.0
    dropout: float = 0.2

    def build(self, num_classes: int) -> Module:
        return mobilenet_v2_cifar(num_classes, self.width_mult, self.dropout)


RECIPES = (
    MobileNetV2Recipe(
        model="mobilenet_v2-cifar",
        data="fashion-mnist",
        epochs=3,
        batch_size=128,
        learning_rate=0.1,
        weight_decay=4e-5,
        schedule="one-cycle",
        shift=4,
        flip=True,
    ),
)
