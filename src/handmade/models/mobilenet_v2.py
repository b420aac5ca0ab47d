"""MobileNetV2: convolutions cheap enough for a phone, in blocks that are narrow at both ends and wide in the middle.

    Sandler, Howard, Zhu, Zhmoginov & Chen, "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (2018); sections
    and tables are this paper's.

    N 3 224 224  --3x3 /2-->  32 112 112  --block-->  16 112 112  --2 blocks-->  24 56 56  --3-->  32 28 28
                 --4-->  64 14 14  --3-->  96 14 14  --3-->  160 7 7  --1-->  320 7 7  --1x1-->  1280 7 7
                 --mean-->  1280  --dropout, linear-->  1000

A block expands its C channels t times, filters each channel separately, and projects the result to few channels again:

    C H W  --1x1-->  tC H W  --3x3 depthwise /s-->  tC H/s W/s  --1x1-->  K H/s W/s      + x, where C = K and s = 1

A 3x3 convolution from C to K channels takes 9 C K multiplications per pixel; a depthwise one (9 C) followed by a 1x1
(C K) nearly nine times fewer. Norm and ReLU6 = min(max(x, 0), 6) follow the first two convolutions, but only a norm
follows the last: a ReLU would lose information that the few channels hold (section 3.2). The shortcuts connect the
narrow ends, which saves memory: inverted residuals.

`width_mult` widens or narrows all layers (section 4.1); below 1 the last stays at 1280.

Differences of the published weights' networks from the paper's:
- The first block, whose t is 1, has no expanding convolution.
- Numbers of channels are rounded to multiples of 8, never down by more than a tenth, as in the authors' program.
- Dropout before the output, and the last convolution of table 2 is a linear layer.

`mobilenet_v2_cifar` is for images of 32x32: the first convolution and the first two blocks keep the size.
"""

from __future__ import annotations

from typing import Any

from jaxtyping import Float

from handmade.engine import Tensor
from handmade.models.card import Card, Cost, torchvision
from handmade.nn import BatchNorm2d, Conv2d, Dropout, Linear, Module, ReLU6, Sequential, init


def rounded(channels: float) -> int:
    """The nearest multiple of 8, but at least nine tenths of `channels`."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8


def convolution(in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, groups: int = 1) -> Sequential:
    """A convolution that keeps the size or divides it by its stride, a norm, and ReLU6."""
    padding = (kernel_size - 1) // 2
    conv = Conv2d(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=False)
    return Sequential(conv, BatchNorm2d(out_channels), ReLU6())


class InvertedResidual(Module):
    """The block.

    Args:
        in_channels: C.
        out_channels: K.
        stride: s.
        expansion: t.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = in_channels * expansion
        widening = (convolution(in_channels, wide, 1),) if expansion != 1 else ()
        self.conv = Sequential(
            *widening,
            convolution(wide, wide, 3, stride, groups=wide),
            Conv2d(wide, out_channels, 1, bias=False),
            BatchNorm2d(out_channels),
        )
        self.shortcut = stride == 1 and in_channels == out_channels

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N K OH OW"]:
        return x + self.conv(x) if self.shortcut else self.conv(x)


# Table 2: t, the channels, how many blocks, and the stride of the first.
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


class MobileNetV2(Module):
    """For images of 224x224 and, by the mean at the end, of other sizes.

    Args:
        num_classes: number of scores.
        width_mult: what the numbers of channels are multiplied by.
        dropout: the probability of dropping an input of the last layer.
        strides: of the first convolution and of the seven stages; those of table 2 if not given.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        width_mult: float = 1.0,
        dropout: float = 0.2,
        strides: tuple[int, ...] = (2, *(stride for *_, stride in STAGES)),
    ) -> None:
        super().__init__()
        channels, last = rounded(32 * width_mult), rounded(1280 * max(1.0, width_mult))
        layers: list[Module] = [convolution(3, channels, 3, strides[0])]
        for (expansion, width, blocks, _), stride in zip(STAGES, strides[1:], strict=True):
            for number in range(blocks):
                out_channels = rounded(width * width_mult)
                layers.append(InvertedResidual(channels, out_channels, stride if number == 0 else 1, expansion))
                channels = out_channels
        self.features = Sequential(*layers, convolution(channels, last, 1))
        self.classifier = Sequential(Dropout(dropout), Linear(last, num_classes))
        self.apply(initialise)

    def forward(self, x: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N K"]:
        """Images to raw scores, one for each class."""
        return self.classifier(self.features(x).mean((2, 3)))


def initialise(module: Module) -> None:
    """Convolutions by He et al. 2015, after the number of outputs; scores start small."""
    if isinstance(module, Conv2d):
        init.kaiming_normal_(module.weight, mode="fan_out")
    elif isinstance(module, Linear):
        init.normal_(module.weight, std=0.01)
        assert module.bias is not None
        init.zeros_(module.bias)


def mobilenet_v2(**options: Any) -> MobileNetV2:
    """The options are the arguments of MobileNetV2."""
    return MobileNetV2(**options)


def mobilenet_v2_cifar(num_classes: int = 10, width_mult: float = 1.0, dropout: float = 0.2) -> MobileNetV2:
    return MobileNetV2(num_classes, width_mult, dropout, strides=(1, 1, 1, 2, 2, 1, 2, 1))


PAPER = (2018, "Sandler, Howard, Zhu, Zhmoginov & Chen: MobileNetV2: Inverted Residuals and Linear Bottlenecks")
CARDS = (
    Card(
        "mobilenet_v2",
        mobilenet_v2,
        *PAPER,
        3_504_872,
        (3, 224, 224),
        "28.0 % top-1 on ImageNet (one crop)",
        source="table 4",
        cost=Cost(300_774_272, 19_680_680, 491),
        classes="imagenet",
        resize=256,
        published=torchvision("mobilenet_v2-b0353104.pth", 71.878, 90.286),
    ),
    Card(
        "mobilenet_v2-cifar",
        mobilenet_v2_cifar,
        *PAPER,
        2_236_682,
        (3, 32, 32),
        cost=Cost(87_976_448, 4_854_026, 127),
        classes="cifar10",
        resize=32,
        recipe="mobilenet_v2",
    ),
)
