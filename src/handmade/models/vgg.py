"""VGG: depth from nothing but 3x3 convolutions.

    Simonyan & Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition" (2014), table 1.

    N 3 224 224  --3x3 ..., pool-->  64 112 112  --3x3 ..., pool-->  128 56 56  --3x3 ..., pool-->  256 28 28
                 --3x3 ..., pool-->  512 14 14   --3x3 ..., pool-->  512 7 7
                 --fc-->  4096  --fc-->  4096  --fc-->  1000

A ReLU follows every layer but the last; pools take the maximum of 2x2. Two 3x3 convolutions see 5x5 pixels, three see
7x7, with more ReLUs between and fewer weights than one large kernel (section 2.3). The configurations A, B, C, D and E
differ in how many of them follow each other; D and E are known as VGG-16 and VGG-19.

For testing, the paper converts the fully connected layers to convolutions, so that the network slides over images of
any size (section 3.2): `convolutional(model)`.

Differences of the published weights' networks from the paper's:
- The pooled maps are averaged to 7x7, which changes nothing at 224 and allows other sizes, in a different way from
  the paper's sliding.
- The initial weights are He et al.'s (2015) for convolutions and normal of deviation 0.01 for the others. In the paper
  all are of deviation 0.1 (a variance of 0.01), and deep networks start from the trained layers of A.
- `_bn`: batch normalisation after each convolution, which is younger than the paper.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jaxtyping import Float

from handmade.engine import Tensor
from handmade.models.card import Card, Cost, Published, torchvision
from handmade.nn import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Linear,
    MaxPool2d,
    Module,
    ReLU,
    Sequential,
    init,
)

# Table 1, from the image downwards: output channels of a convolution, 3x3 but for 1x1 where it says so; M is a pool.
CONFIGURATIONS = {
    "A": "64 M 128 M 256 256 M 512 512 M 512 512 M",
    "B": "64 64 M 128 128 M 256 256 M 512 512 M 512 512 M",
    "C": "64 64 M 128 128 M 256 256 1x1:256 M 512 512 1x1:512 M 512 512 1x1:512 M",
    "D": "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M",
    "E": "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512 512 512 512 M",
}


class VGG(Module):
    """A VGG, for images of 224x224 and, by the mean before the classifier, of other sizes (32 at least).

    Args:
        configuration: a column of table 1: "A", "B", "C", "D" or "E".
        batch_norm: a norm after each convolution.
        num_classes: number of scores.
        dropout: the probability of dropping an output of the first two fully connected layers.
        init_weights: False leaves PyTorch's initial weights (and saves the time where others are loaded).
    """

    def __init__(
        self,
        configuration: str,
        batch_norm: bool = False,
        num_classes: int = 1000,
        dropout: float = 0.5,
        init_weights: bool = True,
    ) -> None:
        super().__init__()
        self.features = convolutions(configuration, batch_norm)
        self.avgpool = AdaptiveAvgPool2d((7, 7))
        self.classifier = Sequential(
            Linear(512 * 7 * 7, 4096),
            ReLU(),
            Dropout(dropout),
            Linear(4096, 4096),
            ReLU(),
            Dropout(dropout),
            Linear(4096, num_classes),
        )
        if init_weights:
            self.apply(initialise)

    def forward(self, x: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N K"]:
        """Images to raw scores, one for each class."""
        x = self.features(x)  # N 512 H/32 W/32
        return self.classifier(self.avgpool(x).flatten(1))


def convolutions(configuration: str, batch_norm: bool) -> Sequential:
    """A column of table 1 down to its last pool: N 3 H W -> N 512 H/32 W/32."""
    layers: list[Module] = []
    channels = 3
    for item in CONFIGURATIONS[configuration].split():
        if item == "M":
            layers.append(MaxPool2d(2, stride=2))
            continue
        pointwise, width = item.startswith("1x1:"), int(item.removeprefix("1x1:"))
        layers.append(Conv2d(channels, width, 1) if pointwise else Conv2d(channels, width, 3, padding=1))
        layers += [BatchNorm2d(width), ReLU()] if batch_norm else [ReLU()]
        channels = width
    return Sequential(*layers)


def initialise(module: Module) -> None:
    """The initial weights of a layer, for `Module.apply`."""
    if isinstance(module, Conv2d):
        init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(module, Linear):
        init.normal_(module.weight, 0, 0.01)
    if isinstance(module, Conv2d | Linear) and module.bias is not None:
        init.zeros_(module.bias)


# --- any image size -------------------------------------------------------------------------------------------------


class ConvolutionalVGG(Module):
    """A VGG whose classifier is convolutions: 7x7, 1x1, 1x1. Images of any size, 224 at least, without a resize.

    At 224x224 it computes what the VGG computes. A larger image gives the scores of every 224x224 window, 32 pixels
    apart (but for the zeros around each window, which stand around the whole image here), and then their mean.
    """

    def __init__(self, features: Module, classifier: Sequential) -> None:
        super().__init__()
        self.features = features
        self.classifier = classifier

    def score_map(self, x: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N K OH OW"]:
        """The raw scores of each class at each place: OH = floor(H / 32) - 6."""
        return self.classifier(self.features(x))

    def forward(self, x: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N K"]:
        """Images to raw scores, the mean over all places."""
        return self.score_map(x).mean((2, 3))


def convolutional(model: VGG) -> ConvolutionalVGG:
    """A network of `model`'s weights that slides over images of any size (section 3.2, testing).

    The convolutions of `model` are shared, its fully connected layers are copied into the other form.
    """
    layers = [_as_convolution(layer) if isinstance(layer, Linear) else layer for layer in model.classifier]
    return ConvolutionalVGG(model.features, Sequential(*layers)).train(model.training)


def _as_convolution(linear: Linear) -> Conv2d:
    """A fully connected layer over 512 7 7, or 4096 1 1, as a kernel of that size."""
    size = 7 if linear.in_features == 512 * 7 * 7 else 1
    convolution = Conv2d(linear.in_features // size**2, linear.out_features, size)
    convolution.weight.data.copy_(linear.weight.data.reshape(convolution.weight.shape))
    if convolution.bias is not None and linear.bias is not None:
        convolution.bias.data.copy_(linear.bias.data)
    return convolution


# --- builders: the options are the other arguments of VGG -----------------------------------------------------------


def vgg11(**options: Any) -> VGG:
    """Configuration A."""
    return VGG("A", **options)


def vgg13(**options: Any) -> VGG:
    """Configuration B."""
    return VGG("B", **options)


def vgg16(**options: Any) -> VGG:
    """Configuration D."""
    return VGG("D", **options)


def vgg16_c(**options: Any) -> VGG:
    """Configuration C: of each three convolutions the last is 1x1."""
    return VGG("C", **options)


def vgg19(**options: Any) -> VGG:
    """Configuration E."""
    return VGG("E", **options)


def vgg11_bn(**options: Any) -> VGG:
    """Configuration A with batch normalisation."""
    return VGG("A", batch_norm=True, **options)


def vgg13_bn(**options: Any) -> VGG:
    """Configuration B with batch normalisation."""
    return VGG("B", batch_norm=True, **options)


def vgg16_bn(**options: Any) -> VGG:
    """Configuration D with batch normalisation."""
    return VGG("D", batch_norm=True, **options)


def vgg19_bn(**options: Any) -> VGG:
    """Configuration E with batch normalisation."""
    return VGG("E", batch_norm=True, **options)


PAPER = (2014, "Simonyan & Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition")


def _card(
    name: str, build: Callable[..., Module], parameters: int, cost: Cost, error: str, published: Published | None
) -> Card:
    stated = (f"{error} on ImageNet (one crop)", "table 3, smallest side 256") if error else ("", "")
    more: dict[str, Any] = {
        "source": stated[1],
        "cost": cost,
        "classes": "imagenet",
        "resize": 256,
        "published": published,
    }
    return Card(name, build, *PAPER, parameters, (3, 224, 224), stated[0], **more)


# The paper has no batch normalisation.
# fmt: off
CARDS = (
    _card("vgg11", vgg11, 132_863_336, Cost(7_609_090_048, 16_424_936, 150),
          "29.6 % top-1, 10.4 % top-5", torchvision("vgg11-8a719046.pth", 69.020, 88.628)),
    _card("vgg13", vgg13, 133_047_848, Cost(11_308_466_176, 26_058_728, 156),
          "28.7 % top-1, 9.9 % top-5", torchvision("vgg13-19584684.pth", 69.928, 89.246)),
    _card("vgg16-c", vgg16_c, 133_638_952, Cost(11_770_888_192, 28_667_880, 156),
          "28.1 % top-1, 9.4 % top-5", None),
    _card("vgg16", vgg16, 138_357_544, Cost(15_470_264_320, 28_667_880, 212),
          "27.0 % top-1, 8.8 % top-5", torchvision("vgg16-397923af.pth", 71.592, 90.382)),
    _card("vgg19", vgg19, 143_667_240, Cost(19_632_062_464, 31_277_032, 268),
          "27.3 % top-1, 9.0 % top-5", torchvision("vgg19-dcbb9e9d.pth", 72.376, 90.876)),
    _card("vgg11_bn", vgg11_bn, 132_868_840, Cost(7_609_090_048, 23_850_984, 150),
          "", torchvision("vgg11_bn-6002323d.pth", 70.370, 89.810)),
    _card("vgg13_bn", vgg13_bn, 133_053_736, Cost(11_308_466_176, 38_301_672, 156),
          "", torchvision("vgg13_bn-abd245e5.pth", 71.586, 90.374)),
    _card("vgg16_bn", vgg16_bn, 138_365_992, Cost(15_470_264_320, 42_215_400, 212),
          "", torchvision("vgg16_bn-6c64b313.pth", 73.360, 91.516)),
    _card("vgg19_bn", vgg19_bn, 143_678_248, Cost(19_632_062_464, 46_129_128, 268),
          "", torchvision("vgg19_bn-c79401a0.pth", 74.218, 91.842)),
)
# fmt: on
