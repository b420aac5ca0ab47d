"""LeNet-5, the convolutional network that read cheques.

    LeCun, Bottou, Bengio & Haffner, "Gradient-Based Learning Applied to Document Recognition" (1998), section II.B.

    N 1 32 32  --C1 conv 5x5-->  6 28 28  --S2 halve-->  6 14 14  --C3 conv 5x5-->  16 10 10  --S4 halve-->  16 5 5
               --C5 conv 5x5-->  120 1 1  --F6 linear-->  84  --output-->  10

A 5x5 kernel without padding reduces height and width by 4; digits of 28x28 are padded to 32x32 so that a corner or the
end of a stroke can lie in the centre of C1's receptive field.

`lenet5()` is what is called LeNet-5 today, `lenet5(paper=True)` the network of the paper.

Differences of today's from the paper's:
- S2 and S4 take the mean; in the paper each map has a weight and a bias of its own, and a squashing function follows.
- C3's maps see all six of S2; in the paper they see 3, 4 or 6 of them (table I), which breaks their symmetry.
- The squashing function is tanh(a); in the paper 1.7159 tanh(2/3 a), which is +-1 at +-1 and steep there.
- The output is a linear layer under softmax and cross-entropy; in the paper a unit measures the squared distance of
  F6 to a fixed 7x12 drawing of its digit. (The drawings here are our own, after figure 3.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from handmade.engine import Tensor, creation
from handmade.engine.functions import cat
from handmade.models.card import Card, Cost
from handmade.nn import AvgPool2d, Conv2d, Linear, Module, Parameter, Tanh, init
from handmade.nn import functional as F


class LeNet5(Module):
    """Today's LeNet-5: 61,706 parameters.

    Args:
        num_classes: number of scores.
        in_channels: of the images; 1 is grey.
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 1) -> None:
        super().__init__()
        self.c1 = Conv2d(in_channels, 6, 5)
        self.c3 = Conv2d(6, 16, 5)
        self.c5 = Conv2d(16, 120, 5)
        self.f6 = Linear(120, 84)
        self.out = Linear(84, num_classes)
        self.pool = AvgPool2d(2)
        self.squash = Tanh()

    def forward(self, x: Float[Tensor, "N C 32 32"]) -> Float[Tensor, "N K"]:
        """Images to raw scores, one for each class."""
        x = self.pool(self.squash(self.c1(x)))  # N 6 14 14
        x = self.pool(self.squash(self.c3(x)))  # N 16 5 5
        x = self.squash(self.c5(x)).flatten(1)  # N 120
        return self.out(self.squash(self.f6(x)))


# --- the paper's ----------------------------------------------------------------------------------------------------

# Table I: the maps of S2 that each of C3's 16 maps sees. Three neighbours, four neighbours, two pairs, all.
CONNECTIONS = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)  # fmt: skip

# The target of each digit: 12 rows of 7 points, side by side from 0 to 9.
DRAWINGS = """
.......  .......  .......  .......  .......  .......  .......  .......  .......  .......
..###..  ...#...  ..###..  .#####.  ....##.  #######  ..####.  #######  ..###..  ..###..
.#...#.  ..##...  .#...#.  #.....#  ...#.#.  #......  .#.....  #.....#  .#...#.  .#...#.
#.....#  .#.#...  #.....#  ......#  ..#..#.  #......  #......  .....#.  #.....#  #.....#
#.....#  ...#...  ......#  ......#  .#...#.  #.####.  #......  .....#.  #.....#  #.....#
#.....#  ...#...  .....#.  ..####.  #....#.  ##....#  #.####.  ....#..  .#...#.  #.....#
#.....#  ...#...  ....#..  ......#  #######  ......#  ##....#  ....#..  ..###..  .#...##
#.....#  ...#...  ...#...  ......#  .....#.  ......#  #.....#  ...#...  .#...#.  ..###.#
#.....#  ...#...  ..#....  ......#  .....#.  ......#  #.....#  ...#...  #.....#  ......#
.#...#.  ...#...  .#.....  #.....#  .....#.  #....#.  .#...#.  ..#....  #.....#  .....#.
..###..  .#####.  #######  .#####.  .....#.  .####..  ..###..  ..#....  .#####.  .####..
.......  .......  .......  .......  .......  .......  .......  .......  .......  .......
"""


def squash(x: Tensor) -> Tensor:
    """1.7159 tanh(2/3 x) (appendix A): f(1) = 1, f(-1) = -1, and the curvature is greatest there."""
    return 1.7159 * (x * (2 / 3)).tanh()


