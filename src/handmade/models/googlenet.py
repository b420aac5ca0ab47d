"""GoogLeNet, the first Inception: several kernel sizes side by side, made cheap by 1x1 convolutions.

    Szegedy et al., "Going Deeper with Convolutions" (2014), table 1 and figures 2b and 3.

    N 3 224 224  --conv1 7x7 /2-->  64 112 112  --pool, norm-->  64 56 56
                 --conv2 1x1, conv3 3x3-->  192 56 56  --norm, pool-->  192 28 28
                 --3a, 3b-->  480 28 28  --pool-->  480 14 14  --4a ... 4e-->  832 14 14  --pool-->  832 7 7
                 --5a, 5b-->  1024 7 7  --mean-->  1024  --dropout, fc-->  1000

An Inception block joins the channels of four branches:

    1x1            1x1, 3x3            1x1, 5x5            max pool 3x3, 1x1

The 1x1 before a larger kernel reduces the channels it has to process. A ReLU follows every convolution. All pools
except those in blocks have a stride of 2 and round up. In training, two auxiliary classifiers read the outputs of 4a
and 4d, so that the lower half gets gradients from nearby; their losses count 0.3 each.

`googlenet()` is the network of the published weights, `googlenet(paper=True)` that of the paper:

    parameters                  published        paper
    without the two classifiers  6,624,904    6,998,552
    with them                   13,004,888   13,378,280

Differences of the published network from the paper's:
- Batch normalisation after each convolution (whose bias it replaces), and no local response normalisation.
- The 5x5 kernels are 3x3, a mistake made when the weights were converted.
- The last pool is 2x2, not 3x3.
- The auxiliary classifiers see the means of 4x4 bins; in the paper means of 5x5 pixels every 3. Both give 4x4.
- Dropout before fc is 0.2; in the paper 0.4.
- Weights are initialised normally with deviation 0.01. The paper does not say how; here its form follows He et al.
  2015, without which a network of this depth does not start to learn unless it has batch normalisation.
- The paper gives no numbers for local response normalisation; here Caffe's: 5 maps, alpha 1e-4, beta 0.75.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from jaxtyping import Float, Int

from handmade.engine import Tensor
from handmade.engine.functions import cat
from handmade.models.card import Card, Cost, torchvision
from handmade.nn import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    Module,
    Sequential,
    init,
)
from handmade.nn import functional as F


class BasicConv2d(Module):
    """Convolution, batch normalisation, ReLU; the options are those of Conv2d."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int | tuple[int, int], **options: Any) -> None:
        super().__init__()
        self.conv = Conv2d(in_channels, out_channels, kernel_size, bias=False, **options)
        self.bn = BatchNorm2d(out_channels, eps=0.001)

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N K OH OW"]:
        return self.bn(self.conv(x)).relu()


class PaperConv2d(Conv2d):
    """Convolution with a bias, ReLU."""

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N K OH OW"]:
        return super().forward(x).relu()


