"""AlexNet on small images, trained as Krizhevsky et al. 2012, section 5, train it, with one cycle of the rate.

The paper's rate falls to a tenth whenever the validation error stops improving, three times in 90 epochs:
`schedule=steps` is the nearest to it. Its batch size, momentum, weight decay and dropout are here.
"""

from dataclasses import dataclass

from handmade.models import alexnet_cifar
from handmade.nn import Module
from handmade.tasks.images.task import ImageRecipe


@dataclass(frozen=True, kw_only=True)
class AlexNetRecipe(ImageRecipe):
    """dropout: the probability of dropping an input of the first two fully connected layers."""

    dropout: float = 0.5

    def build(self, num_classes: int) -> Module:
        return alexnet_cifar(num_classes, self.dropout)


ALEXNET = AlexNetRecipe(
    model="alexnet-cifar",
    data="fashion-mnist",
    epochs=3,
    batch_size=128,
    learning_rate=0.03,
    weight_decay=5e-4,
    schedule="one-cycle",
    shift=4,
    flip=True,
)
RECIPES = (ALEXNET,)
