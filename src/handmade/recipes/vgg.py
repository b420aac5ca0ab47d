"""VGG's configuration A on small images, trained as Simonyan & Zisserman 2014, section 3.1, train it, with one cycle.

The paper's rate falls from 0.01 to a tenth three times, when the validation accuracy stops improving
(`schedule=steps` is the nearest to it), and its batches have 256 images. Batch normalisation bears a higher rate.
"""

from dataclasses import dataclass

from handmade.models import vgg11_cifar
from handmade.nn import Module
from handmade.tasks.images.task import ImageRecipe


@dataclass(frozen=True, kw_only=True)
class VGGRecipe(ImageRecipe):
    """dropout: the probability of dropping an input of the fully connected layer."""

    dropout: float = 0.5

    def build(self, num_classes: int) -> Module:
        return vgg11_cifar(num_classes, self.dropout)


VGG11 = VGGRecipe(
    model="vgg11-cifar",
    data="fashion-mnist",
    epochs=3,
    batch_size=128,
    learning_rate=0.05,
    weight_decay=5e-4,
    schedule="one-cycle",
    shift=4,
    flip=True,
)
RECIPES = (VGG11,)