class Inception(Module):
    """Four branches, side by side (figure 2b). The widths are a row of table 1, and `paper` is as in GoogLeNet."""

    def __init__(
        self,
        in_channels: int,
        ch1x1: int,
        ch3x3red: int,
        ch3x3: int,
        ch5x5red: int,
        ch5x5: int,
        pool_proj: int,
        paper: bool = False,
    ) -> None:
        super().__init__()
        conv, size = (PaperConv2d, 5) if paper else (BasicConv2d, 3)
        self.branch1 = conv(in_channels, ch1x1, 1)
        self.branch2 = Sequential(conv(in_channels, ch3x3red, 1), conv(ch3x3red, ch3x3, 3, padding=1))
        self.branch3 = Sequential(conv(in_channels, ch5x5red, 1), conv(ch5x5red, ch5x5, size, padding=size // 2))
        self.branch4 = Sequential(MaxPool2d(3, stride=1, padding=1), conv(in_channels, pool_proj, 1))

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N K H W"]:
        return cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


class InceptionAux(Module):
    """A small classifier on the maps half-way up (section 5)."""

    def __init__(self, in_channels: int, num_classes: int, dropout: float = 0.7, paper: bool = False) -> None:
        super().__init__()
        self.paper = paper
        self.conv = (PaperConv2d if paper else BasicConv2d)(in_channels, 128, 1)
        self.fc1 = Linear(128 * 4 * 4, 1024)
        self.fc2 = Linear(1024, num_classes)
        self.dropout = Dropout(dropout)

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N K"]:
        x = F.avg_pool2d(x, 5, stride=3) if self.paper else F.adaptive_avg_pool2d(x, (4, 4))
        x = self.conv(x).flatten(1)  # N 128*4*4
        return self.fc2(self.dropout(self.fc1(x).relu()))


class GoogLeNetOutputs(NamedTuple):
    """The raw scores in training: of the network, and of the classifiers after 4d and 4a."""

    logits: Tensor
    aux_logits2: Tensor
    aux_logits1: Tensor


class GoogLeNet(Module):
    """GoogLeNet, for images of 224x224.

    Args:
        num_classes: number of scores.
        aux_logits: whether it has the two small classifiers.
        transform_input: images come normalised by ImageNet's mean and deviation and are brought to -1 ... 1, for which
            the published weights are made.
        init_weights: False leaves PyTorch's initial weights (and saves the time where others are loaded).
        dropout: before fc, in training; if None 0.2, or 0.4 in the paper's.
        dropout_aux: in the small classifiers.
        paper: the network of the paper.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        aux_logits: bool = True,
        transform_input: bool = False,
        init_weights: bool = True,
        dropout: float | None = None,
        dropout_aux: float = 0.7,
        paper: bool = False,
    ) -> None:
        super().__init__()
        self.aux_logits = aux_logits
        self.transform_input = transform_input
        conv = PaperConv2d if paper else BasicConv2d
        self.conv1 = conv(3, 64, 7, stride=2, padding=3)
        self.maxpool1 = MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = conv(64, 64, 1)
        self.conv3 = conv(64, 192, 3, padding=1)
        self.maxpool2 = MaxPool2d(3, stride=2, ceil_mode=True)
        self.norm = LocalResponseNorm(5) if paper else None
        self.inception3a = Inception(192, 64, 96, 128, 16, 32, 32, paper)
        self.inception3b = Inception(256, 128, 128, 192, 32, 96, 64, paper)
        self.maxpool3 = MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception4a = Inception(480, 192, 96, 208, 16, 48, 64, paper)
        self.inception4b = Inception(512, 160, 112, 224, 24, 64, 64, paper)
        self.inception4c = Inception(512, 128, 128, 256, 24, 64, 64, paper)
        self.inception4d = Inception(512, 112, 144, 288, 32, 64, 64, paper)
        self.inception4e = Inception(528, 256, 160, 320, 32, 128, 128, paper)
        self.maxpool4 = MaxPool2d(3 if paper else 2, stride=2, ceil_mode=True)
        self.inception5a = Inception(832, 256, 160, 320, 32, 128, 128, paper)
        self.inception5b = Inception(832, 384, 192, 384, 48, 128, 128, paper)
        self.aux1 = InceptionAux(512, num_classes, dropout_aux, paper) if aux_logits else None
        self.aux2 = InceptionAux(528, num_classes, dropout_aux, paper) if aux_logits else None
        self.avgpool = AdaptiveAvgPool2d(1)
        self.dropout = Dropout((0.4 if paper else 0.2) if dropout is None else dropout)
        self.fc = Linear(1024, num_classes)
        if init_weights:
            self.apply(_initialise_paper if paper else _initialise)

    def forward(self, x: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N K"] | GoogLeNetOutputs:
        """Images to raw scores; in training, where there are small classifiers, to theirs as well."""
        x = from_imagenet_statistics(x) if self.transform_input else x
        x = self._stem(x)  # N 192 28 28
        x = self.maxpool3(self.inception3b(self.inception3a(x)))  # N 480 14 14
        x = after_4a = self.inception4a(x)  # N 512 14 14
        x = after_4d = self.inception4d(self.inception4c(self.inception4b(x)))  # N 528 14 14
        x = self.maxpool4(self.inception4e(x))  # N 832 7 7
        x = self.inception5b(self.inception5a(x))  # N 1024 7 7
        logits = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        if self.training and self.aux1 is not None and self.aux2 is not None:
            return GoogLeNetOutputs(logits, self.aux2(after_4d), self.aux1(after_4a))
        return logits

    def loss(self, outputs: Tensor | GoogLeNetOutputs, labels: Int[Tensor, " N"]) -> Float[Tensor, ""]:
        """Cross-entropy of what `forward` returned, and 0.3 times the small classifiers' (section 5) in training."""
        if isinstance(outputs, Tensor):
            return F.cross_entropy(outputs, labels)
        main, *aux = (F.cross_entropy(logits, labels) for logits in outputs)
        return main + 0.3 * (aux[0] + aux[1])

    def _stem(self, x: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N 192 OH OW"]:
        x = self.maxpool1(self.conv1(x))  # N 64 56 56
        if self.norm is None:
            return self.maxpool2(self.conv3(self.conv2(x)))
        return self.maxpool2(self.norm(self.conv3(self.conv2(self.norm(x)))))


def from_imagenet_statistics(x: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N 3 H W"]:
    """(pixel - mean) / std of ImageNet's colours, as (pixel - 0.5) / 0.5."""
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return cat([x[:, c : c + 1] * (std[c] / 0.5) + (mean[c] - 0.5) / 0.5 for c in range(3)], 1)


def _initialise(module: Module) -> None:
    if isinstance(module, Conv2d | Linear):
        init.trunc_normal_(module.weight, std=0.01)


def _initialise_paper(module: Module) -> None:
    if isinstance(module, Conv2d) and module.bias is not None:
        init.kaiming_normal_(module.weight, nonlinearity="relu")
        init.zeros_(module.bias)


def googlenet(**options: Any) -> GoogLeNet:
    """GoogLeNet as the published weights have it, or with `paper=True` as the paper; options as GoogLeNet's."""
    return GoogLeNet(**options)


PAPER = (2014, "Szegedy et al.: Going Deeper with Convolutions")
# The parameters are those of training, with the two small classifiers.
ERROR: dict[str, Any] = {
    "error": "10.07 % top-5 on ImageNet (one crop), 6.67 % (7 models, 144 crops)",
    "source": "table 3",
}
CARDS = (
    Card(
        "googlenet",
        googlenet,
        *PAPER,
        13_004_888,
        (3, 224, 224),
        **ERROR,
        cost=Cost(1_498_376_192, 12_333_560, 379),
        classes="imagenet",
        resize=256,
        published=torchvision("googlenet-1378be20.pth", 69.778, 89.530, transform_input=True),
    ),
    Card(
        "googlenet-paper",
        googlenet,
        *PAPER,
        13_378_280,
        (3, 224, 224),
        **ERROR,
        arguments=(("paper", True),),
        cost=Cost(1_582_671_872, 9_910_216, 715),
        classes="imagenet",
        resize=256,
    ),
)
