"""Inception v3: large kernels factorised into small and asymmetric ones.

    Szegedy, Vanhoucke, Ioffe, Shlens & Wojna, "Rethinking the Inception Architecture for Computer Vision" (2015),
    table 1 and figures 5, 6, 7 and 10.

    N 3 299 299  --3x3 /2-->  32 149 149  --3x3-->  32 147 147  --3x3-->  64 147 147  --pool-->  64 73 73
                 --1x1-->  80 73 73  --3x3-->  192 71 71  --pool-->  192 35 35
                 --5b 5c 5d (A)-->  288 35 35  --6a (B)-->  768 17 17  --6b 6c 6d 6e (C)-->  768 17 17
                 --7a (D)-->  1280 8 8  --7b 7c (E)-->  2048 8 8  --mean-->  2048  --dropout, fc-->  1000

Two 3x3 have the receptive field of one 5x5, at 18/25 of the cost; 1x7 and 7x1 that of a 7x7, at 14/49 (section 3).
The blocks:

    A: branches of 1x1; 1x1, 5x5; 1x1, 3x3, 3x3; pool, 1x1          C: the same with 1x7 and 7x1
    B, D: halve the image, by strides in two branches and a pool    E: the last kernels in parallel, 1x3 and 3x1

In training, an auxiliary classifier reads the output of 6e; its loss counts 0.4 (as in the authors' TensorFlow code).
Parameters: 27,161,264, and 23,834,568 without the auxiliary classifier.

Differences of the published weights' network, the only one here, from the paper's:
- The second half of the stem: in table 1 3x3 to 80, 3x3 /2 to 192 and 3x3 to 288 instead of 1x1, 3x3 and a pool.
- A has a 5x5 in its second branch; in figure 5 a 3x3.
- The auxiliary classifier's fully connected layer has no batch normalisation; the paper's has (section 6).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from jaxtyping import Float, Int

from handmade.engine import Tensor
from handmade.engine.functions import cat
from handmade.models.card import Card, Cost, torchvision
from handmade.models.googlenet import BasicConv2d, from_imagenet_statistics
from handmade.nn import AdaptiveAvgPool2d, Conv2d, Dropout, Linear, MaxPool2d, Module, init
from handmade.nn import functional as F


class InceptionA(Module):
    """On 35x35: in_channels -> 64 + 64 + 96 + pool_features (figure 5)."""

    def __init__(self, in_channels: int, pool_features: int) -> None:
        super().__init__()
        self.branch1x1 = BasicConv2d(in_channels, 64, 1)
        self.branch5x5_1 = BasicConv2d(in_channels, 48, 1)
        self.branch5x5_2 = BasicConv2d(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = BasicConv2d(in_channels, 64, 1)
        self.branch3x3dbl_2 = BasicConv2d(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = BasicConv2d(96, 96, 3, padding=1)
        self.branch_pool = BasicConv2d(in_channels, pool_features, 1)

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N K H W"]:
        return cat(
            [
                self.branch1x1(x),
                self.branch5x5_2(self.branch5x5_1(x)),
                self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x))),
                self.branch_pool(F.avg_pool2d(x, 3, stride=1, padding=1)),
            ],
            1,
        )


class InceptionB(Module):
    """35x35 to 17x17: 288 -> 384 + 96 + 288 (figure 10)."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.branch3x3 = BasicConv2d(in_channels, 384, 3, stride=2)
        self.branch3x3dbl_1 = BasicConv2d(in_channels, 64, 1)
        self.branch3x3dbl_2 = BasicConv2d(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = BasicConv2d(96, 96, 3, stride=2)

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N K OH OW"]:
        return cat(
            [
                self.branch3x3(x),
                self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x))),
                F.max_pool2d(x, 3, stride=2),
            ],
            1,
        )


