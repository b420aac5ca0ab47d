"""ResNets for small images: 20 to 110 layers, of which two are enough to see what shortcuts are good for.

    He, Zhang, Ren & Sun, "Deep Residual Learning for Image Recognition" (2015), section 4.2.

    N 3 32 32  --conv1 3x3-->  16 32 32  --layer1-->  16 32 32  --layer2-->  32 16 16  --layer3-->  64 8 8
               --mean-->  64  --linear-->  10

A layer is a stage of n basic blocks (see resnet.py), which makes 6n + 2 layers with weights. The shortcuts are of
option A, so that a plain network (`skip=False`) has exactly the same parameters: plain56 trains worse than plain20,
and resnet56 better than resnet20 (figure 6).

Differences of the published weights' networks from the paper's:
- Option A puts half of the zero channels before the others and half behind. The paper does not say where they go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jaxtyping import Float

from handmade.engine import Tensor
from handmade.models.entry import Entry
from handmade.models.resnet import BLOCKS, check, conv3x3, initialise, stage
from handmade.nn import AdaptiveAvgPool2d, BatchNorm2d, Linear, Module, ReLU


class CifarResNet(Module):
    """6n + 2 layers, for images of 32x32 and, by the mean at the end, of other sizes.

    Args:
        depth: 20, 32, 44, 56 or 110 in the paper; any 6n + 2.
        num_classes: number of scores.
        zero_init_residual, shortcut, skip, resnet_v2: as in `resnet.ResNet`.
    """

    def __init__(
        self,
        depth: int,
        num_classes: int = 10,
        zero_init_residual: bool = False,
        shortcut: str = "A",
        skip: bool = True,
        resnet_v2: bool = False,
    ) -> None:
        if depth < 8 or depth % 6 != 2:
            raise ValueError(f"depth is {depth}; expected 6n + 2, as 20, 32, 44, 56 or 110")
        check(zero_init_residual, shortcut, skip, resnet_v2)
        super().__init__()
        block, n = BLOCKS["basic", resnet_v2], (depth - 2) // 6
        self.conv1 = conv3x3(3, 16)
        self.bn1 = BatchNorm2d(16)
        self.relu = ReLU()
        self.layer1 = stage(block, n, 16, 16, 1, shortcut, skip)
        self.layer2 = stage(block, n, 16, 32, 2, shortcut, skip)
        self.layer3 = stage(block, n, 32, 64, 2, shortcut, skip)
        self.bn2 = BatchNorm2d(64) if resnet_v2 else None
        self.avgpool = AdaptiveAvgPool2d(1)
        self.linear = Linear(64, num_classes)
        initialise(self, zero_init_residual)
        if resnet_v2:
            self.layer1[0].bn1 = None

    def forward(self, x: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N K"]:
        """Images to raw scores, one for each class."""
        x = self.relu(self.bn1(self.conv1(x)))  # N 16 H W
        x = self.layer3(self.layer2(self.layer1(x)))  # N 64 H/4 W/4
        if self.bn2 is not None:
            x = self.relu(self.bn2(x))
        return self.linear(self.avgpool(x).flatten(1))


# --- builders: the options are the other arguments of CifarResNet ---------------------------------------------------


def resnet20(**options: Any) -> CifarResNet:
    return CifarResNet(20, **options)


def resnet32(**options: Any) -> CifarResNet:
    return CifarResNet(32, **options)


def resnet44(**options: Any) -> CifarResNet:
    return CifarResNet(44, **options)


def resnet56(**options: Any) -> CifarResNet:
    return CifarResNet(56, **options)


def resnet110(**options: Any) -> CifarResNet:
    return CifarResNet(110, **options)


_PAPER = "He, Zhang, Ren & Sun: Deep Residual Learning for Image Recognition"
_PAPER_V2 = "He, Zhang, Ren & Sun: Identity Mappings in Deep Residual Networks"
_PLAIN, _V2 = (("skip", False),), (("resnet_v2", True),)


def _entry(name: str, build: Callable[..., Module], parameters: int, error: str, *arguments: Any) -> Entry:
    return Entry(name, build, 2015, _PAPER, parameters, (3, 32, 32), error, *arguments)


ENTRIES = (
    _entry("resnet20", resnet20, 269_722, "8.75 % on CIFAR-10"),
    _entry("resnet32", resnet32, 464_154, "7.51 % on CIFAR-10"),
    _entry("resnet44", resnet44, 658_586, "7.17 % on CIFAR-10"),
    _entry("resnet56", resnet56, 853_018, "6.97 % on CIFAR-10"),
    _entry("resnet110", resnet110, 1_727_962, "6.43 % on CIFAR-10"),
    _entry("plain20", resnet20, 269_722, "CIFAR-10, a curve only (figure 6)", _PLAIN),
    _entry("plain32", resnet32, 464_154, "CIFAR-10, a curve only (figure 6)", _PLAIN),
    _entry("plain44", resnet44, 658_586, "CIFAR-10, a curve only (figure 6)", _PLAIN),
    _entry("plain56", resnet56, 853_018, "CIFAR-10, a curve only (figure 6)", _PLAIN),
    Entry("resnet110-v2", resnet110, 2016, _PAPER_V2, 1_727_962, (3, 32, 32), "6.37 % on CIFAR-10", _V2),
)
