"""AlexNet, the network whose results on ImageNet began the spread of deep learning.

    Krizhevsky, Sutskever & Hinton, "ImageNet Classification with Deep Convolutional Neural Networks" (2012),
    section 3.5 and figure 2.

    N 3 227 227  --conv1 11x11 /4-->  96 55 55  --norm, pool-->  96 27 27
                 --conv2 5x5, 2 groups-->  256 27 27  --norm, pool-->  256 13 13
                 --conv3 3x3-->  384 13 13  --conv4 3x3, 2 groups-->  384 13 13
                 --conv5 3x3, 2 groups-->  256 13 13  --pool-->  256 6 6
                 --fc6-->  4096  --fc7-->  4096  --fc8-->  1000

A ReLU follows every layer but the last. Pools take the maximum of 3x3 every 2 pixels, so that windows overlap. The two
groups are the halves that two GPUs computed: a map of conv2, conv4 and conv5 sees the maps of its own GPU only.

224 or 227? The paper says images of 224 and maps of 55, but a window of 11 every 4 pixels has (224 - 11) / 4 + 1 =
54.25 positions. The authors' program, cuda-convnet, rounds up: the last window reaches 3 pixels over the right and
lower edge, where it sees zeros. Images of 227 fit exactly, (227 - 11) / 4 + 1 = 55. The paper's form here takes both.

`alexnet()` is the network of the published weights, `alexnet(paper=True)` that of the paper.

Differences of the published network from the paper's:
- It is the single column of Krizhevsky, "One weird trick for parallelizing convolutional neural networks" (2014): no
  groups, and 64, 192, 384, 256, 256 maps instead of 96, 256, 384, 384, 256.
- Two zeros around the image: 55 = floor((224 + 4 - 11) / 4) + 1 windows, and the last row of zeros is not seen.
- No response normalisation.
- The pooled maps are averaged to 6x6, which changes nothing at 224 and allows other sizes.
- Dropout comes before fc6 and fc7; in the paper it acts on the outputs of fc6 and fc7.
- PyTorch's initialisation; in the paper it is normal, with biases of 1 where ReLUs should start with positive inputs.
"""

from __future__ import annotations

from jaxtyping import Float

from handmade.engine import Tensor
from handmade.models.card import Card, Cost, torchvision
from handmade.nn import (
    AdaptiveAvgPool2d,
    Conv2d,
    Dropout,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    Module,
    ReLU,
    Sequential,
    init,
)
from handmade.nn import functional as F


class AlexNet(Module):
    """The published network: 61,100,840 parameters, for images of 224x224 (63 at least).

    Args:
        num_classes: number of scores.
        dropout: the probability of dropping an input of fc6 and fc7.
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = Sequential(
            Conv2d(3, 64, 11, stride=4, padding=2),  # N 64 55 55
            ReLU(),
            MaxPool2d(3, stride=2),  # N 64 27 27
            Conv2d(64, 192, 5, padding=2),
            ReLU(),
            MaxPool2d(3, stride=2),  # N 192 13 13
            Conv2d(192, 384, 3, padding=1),
            ReLU(),
            Conv2d(384, 256, 3, padding=1),
            ReLU(),
            Conv2d(256, 256, 3, padding=1),
            ReLU(),
            MaxPool2d(3, stride=2),  # N 256 6 6
        )
        self.avgpool = AdaptiveAvgPool2d((6, 6))
        self.classifier = Sequential(
            Dropout(dropout),
            Linear(256 * 6 * 6, 4096),
            ReLU(),
            Dropout(dropout),
            Linear(4096, 4096),
            ReLU(),
            Linear(4096, num_classes),
        )

    def forward(self, x: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N K"]:
        """Images to raw scores, one for each class."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


class PaperAlexNet(Module):
    """The network of the paper: 60,965,224 parameters, for images of 227x227 or 224x224.

    Args:
        num_classes: number of scores.
        dropout: the probability of dropping an output of fc6 and fc7 (section 4.2).
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        self.conv1 = Conv2d(3, 96, 11, stride=4)
        self.conv2 = Conv2d(96, 256, 5, padding=2, groups=2)
        self.conv3 = Conv2d(256, 384, 3, padding=1)
        self.conv4 = Conv2d(384, 384, 3, padding=1, groups=2)
        self.conv5 = Conv2d(384, 256, 3, padding=1, groups=2)
        self.fc6 = Linear(256 * 6 * 6, 4096)
        self.fc7 = Linear(4096, 4096)
        self.fc8 = Linear(4096, num_classes)
        # x / (2 + 1e-4 sum x^2)^0.75 over 5 neighbouring maps (section 3.3); the layer divides alpha by 5
        self.norm = LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2)
        self.pool = MaxPool2d(3, stride=2)
        self.dropout = Dropout(dropout)
        self._initialise()

    def _initialise(self) -> None:
        """Weights from a normal distribution of deviation 0.01; biases 0, or 1 in five layers (section 5)."""
        for name, parameter in self.named_parameters():
            if name.endswith("weight"):
                init.normal_(parameter, 0, 0.01)
            else:
                layer = name.removesuffix(".bias")
                init.constant_(parameter, 1 if layer in ("conv2", "conv4", "conv5", "fc6", "fc7") else 0)

    def forward(self, x: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N K"]:
        """Images to raw scores, one for each class."""
        height, width = x.shape[2:]
        x = F.pad(x, (0, -(width - 11) % 4, 0, -(height - 11) % 4))  # the zeros that the last windows of conv1 see
        x = self.pool(self.norm(self.conv1(x).relu()))  # N 96 27 27
        x = self.pool(self.norm(self.conv2(x).relu()))  # N 256 13 13
        x = self.conv3(x).relu()  # N 384 13 13
        x = self.conv4(x).relu()  # N 384 13 13
        x = self.pool(self.conv5(x).relu())  # N 256 6 6
        x = self.dropout(self.fc6(x.flatten(1)).relu())
        x = self.dropout(self.fc7(x).relu())
        return self.fc8(x)


def alexnet(num_classes: int = 1000, dropout: float = 0.5, paper: bool = False) -> Module:
    """AlexNet as the published weights have it, or as the paper has it."""
    return (PaperAlexNet if paper else AlexNet)(num_classes, dropout)


PAPER = (2012, "Krizhevsky, Sutskever & Hinton: ImageNet Classification with Deep Convolutional Neural Networks")
CARDS = (
    Card(
        "alexnet",
        alexnet,
        2014,
        "Krizhevsky: One weird trick for parallelizing convolutional neural networks",
        61_100_840,
        (3, 224, 224),
        cost=Cost(714_188_480, 1_084_904, 195),
        classes="imagenet",
        resize=256,
        published=torchvision("alexnet-owt-7be5be79.pth", 56.522, 79.066),
    ),
    Card(
        "alexnet-paper",
        alexnet,
        *PAPER,
        60_965_224,
        (3, 227, 227),
        "40.7 % top-1, 18.2 % top-5 on ImageNet (10 crops)",
        (("paper", True),),
        source="table 2, 1 CNN",
        cost=Cost(724_406_816, 2_071_619, 195),
        classes="imagenet",
        resize=256,
    ),
)
