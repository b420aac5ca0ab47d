"""The ResNets for small images and their plain counterparts, as He et al. 2015, section 4.2, train them.

The paper's 64,000 steps are 164 epochs of CIFAR-10, at the rates of `--set schedule=steps`; short runs learn more with
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
        entry = ZOO[self.model]
        return entry.build(num_classes=num_classes, **dict(entry.arguments))


MODELS = ("resnet20", "resnet32", "resnet44", "resnet56", "resnet110", "plain20", "plain32", "plain44", "plain56")
RESNETS = tuple(
    ResNetRecipe(
        model=model,
        data="fashion-mnist",
        epochs=3,
        batch_size=128,
        learning_rate=0.1,
        weight_decay=1e-4,
        schedule="one-cycle",
        shift=4,
        flip=True,
    )
    for model in MODELS
)