class InceptionC(Module):
    """On 17x17: 768 -> 4 x 192, with `channels_7x7` in between (figure 6)."""

    def __init__(self, in_channels: int, channels_7x7: int) -> None:
        super().__init__()
        c = channels_7x7
        self.branch1x1 = BasicConv2d(in_channels, 192, 1)
        self.branch7x7_1 = BasicConv2d(in_channels, c, 1)
        self.branch7x7_2 = BasicConv2d(c, c, (1, 7), padding=(0, 3))
        self.branch7x7_3 = BasicConv2d(c, 192, (7, 1), padding=(3, 0))
        self.branch7x7dbl_1 = BasicConv2d(in_channels, c, 1)
        self.branch7x7dbl_2 = BasicConv2d(c, c, (7, 1), padding=(3, 0))
        self.branch7x7dbl_3 = BasicConv2d(c, c, (1, 7), padding=(0, 3))
        self.branch7x7dbl_4 = BasicConv2d(c, c, (7, 1), padding=(3, 0))
        self.branch7x7dbl_5 = BasicConv2d(c, 192, (1, 7), padding=(0, 3))
        self.branch_pool = BasicConv2d(in_channels, 192, 1)

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N K H W"]:
        twice = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        return cat(
            [
                self.branch1x1(x),
                self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x))),
                self.branch7x7dbl_5(self.branch7x7dbl_4(twice)),
                self.branch_pool(F.avg_pool2d(x, 3, stride=1, padding=1)),
            ],
            1,
        )


