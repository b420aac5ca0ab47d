"""ResNets: networks that learn what to add to their input, and can therefore be deep.

    He, Zhang, Ren & Sun, "Deep Residual Learning for Image Recognition" (2015); sections and tables are this paper's.
    He, Zhang, Ren & Sun, "Identity Mappings in Deep Residual Networks" (2016), for `resnet_v2=True`.

    N 3 224 224  --conv1 7x7 /2-->  64 112 112  --max pool 3x3 /2-->  64 56 56
                 --layer1-->  64e 56 56  --layer2-->  128e 28 28  --layer3-->  256e 14 14  --layer4-->  512e 7 7
                 --mean-->  512e  --fc-->  1000

A layer is a stage of blocks, the first of which halves the image (not in layer1). A block adds F(x) to x; e, its
expansion, is 1 or 4:

    basic:         F = 3x3, norm, ReLU, 3x3, norm                        relu(F(x) + x)
    bottleneck:    F = 1x1, norm, ReLU, 3x3, norm, ReLU, 1x1, norm       relu(F(x) + x)

If a block changes the shape, x must change too. Option A takes every second pixel and adds channels of zeros, option
B projects x by a 1x1 convolution. `skip=False` leaves x out: the plain networks of figure 4.

`resnet_v2=True` has norm and ReLU before each convolution and nothing after the sum. The path from one sum to the next
is then an identity: the signal and its gradient pass unchanged through the whole network, and each block adds to them.

Differences of the published weights' networks from the paper's:
- The bottleneck halves the image in its 3x3 convolution. In the paper its first 1x1 does, which then ignores three of
  four pixels. (Known as version 1.5; half a percentage point better.)

The smaller networks of the same paper, for CIFAR-10, are in resnet_cifar.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jaxtyping import Float

from handmade.engine import Tensor
from handmade.models.card import Card, Cost, Published, torchvision
from handmade.nn import AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Linear, MaxPool2d, Module, ReLU, Sequential, init
from handmade.nn import functional as F


def conv3x3(in_channels: int, out_channels: int, stride: int = 1) -> Conv2d:
    """Without a bias: the norm that follows subtracts the mean, and any bias with it."""
    return Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)


def conv1x1(in_channels: int, out_channels: int, stride: int = 1) -> Conv2d:
    return Conv2d(in_channels, out_channels, 1, stride, bias=False)


# --- blocks ---------------------------------------------------------------------------------------------------------


class Block(Module):
    """F(x) + x. The four kinds below differ in F, and take the same arguments.

    Args:
        in_channels: of x.
        channels: of the 3x3 convolutions; the sum has `expansion` times as many.
        stride: 2 halves the image.
        downsample: gives x the shape of F(x); None if it has it already.
        skip: False leaves x out.
    """

    expansion = 1
    preactivated = False
    downsample: Module | None
    skip: bool

    def add(self, residual: Tensor, x: Tensor) -> Tensor:
        if not self.skip:
            return residual
        return residual + (x if self.downsample is None else self.downsample(x))


class BasicBlock(Block):
    """Two 3x3 convolutions (figure 5, left)."""

    def __init__(
        self, in_channels: int, channels: int, stride: int = 1, downsample: Module | None = None, skip: bool = True
    ) -> None:
        super().__init__()
        self.conv1 = conv3x3(in_channels, channels, stride)
        self.bn1 = BatchNorm2d(channels)
        self.relu = ReLU()
        self.conv2 = conv3x3(channels, channels)
        self.bn2 = BatchNorm2d(channels)
        self.downsample = downsample
        self.skip = skip

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N K OH OW"]:
        residual = self.relu(self.bn1(self.conv1(x)))
        residual = self.bn2(self.conv2(residual))
        return self.relu(self.add(residual, x))


class Bottleneck(Block):
    """A 3x3 convolution between two 1x1 that reduce and restore the channels, to make it cheap (figure 5, right)."""

    expansion = 4

    def __init__(
        self, in_channels: int, channels: int, stride: int = 1, downsample: Module | None = None, skip: bool = True
    ) -> None:
        super().__init__()
        self.conv1 = conv1x1(in_channels, channels)
        self.bn1 = BatchNorm2d(channels)
        self.conv2 = conv3x3(channels, channels, stride)
        self.bn2 = BatchNorm2d(channels)
        self.conv3 = conv1x1(channels, channels * self.expansion)
        self.bn3 = BatchNorm2d(channels * self.expansion)
        self.relu = ReLU()
        self.downsample = downsample
        self.skip = skip

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N K OH OW"]:
        residual = self.relu(self.bn1(self.conv1(x)))
        residual = self.relu(self.bn2(self.conv2(residual)))
        residual = self.bn3(self.conv3(residual))
        return self.relu(self.add(residual, x))


class BasicBlockV2(Block):
    """The basic block with norm and ReLU first (He et al. 2016, figure 1b).

    Where the shape changes, the activated x is added. bn1 is None in the network's first block, whose x the
    stem has activated already: there, too, the activated x is added (the paper's appendix).
    """

    preactivated = True
    bn1: BatchNorm2d | None

    def __init__(
        self, in_channels: int, channels: int, stride: int = 1, downsample: Module | None = None, skip: bool = True
    ) -> None:
        super().__init__()
        self.bn1 = BatchNorm2d(in_channels)
        self.conv1 = conv3x3(in_channels, channels, stride)
        self.bn2 = BatchNorm2d(channels)
        self.conv2 = conv3x3(channels, channels)
        self.relu = ReLU()
        self.downsample = downsample
        self.skip = skip

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N K OH OW"]:
        activated = x if self.bn1 is None else self.relu(self.bn1(x))
        residual = self.conv1(activated)
        residual = self.conv2(self.relu(self.bn2(residual)))
        return self.add(residual, x if self.downsample is None else activated)


class BottleneckV2(Block):
    """The bottleneck with norm and ReLU first; see BasicBlockV2."""

    expansion = 4
    preactivated = True
    bn1: BatchNorm2d | None

    def __init__(
        self, in_channels: int, channels: int, stride: int = 1, downsample: Module | None = None, skip: bool = True
    ) -> None:
        super().__init__()
        self.bn1 = BatchNorm2d(in_channels)
        self.conv1 = conv1x1(in_channels, channels)
        self.bn2 = BatchNorm2d(channels)
        self.conv2 = conv3x3(channels, channels, stride)
        self.bn3 = BatchNorm2d(channels)
        self.conv3 = conv1x1(channels, channels * self.expansion)
        self.relu = ReLU()
        self.downsample = downsample
        self.skip = skip

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N K OH OW"]:
        activated = x if self.bn1 is None else self.relu(self.bn1(x))
        residual = self.conv1(activated)
        residual = self.conv2(self.relu(self.bn2(residual)))
        residual = self.conv3(self.relu(self.bn3(residual)))
        return self.add(residual, x if self.downsample is None else activated)


class ZeroPadding(Module):
    """Option A: every `stride`-th pixel, and channels of zeros before and behind the given ones. Nothing is learned."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.before = (out_channels - in_channels) // 2
        self.behind = out_channels - in_channels - self.before

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N K OH OW"]:
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.before, self.behind))