class Subsample(Module):
    """S2, S4: the sum of each 2x2 window, times a weight, plus a bias, one of each for a map; then the squashing."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = Parameter(creation.full((channels,), 0.25))
        self.bias = Parameter(creation.zeros(channels))

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C H/2 W/2"]:
        total = 4 * F.avg_pool2d(x, 2)
        return squash(total * self.weight.reshape(-1, 1, 1) + self.bias.reshape(-1, 1, 1))


class PartialConv2d(Module):
    """C3: a convolution whose maps see some of the input's. It holds a 5x5 kernel for each of 60 connections."""

    place: Tensor

    def __init__(self, in_channels: int, connections: tuple[tuple[int, ...], ...], kernel_size: int) -> None:
        super().__init__()
        pairs = [(k, c) for k, seen in enumerate(connections) for c in seen]
        self.shape = (len(connections), in_channels, kernel_size, kernel_size)
        self.weight = Parameter(creation.empty(len(pairs), kernel_size * kernel_size))
        self.bias = Parameter(creation.zeros(len(connections)))
        # (K * C, connections): 1 where a connection's kernel stands in the full weight; all other kernels are zero.
        place = np.zeros((len(connections) * in_channels, len(pairs)), np.float32)
        place[[k * in_channels + c for k, c in pairs], range(len(pairs))] = 1
        self.register_buffer("place", creation.tensor(place), persistent=False)
        self.fan_in = [len(connections[k]) * kernel_size * kernel_size for k, _ in pairs]

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N K OH OW"]:
        return F.conv2d(x, (self.place @ self.weight).reshape(self.shape), self.bias)


class DistanceToDrawings(Module):
    """The output: y_i = sum_j (x_j - w_ij)^2 against fixed codes w (equation 7), as scores -y: larger is likelier."""

    codes: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("codes", creation.tensor(drawings()), persistent=False)

    def forward(self, x: Float[Tensor, "N 84"]) -> Float[Tensor, "N 10"]:
        # (x - w)^2 = x^2 - 2 x w + w^2, summed: one matrix product instead of an N 10 84 array
        codes = self.codes
        return 2 * (x @ codes.T) - (x * x).sum(1, keepdim=True) - (codes * codes).sum(1)


def drawings() -> np.ndarray:
    """(10, 84): the digits' drawings, +1 where a point is black and -1 where it is white."""
    rows = [line.split() for line in DRAWINGS.split("\n") if line]
    points = [[1.0 if point == "#" else -1.0 for row in rows for point in row[digit]] for digit in range(10)]
    return np.array(points, np.float32)


class PaperLeNet5(Module):
    """The network of the paper: 60,000 trainable parameters. It has ten classes, meant to be digits."""

    def __init__(self) -> None:
        super().__init__()
        self.c1 = Conv2d(1, 6, 5)
        self.s2 = Subsample(6)
        self.c3 = PartialConv2d(6, CONNECTIONS, 5)
        self.s4 = Subsample(16)
        self.c5 = Conv2d(16, 120, 5)
        self.f6 = Linear(120, 84)
        self.output = DistanceToDrawings()
        self._initialise()

    def _initialise(self) -> None:
        """Uniform between +-2.4 / fan-in (appendix A), so that the squashing starts where it is nearly linear."""
        for layer in (self.c1, self.c5, self.f6):
            init.uniform_(layer.weight, -2.4 / layer.weight[0].numel(), 2.4 / layer.weight[0].numel())
            assert layer.bias is not None
            init.zeros_(layer.bias)
        bound = creation.tensor([2.4 / n for n in self.c3.fan_in]).unsqueeze(1)
        init.uniform_(self.c3.weight, -1.0, 1.0)
        self.c3.weight.data.mul_(bound)

    def forward(self, x: Float[Tensor, "N 1 32 32"]) -> Float[Tensor, "N 10"]:
        """Images to scores: minus the squared distance to each digit's drawing."""
        x = self.s2(squash(self.c1(x)))  # N 6 14 14
        x = self.s4(squash(self.c3(x)))  # N 16 5 5
        x = squash(self.c5(x)).flatten(1)  # N 120
        return self.output(squash(self.f6(x)))

    def loss(self, scores: Float[Tensor, "N 10"], targets: Tensor, j: float = 10.0) -> Float[Tensor, ""]:
        """mean of y_D + log(e^-j + sum_i e^-y_i) (equation 9), y the distances and D the right class.

        With the scores -y this is cross-entropy against ten classes and one more, "none of them", of fixed score -j: it
        keeps wrong distances from growing without bound.
        """
        none = scores.new_full((len(scores), 1), -j)
        return F.cross_entropy(cat([scores, none], 1), targets)


def lenet5(num_classes: int = 10, paper: bool = False, in_channels: int = 1) -> Module:
    """LeNet-5 for 32x32 images: today's form, or the paper's, which has ten classes and grey images."""
    if not paper:
        return LeNet5(num_classes, in_channels)
    if (num_classes, in_channels) != (10, 1):
        raise ValueError(
            f"lenet5(paper=True) has ten classes, whose codes are drawings, and one channel; num_classes is "
            f"{num_classes}, in_channels {in_channels}. Take lenet5() for others"
        )
    return PaperLeNet5()


PAPER = (1998, "LeCun, Bottou, Bengio & Haffner: Gradient-Based Learning Applied to Document Recognition")
ERROR: dict[str, Any] = {"error": "0.95 % on MNIST", "source": "section III.B", "classes": "mnist"}
CARDS = (
    Card("lenet5", lenet5, *PAPER, 61_706, (1, 32, 32), **ERROR, cost=Cost(416_520, 14_602, 32), recipe="lenet"),
    Card(
        "lenet5-paper",
        lenet5,
        *PAPER,
        60_000,
        (1, 32, 32),
        **ERROR,
        arguments=(("paper", True),),
        cost=Cost(328_096, 40_439, 32),
    ),
)
