"""AlexNet, VGG and GoogLeNet for images of 32x32, such as CIFAR-10's.

ImageNet's networks halve an image of 224 five times, two or three of them in their first layers. At 32 that leaves
almost no pixels. Here each network keeps the idea and the widths of its paper, and begins without the strides:

    alexnet_cifar    32 --pool--> 15 --pool--> 7 --pool--> 3, 3x3 kernels only, fully connected layers of 1024
    vgg11_cifar      32 --pool--> 16 --> 8 --> 4 --> 2 --> 1, batch normalisation, one fully connected layer
    googlenet_cifar  32 --pool--> 16 --> 8 (3a) --> 4 (4a) --> 2 (5a), a first kernel of 3x3

These variants are not in the papers, but they are common. Those of ResNet are in its paper: see resnet_cifar.py.
"""

from __future__ import annotations

from typing import Any

from jaxtyping import Float

from handmade.engine import Tensor
from handmade.models.alexnet import PAPER as ALEXNET
from handmade.models.card import Card, Cost
from handmade.models.googlenet import PAPER as GOOGLENET
from handmade.models.googlenet import BasicConv2d, GoogLeNet
from handmade.models.vgg import PAPER as VGG
from handmade.models.vgg import convolutions, initialise
from handmade.nn import Conv2d, Dropout, Linear, MaxPool2d, Module, ReLU, Sequential, init


class CifarAlexNet(Module):
    """The published AlexNet's widths in front of the fully connected layers, and the paper's overlapping pools.

    Initial weights are normal with variance 1 / fan-in: the maxima of the pools make up for what the ReLUs remove. From
    the paper's initial weights it takes long to start learning, since no norms follow the convolutions.
    """

    def __init__(self, num_classes: int = 10, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = Sequential(
            Conv2d(3, 64, 3, padding=1),  # N 64 32 32
            ReLU(),
            MaxPool2d(3, stride=2),  # N 64 15 15
            Conv2d(64, 192, 3, padding=1),
            ReLU(),
            MaxPool2d(3, stride=2),  # N 192 7 7
            Conv2d(192, 384, 3, padding=1),
            ReLU(),
            Conv2d(384, 256, 3, padding=1),
            ReLU(),
            Conv2d(256, 256, 3, padding=1),
            ReLU(),
            MaxPool2d(3, stride=2),  # N 256 3 3
        )
        self.classifier = Sequential(
            Dropout(dropout),
            Linear(256 * 3 * 3, 1024),
            ReLU(),
            Dropout(dropout),
            Linear(1024, 1024),
            ReLU(),
            Linear(1024, num_classes),
        )
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.kaiming_normal_(parameter, nonlinearity="linear")
            else:
                init.zeros_(parameter)

    def forward(self, x: Float[Tensor, "N 3 32 32"]) -> Float[Tensor, "N K"]:
        """Images to raw scores, one for each class."""
        return self.classifier(self.features(x).flatten(1))


class CifarVGG(Module):
    """The convolutions of a column of table 1, each with a norm; their five pools leave 512 maps of one pixel."""

    def __init__(self, configuration: str, num_classes: int = 10, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = convolutions(configuration, batch_norm=True)
        self.dropout = Dropout(dropout)
        self.classifier = Linear(512, num_classes)
        self.apply(initialise)

    def forward(self, x: Float[Tensor, "N 3 32 32"]) -> Float[Tensor, "N K"]:
        """Images to raw scores, one for each class."""
        return self.classifier(self.dropout(self.features(x).flatten(1)))


class CifarGoogLeNet(GoogLeNet):
    """The published GoogLeNet with a first convolution of 3x3 without a stride: all maps are 32/224 of its size."""

    def __init__(self, num_classes: int = 10, aux_logits: bool = False, dropout: float = 0.2) -> None:
        super().__init__(num_classes, aux_logits, dropout=dropout)
        self.conv1 = BasicConv2d(3, 64, 3, padding=1)


# --- builders -------------------------------------------------------------------------------------------------------


def alexnet_cifar(num_classes: int = 10, dropout: float = 0.5) -> CifarAlexNet:
    return CifarAlexNet(num_classes, dropout)


def vgg11_cifar(num_classes: int = 10, dropout: float = 0.5) -> CifarVGG:
    """Configuration A."""
    return CifarVGG("A", num_classes, dropout)


def googlenet_cifar(num_classes: int = 10, aux_logits: bool = False, dropout: float = 0.2) -> CifarGoogLeNet:
    return CifarGoogLeNet(num_classes, aux_logits, dropout)


# The papers have no results for these forms.
CIFAR: dict[str, Any] = {"input_shape": (3, 32, 32), "classes": "cifar10", "resize": 32}
CARDS = (
    Card(
        "alexnet-cifar",
        alexnet_cifar,
        *ALEXNET,
        5_671_754,
        **CIFAR,
        cost=Cost(134_838_272, 335_498, 45),
        recipe="alexnet",
    ),
    Card("vgg11-cifar", vgg11_cifar, *VGG, 9_231_114, **CIFAR, cost=Cost(152_769_536, 485_898, 150), recipe="vgg"),
    Card(
        "googlenet-cifar",
        googlenet_cifar,
        *GOOGLENET,
        5_602_474,
        **CIFAR,
        cost=Cost(114_378_752, 1_007_690, 189),
        recipe="googlenet",
    ),
)
