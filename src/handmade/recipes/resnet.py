"""The ResNets for small images and their plain counterparts, as He et al. 2015, section 4.2, train them.

The paper's 64,000 steps are 164 epochs of CIFAR-10, at the rates of `schedule=steps`; short runs learn more with
one cycle.
"""

from dataclasses import dataclass

from handmade.models import ZOO
from handmade.nn import Module
from handmade.tasks.images.task import ImageRecipe


@dataclass(frozen=True, kw_only=True)
class ResNetRecipe(ImageRecipe):
    """Depth and shortcuts are in the model's name."""

    def build(self, num_classes: int) -> Module:
        return ZOO[self.model].make(num_classes=num_classes)


RECIPES = tuple(
    ResNetRecipe(
        model=card.name,
        data="fashion-mnist",
        epochs=3,
        batch_size=128,
        learning_rate=0.1,
        weight_decay=1e-4,
        schedule="one-cycle",
        shift=4,
        flip=True,
    )
    for card in ZOO.values()
    if card.recipe == "resnet"
)