class InceptionD(Module):
    """17x17 to 8x8: 768 -> 320 + 192 + 768."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.branch3x3_1 = BasicConv2d(in_channels, 192, 1)
        self.branch3x3_2 = BasicConv2d(192, 320, 3, stride=2)
        self.branch7x7x3_1 = BasicConv2d(in_channels, 192, 1)
        self.branch7x7x3_2 = BasicConv2d(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = BasicConv2d(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = BasicConv2d(192, 192, 3, stride=2)

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N K OH OW"]:
        flat = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x)))
        return cat(
            [self.branch3x3_2(self.branch3x3_1(x)), self.branch7x7x3_4(flat), F.max_pool2d(x, 3, stride=2)],
            1,
        )


class InceptionE(Module):
    """On 8x8: in_channels -> 320 + 2 x 384 + 2 x 384 + 192 (figure 7)."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.branch1x1 = BasicConv2d(in_channels, 320, 1)
        self.branch3x3_1 = BasicConv2d(in_channels, 384, 1)
        self.branch3x3_2a = BasicConv2d(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = BasicConv2d(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = BasicConv2d(in_channels, 448, 1)
        self.branch3x3dbl_2 = BasicConv2d(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = BasicConv2d(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = BasicConv2d(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = BasicConv2d(in_channels, 192, 1)

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N K H W"]:
        once = self.branch3x3_1(x)
        twice = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        return cat(
            [
                self.branch1x1(x),
                self.branch3x3_2a(once),
                self.branch3x3_2b(once),
                self.branch3x3dbl_3a(twice),
                self.branch3x3dbl_3b(twice),
                self.branch_pool(F.avg_pool2d(x, 3, stride=1, padding=1)),
            ],
            1,
        )


class InceptionAux(Module):
    """A small classifier on the 17x17 maps (figure 8)."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.conv0 = BasicConv2d(in_channels, 128, 1)
        self.conv1 = BasicConv2d(128, 768, 5)
        self.fc = Linear(768, num_classes)

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N K"]:
        x = F.avg_pool2d(x, 5, stride=3)  # N 768 5 5
        x = self.conv1(self.conv0(x))  # N 768 1 1
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


class InceptionOutputs(NamedTuple):
    """The raw scores in training: of the network, and of the small classifier."""

    logits: Tensor
    aux_logits: Tensor


class InceptionV3(Module):
    """Inception v3, for images of 299x299.

    Args:
        num_classes: number of scores.
        aux_logits: whether it has the small classifier.
        transform_input: images come normalised by ImageNet's mean and deviation and are brought to -1 ... 1, for which
            the published weights are made.
        init_weights: False leaves PyTorch's initial weights (and saves the time where others are loaded).
        dropout: before fc, in training.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        aux_logits: bool = True,
        transform_input: bool = False,
        init_weights: bool = True,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.aux_logits = aux_logits
        self.transform_input = transform_input
        self.Conv2d_1a_3x3 = BasicConv2d(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = BasicConv2d(32, 32, 3)
        self.Conv2d_2b_3x3 = BasicConv2d(32, 64, 3, padding=1)
        self.maxpool1 = MaxPool2d(3, stride=2)
        self.Conv2d_3b_1x1 = BasicConv2d(64, 80, 1)
        self.Conv2d_4a_3x3 = BasicConv2d(80, 192, 3)
        self.maxpool2 = MaxPool2d(3, stride=2)
        self.Mixed_5b = InceptionA(192, pool_features=32)
        self.Mixed_5c = InceptionA(256, pool_features=64)
        self.Mixed_5d = InceptionA(288, pool_features=64)
        self.Mixed_6a = InceptionB(288)
        self.Mixed_6b = InceptionC(768, channels_7x7=128)
        self.Mixed_6c = InceptionC(768, channels_7x7=160)
        self.Mixed_6d = InceptionC(768, channels_7x7=160)
        self.Mixed_6e = InceptionC(768, channels_7x7=192)
        self.AuxLogits = InceptionAux(768, num_classes) if aux_logits else None
        self.Mixed_7a = InceptionD(768)
        self.Mixed_7b = InceptionE(1280)
        self.Mixed_7c = InceptionE(2048)
        self.avgpool = AdaptiveAvgPool2d(1)
        self.dropout = Dropout(dropout)
        self.fc = Linear(2048, num_classes)
        if init_weights:
            self._initialise()

    def _initialise(self) -> None:
        """Normal of deviation 0.1, which the norms even out; less in the small classifier."""
        for module in self.modules():
            if isinstance(module, Conv2d | Linear):
                init.trunc_normal_(module.weight, std=0.1)
        if self.AuxLogits is not None:
            init.trunc_normal_(self.AuxLogits.conv1.conv.weight, std=0.01)
            init.trunc_normal_(self.AuxLogits.fc.weight, std=0.001)

    def forward(self, x: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N K"] | InceptionOutputs:
        """Images to raw scores; in training, where there is a small classifier, to its scores as well."""
        x = from_imagenet_statistics(x) if self.transform_input else x
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))  # N 64 147 147
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(self.maxpool1(x)))  # N 192 71 71
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(self.maxpool2(x))))  # N 288 35 35
        x = self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))  # N 768 17 17
        x = after_6e = self.Mixed_6e(self.Mixed_6d(x))  # N 768 17 17
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))  # N 2048 8 8
        logits = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        if self.training and self.AuxLogits is not None:
            return InceptionOutputs(logits, self.AuxLogits(after_6e))
        return logits

    def loss(self, outputs: Tensor | InceptionOutputs, labels: Int[Tensor, " N"]) -> Float[Tensor, ""]:
        """Cross-entropy of what `forward` returned, plus 0.4 times the small classifier's in training.

        The scores' targets are smoothed: 0.9 for the right class and 0.1 over all (section 7).
        """
        if isinstance(outputs, Tensor):
            return F.cross_entropy(outputs, labels, label_smoothing=0.1)
        main, aux = (F.cross_entropy(logits, labels, label_smoothing=0.1) for logits in outputs)
        return main + 0.4 * aux


def inception_v3(**options: Any) -> InceptionV3:
    """Inception v3; options as InceptionV3's."""
    return InceptionV3(**options)


CARDS = (
    Card(
        "inception_v3",
        inception_v3,
        2015,
        "Szegedy, Vanhoucke, Ioffe, Shlens & Wojna: Rethinking the Inception Architecture for Computer Vision",
        27_161_264,  # of training, with the small classifier
        (3, 299, 299),
        "21.2 % top-1, 5.6 % top-5 on ImageNet (one crop)",
        source="table 3, with a normalised small classifier",
        cost=Cost(5_713_216_096, 32_089_576, 2_175),
        classes="imagenet",
        resize=342,
        published=torchvision("inception_v3_google-0cc3c7bd.pth", 77.294, 93.450, transform_input=True),
    ),
)
