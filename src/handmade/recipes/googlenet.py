"""GoogLeNet on small images, after Szegedy et al. 2014, section 6: momentum 0.9, dropout, two small classifiers.

The paper's rate falls by 4 % every 8 epochs, which in a short run is no change at all; 'polynomial' falls as far within
the run. The paper gives neither rate nor weight decay: they are those of Caffe's model, the rate for batch norms.
"""

from dataclasses import dataclass

from handmade.models import googlenet_cifar
from handmade.nn import Module
from handmade.tasks.images.task import ImageRecipe


@dataclass(frozen=True, kw_only=True)
class GoogLeNetRecipe(ImageRecipe):
    """aux_logits: train with the two small classifiers, whose losses count 0.3. dropout: before the last layer."""

    aux_logits: bool = True
    dropout: float = 0.4

    def build(self, num_classes: int) -> Module:
        return googlenet_cifar(num_classes, self.aux_logits, self.dropout)


GOOGLENET = GoogLeNetRecipe(
    model="googlenet-cifar",
    data="fashion-mnist",
    epochs=3,
    batch_size=128,
    learning_rate=0.05,
    weight_decay=2e-4,
    schedule="polynomial",
    shift=4,
    flip=True,
)
RECIPES = (GOOGLENET,)