AnyBlock = BasicBlock | Bottleneck | BasicBlockV2 | BottleneckV2


def stage(
    block: type[AnyBlock], blocks: int, in_channels: int, channels: int, stride: int, shortcut: str, skip: bool
) -> Sequential:
    """`blocks` blocks, the first of which takes `in_channels` and has the stride."""
    out_channels = channels * block.expansion
    downsample = None
    if skip and (stride != 1 or in_channels != out_channels):
        if shortcut == "A":
            downsample = ZeroPadding(in_channels, out_channels, stride)
        else:  # in v2 the block's own norms stand before it
            norm = () if block.preactivated else (BatchNorm2d(out_channels),)
            downsample = Sequential(conv1x1(in_channels, out_channels, stride), *norm)
    first = block(in_channels, channels, stride, downsample, skip)
    return Sequential(first, *(block(out_channels, channels, skip=skip) for _ in range(blocks - 1)))


# --- networks -------------------------------------------------------------------------------------------------------

# Table 1: the kind of block, and how many in layer1 to layer4.
STAGES = {
    18: ("basic", (2, 2, 2, 2)),
    34: ("basic", (3, 4, 6, 3)),
    50: ("bottleneck", (3, 4, 6, 3)),
    101: ("bottleneck", (3, 4, 23, 3)),
    152: ("bottleneck", (3, 8, 36, 3)),
}
BLOCKS: dict[tuple[str, bool], type[AnyBlock]] = {
    ("basic", False): BasicBlock,
    ("basic", True): BasicBlockV2,
    ("bottleneck", False): Bottleneck,
    ("bottleneck", True): BottleneckV2,
}


