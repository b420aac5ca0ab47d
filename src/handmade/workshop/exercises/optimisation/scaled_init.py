"""A ReLU throws away half of its input's power. Weights drawn with just the right spread make up for it, so that a
signal neither dies nor explodes on its way through thirty layers.

kaiming_normal(shape, rng) draws an array of this shape from a normal distribution around 0 with

    standard deviation = sqrt(2) / sqrt(fan_in)

where fan_in is the number of inputs that one output sums over. shape is laid out as PyTorch's: (out, in) for a linear
layer, (out, in, R, S) for a convolution. rng is a NumPy Generator (rng.standard_normal, rng.normal): take all random
numbers from it, so that the same seed gives the same network. It is checked by the statistics of large arrays.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import wrong


def kaiming_normal(shape, rng):
    """shape (out, in) or (out, in, R, S), rng a NumPy Generator -> an array of this shape."""
    inputs, field = shape[1], np.prod(shape[2:])
    if wrong("fan-out"):
        inputs = shape[0]
    if wrong("mean of both fans"):
        inputs = (shape[0] + shape[1]) / 2
    if wrong("number of all weights"):
        inputs = shape[0] * shape[1]
    if wrong("receptive field forgotten"):
        field = 1
    gain = 1.0 if wrong("no gain") else np.sqrt(2)
    if wrong("gain squared"):
        gain = 2.0
    deviation = gain / np.sqrt(inputs * field)
    if wrong("variance as deviation"):
        deviation = deviation**2
    if wrong("random numbers of its own"):
        rng = np.random.default_rng()
    if wrong("always the same numbers"):
        rng = np.random.default_rng(0)
    numbers = rng.standard_normal(shape)
    if wrong("cut off at two deviations"):
        numbers = np.clip(numbers, -2, 2)
    if wrong("uniform"):
        numbers = rng.uniform(-np.sqrt(3), np.sqrt(3), shape)
    if wrong("uniform up to the deviation"):
        numbers = rng.uniform(-1, 1, shape)
    if wrong("all outputs alike"):
        numbers = np.broadcast_to(numbers[:1], shape)
    return deviation * numbers


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """About twenty thousand numbers each; many outputs for few inputs and the reverse; kernels of several sizes."""
    for label, shape in [
        ("linear", (60, 300)),
        ("convolution", (40, 16, 5, 7)),
        ("first convolution", (700, 3, 3, 3)),
        ("1x1 convolution", (200, 90, 1, 1)),
    ]:
        yield Case(label, (shape,), extra={"seed": int(rng.integers(1000))})


EXERCISE = Exercise(
    title="Kaiming initialisation",
    paper="He et al. 2015, Delving Deep into Rectifiers, section 2.2",
    minutes=10,
    functions=(kaiming_normal,),
    outputs=(
        "shape",
        "1000 times the standard deviation",
        "1000 times the standard deviation along each axis",
        "mean over standard deviation",
        "kurtosis (a normal distribution has 3)",
        "the same when called again with the same generator",
        "the same from the same seed",
    ),
    cases=cases,
    driver="draws",
    rtol=0.08,
    atol=0.05,
    faults={
        "receptive field forgotten": Fault(
            "fan_in is the number of input channels, without the kernel's places.",
            "Activations of a 3x3 convolution grow three times with every layer.",
            "in * R * S: np.prod(shape[1:]).",
        ),
        "fan-out": Fault(
            "The fan is the number of outputs, not of inputs.",
            "It keeps gradients' size, not activations'; the two differ wherever a layer widens or narrows.",
            "The layout is (out, in, ...): everything but shape[0].",
        ),
        "mean of both fans": Fault(
            "The fan is the mean of inputs and outputs, as in Glorot's initialisation.",
            "Where a layer widens, activations shrink; where it narrows, they grow.",
            "fan_in alone: np.prod(shape[1:]).",
        ),
        "number of all weights": Fault(
            "The fan is the number of all weights.",
            "Weights are far too small: after a few layers there is no signal left.",
            "The inputs of one output: np.prod(shape[1:]).",
        ),
        "no gain": Fault(
            "The gain sqrt(2) is missing.",
            "Each ReLU halves the signal's power: after 20 layers a millionth of it is left.",
            "np.sqrt(2 / fan_in).",
        ),
        "gain squared": Fault(
            "The gain is 2, not sqrt(2).",
            "The signal's power doubles with every layer.",
            "np.sqrt(2 / fan_in): the 2 stands under the root.",
        ),
        "variance as deviation": Fault(
            "2 / fan_in is used as the standard deviation; it is the variance.",
            "Weights are far too small, and a deep network does not begin to learn.",
            "The root of it: np.sqrt(2 / fan_in). rng.normal takes the standard deviation.",
        ),
        "random numbers of its own": Fault(
            "The numbers do not come from rng.",
            "The seed decides nothing: no run can be repeated.",
            "rng.standard_normal(shape), not np.random.randn.",
        ),
        "always the same numbers": Fault(
            "A generator with a fixed seed is made in each call.",
            "Layers of one shape begin with the same weights, and so does every run, whatever its seed.",
            "Draw from the rng that was given.",
        ),
        "all outputs alike": Fault(
            "One row is drawn and repeated for all outputs.",
            "All units compute the same, get the same gradient, and stay the same for ever.",
            "Draw as many numbers as the shape has.",
        ),
        "uniform": Fault(
            "The distribution is uniform, with the right standard deviation.",
            "That is kaiming_uniform: it trains as well, but it is not what was asked for.",
            "rng.standard_normal(shape), or rng.normal.",
        ),
        "uniform up to the deviation": Fault(
            "The distribution is uniform between minus and plus the standard deviation.",
            "Its deviation is smaller by sqrt(3): the signal dies with depth.",
            "rng.standard_normal(shape), or rng.normal.",
        ),
        "cut off at two deviations": Fault(
            "Numbers beyond two standard deviations are moved to the edge.",
            "The variance is smaller than it should be, and two values stand out.",
            "Take the normal distribution as it is.",
        ),
    },
    hints=(
        "Two things to find: how many inputs one output sums over, and the spread that goes with them.",
        "In PyTorch's layout the outputs come first: fan_in is the product of all other sizes.",
        "np.sqrt(2 / np.prod(shape[1:])) * rng.standard_normal(shape)",
    ),
    forbidden=("torch.nn.init.kaiming_normal_", "torch.nn.init.kaiming_normal"),
)
