"""ResNets for small images: 20 to 110 layers; two of these depths are enough to see what shortcuts are good for.

    He, Zhang, Ren & Sun, "Deep Residual Learning for Image Recognition" (2015), section 4.2.

    N 3 32 32  --conv1 3x3-->  16 32 32  --layer1-->  16 32 32  --layer2-->  32 16 16  --layer3-->  64 8 8
               --mean-->  64  --linear-->  10

A layer is a stage of n basic blocks (see resnet.py), which makes 6n + 2 layers with weights. The shortcuts are of
option A, so that a plain network (`skip=False`) has exactly the same parameters: plain56 trains worse than plain20,
and resnet56 better than resnet20 (figure 6).

Differences of the published weights' networks from the paper's:
- Option A puts half of the zero channels before the others and half after. The paper does not say where they go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jaxtyping import Float

from handmade.engine import Tensor
from handmade.models.card import Card, Cost, Published
from handmade.models.resnet import BLOCKS, PAPER, PAPER_V2, PLAIN, V2, check, conv3x3, initialise, stage
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


def _card(
    name: str, build: Callable[..., Module], parameters: int, error: str, source: str, cost: Cost, **more: Any
) -> Card:
    more |= {"recipe": "resnet", "classes": "cifar10", "resize": 32}
    return Card(name, build, *PAPER, parameters, (3, 32, 32), error, source=source, cost=cost, **more)


CURVE = "CIFAR-10, a curve only"
AKAMASTER = Published(  # Yerlan Idelbayev's, github.com/akamaster
    url="https://github.com/akamaster/pytorch_resnet_cifar10/raw/master/pretrained_models/resnet20-12fca82f.th",
    sha256="12fca82f0bebc4135bf1f32f6e3710e61d5108578464b84fd6d7f5c1b04036c8",
    licence="BSD-2-Clause",
    top_1=91.73,
)
CARDS = (
    _card(
        "resnet20",
        resnet20,
        269_722,
        "8.75 % on CIFAR-10",
        "table 6",
        Cost(40_551_040, 663_626, 81),
        published=AKAMASTER,
    ),
    _card("resnet32", resnet32, 464_154, "7.51 % on CIFAR-10", "table 6", Cost(68_862_592, 1_065_034, 137)),
    _card("resnet44", resnet44, 658_586, "7.17 % on CIFAR-10", "table 6", Cost(97_174_144, 1_466_442, 193)),
    _card("resnet56", resnet56, 853_018, "6.97 % on CIFAR-10", "table 6", Cost(125_485_696, 1_867_850, 249)),
    _card(
        "resnet110",
        resnet110,
        1_727_962,
        "6.43 % on CIFAR-10",
        "table 6, the best of five",
        Cost(252_887_680, 3_674_186, 501),
    ),
    _card("plain20", resnet20, 269_722, CURVE, "figure 6", Cost(40_551_040, 565_322, 81), arguments=PLAIN),
    _card("plain32", resnet32, 464_154, CURVE, "figure 6", Cost(68_862_592, 909_386, 137), arguments=PLAIN),
    _card("plain44", resnet44, 658_586, CURVE, "figure 6", Cost(97_174_144, 1_253_450, 193), arguments=PLAIN),
    _card("plain56", resnet56, 853_018, CURVE, "figure 6", Cost(125_485_696, 1_597_514, 249), arguments=PLAIN),
    Card(
        "resnet110-v2",
        resnet110,
        *PAPER_V2,
        1_727_962,
        (3, 32, 32),
        "6.37 % on CIFAR-10",
        V2,
        source="table 2, full pre-activation",
        cost=Cost(252_887_680, 3_674_186, 501),
        classes="cifar10",
        resize=32,
    ),
)