class ResNet(Module):
    """The networks for ImageNet, for images of 224x224 and, by the mean at the end, of other sizes.

    Args:
        depth: 18, 34, 50, 101 or 152 layers.
        num_classes: number of scores.
        zero_init_residual: the weight of F's last norm starts at zero, and F(x) + x as x (Goyal et al. 2017).
        shortcut: option "A", zeros for new channels, or "B", projections.
        skip: False for the plain network.
        resnet_v2: norm and ReLU before each convolution (He et al. 2016).
    """

    def __init__(
        self,
        depth: int,
        num_classes: int = 1000,
        zero_init_residual: bool = False,
        shortcut: str = "B",
        skip: bool = True,
        resnet_v2: bool = False,
    ) -> None:
        if depth not in STAGES:
            raise ValueError(f"depth is {depth}; expected 18, 34, 50, 101 or 152")
        check(zero_init_residual, shortcut, skip, resnet_v2)
        super().__init__()
        kind, (n1, n2, n3, n4) = STAGES[depth]
        block = BLOCKS[kind, resnet_v2]
        e = block.expansion
        self.conv1 = Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = BatchNorm2d(64)
        self.relu = ReLU()
        self.maxpool = MaxPool2d(3, stride=2, padding=1)
        self.layer1 = stage(block, n1, 64, 64, 1, shortcut, skip)
        self.layer2 = stage(block, n2, 64 * e, 128, 2, shortcut, skip)
        self.layer3 = stage(block, n3, 128 * e, 256, 2, shortcut, skip)
        self.layer4 = stage(block, n4, 256 * e, 512, 2, shortcut, skip)
        self.bn2 = BatchNorm2d(512 * e) if resnet_v2 else None
        self.avgpool = AdaptiveAvgPool2d(1)
        self.fc = Linear(512 * e, num_classes)
        if resnet_v2:
            self.layer1[0].bn1 = None
        initialise(self, zero_init_residual)

    def forward(self, x: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N K"]:
        """Images to raw scores, one for each class."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))  # N 64 H/4 W/4
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))  # N 512e H/32 W/32
        if self.bn2 is not None:
            x = self.relu(self.bn2(x))
        return self.fc(self.avgpool(x).flatten(1))


def check(zero_init_residual: bool, shortcut: str, skip: bool, resnet_v2: bool) -> None:
    if shortcut not in ("A", "B"):
        raise ValueError(f"shortcut is {shortcut!r}; expected 'A' (zeros for new channels) or 'B' (projections)")
    if zero_init_residual and (resnet_v2 or not skip):
        reason = "no norm ends the blocks of resnet_v2" if resnet_v2 else "without skip the output would be zero"
        raise ValueError(f"zero_init_residual=True: {reason}; leave it False")


def initialise(model: Module, zero_init_residual: bool) -> None:
    """Convolutions by He et al. 2015, after the number of outputs."""
    for module in model.modules():
        if isinstance(module, Conv2d):
            init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif zero_init_residual and isinstance(module, BasicBlock | Bottleneck):
            last = module.bn2 if isinstance(module, BasicBlock) else module.bn3
            for parameter in last.parameters():
                init.zeros_(parameter)


# --- builders: the options are the other arguments of ResNet --------------------------------------------------------


def resnet18(**options: Any) -> ResNet:
    return ResNet(18, **options)


def resnet34(**options: Any) -> ResNet:
    return ResNet(34, **options)


def resnet50(**options: Any) -> ResNet:
    return ResNet(50, **options)


def resnet101(**options: Any) -> ResNet:
    return ResNet(101, **options)


def resnet152(**options: Any) -> ResNet:
    return ResNet(152, **options)


PAPER = (2015, "He, Zhang, Ren & Sun: Deep Residual Learning for Image Recognition")
PAPER_V2 = (2016, "He, Zhang, Ren & Sun: Identity Mappings in Deep Residual Networks")
PLAIN, V2 = (("skip", False),), (("resnet_v2", True),)


def _card(
    name: str,
    build: Callable[..., Module],
    parameters: int,
    cost: Cost,
    error: str,
    source: str,
    published: Published | None = None,
    **more: Any,
) -> Card:
    error += " on ImageNet (10 crops)"
    more |= {"source": source, "cost": cost, "classes": "imagenet", "resize": 256, "published": published}
    return Card(name, build, *PAPER, parameters, (3, 224, 224), error, **more)


# fmt: off
CARDS = (
    _card("resnet18", resnet18, 11_689_512, Cost(1_814_073_344, 8_230_376, 435),
          "27.88 % top-1", "table 2, option A", torchvision("resnet18-f37072fd.pth", 69.758, 89.078)),
    _card("resnet34", resnet34, 21_797_672, Cost(3_663_761_408, 12_620_776, 899),
          "24.52 % top-1, 7.46 % top-5", "table 3, option B", torchvision("resnet34-b627a593.pth", 73.314, 91.420)),
    _card("resnet50", resnet50, 25_557_032, Cost(4_089_184_256, 37_559_784, 427),
          "22.85 % top-1, 6.71 % top-5", "table 3", torchvision("resnet50-0676ba61.pth", 76.130, 92.862)),
    _card("resnet101", resnet101, 44_549_160, Cost(7_801_405_440, 56_325_608, 971),
          "21.75 % top-1, 6.05 % top-5", "table 3", torchvision("resnet101-63fe2227.pth", 77.374, 93.546)),
    _card("resnet152", resnet152, 60_192_808, Cost(11_513_626_624, 79_506_920, 1_451),
          "21.43 % top-1, 5.71 % top-5", "table 3", torchvision("resnet152-394f9c45.pth", 78.312, 94.046)),
    _card("plain18", resnet18, 11_515_688, Cost(1_794_805_760, 7_126_504, 435),
          "27.94 % top-1", "table 2", arguments=PLAIN),
    _card("plain34", resnet34, 21_623_848, Cost(3_644_493_824, 10_889_704, 899),
          "28.54 % top-1", "table 2", arguments=PLAIN),
    Card("resnet152-v2", resnet152, *PAPER_V2, 60_185_128, (3, 224, 224),
         "21.1 % top-1, 5.5 % top-5 on ImageNet (one crop of 320)", V2, source="table 5",
         cost=Cost(11_513_626_624, 78_001_640, 1_451), classes="imagenet", resize=256),
)
# fmt: on
