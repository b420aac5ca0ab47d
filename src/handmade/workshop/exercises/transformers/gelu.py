"""The activation of GPT and BERT: each input is weighted by the probability that a standard normal number is below it.

    gelu(x) = x Phi(x),   Phi(x) = (1 + erf(x / sqrt(2))) / 2

Unlike ReLU it is smooth, and slightly negative left of 0. x is an array of any shape; return one of the same shape.
NumPy has no erf, but Python's math has.
"""

import math
from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import convention, wrong


def gelu(x):
    """x of any shape -> x Phi(x), elementwise."""
    if convention("tanh form") or wrong("cubic term missing") or wrong("2 / pi without its root"):
        factor = 2 / math.pi if wrong("2 / pi without its root") else math.sqrt(2 / math.pi)
        bell = np.tanh(factor * (x if wrong("cubic term missing") else x + 0.044715 * x**3))
    else:
        bell = np.vectorize(math.erf)(x if wrong("no root of 2") else x / math.sqrt(2))  # from -1 to 1
    if wrong("sigmoid form"):
        bell = np.tanh(1.702 * x / 2)
    if wrong("sigmoid of x"):
        bell = np.tanh(x / 2)
    if not wrong("no 1 added"):
        bell = bell + 1
    probability = bell if wrong("not halved") else bell / 2
    if wrong("probability of being above"):
        probability = 1 - probability
    return probability if wrong("not multiplied by x") else x * probability


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Where the forms differ most, one to three deviations from 0; several shapes."""
    yield Case("a vector", (np.array([-3.1, -2.2, -1.3, -0.6, -0.1, 0.2, 0.7, 1.4, 2.3, 3.2]),))
    yield Case("a matrix", (2 * rng.standard_normal((3, 4)),))
    yield Case("three axes", (rng.standard_normal((2, 3, 2)),))


EXERCISE = Exercise(
    title="GELU",
    paper="Hendrycks and Gimpel 2016, Gaussian Error Linear Units, section 2",
    minutes=5,
    functions=(gelu,),
    outputs=("out",),
    cases=cases,
    conventions={"tanh form": "GPT-2's approximation, x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2."},
    atol=1e-6,
    faults={
        "no root of 2": Fault(
            "erf is taken of x, not of x / sqrt(2).",
            "The activation bends too sharply: it is that of a normal number with half the variance.",
            "Phi(x) = (1 + erf(x / sqrt(2))) / 2.",
        ),
        "not halved": Fault(
            "1 + erf is not divided by 2.",
            "Activations double from layer to layer.",
            "Phi lies between 0 and 1: (1 + erf(...)) / 2.",
        ),
        "no 1 added": Fault(
            "erf is used alone; 1 must be added before it is halved.",
            "Negative inputs come out positive: the activation is symmetric about 0.",
            "Phi(x) = (1 + erf(x / sqrt(2))) / 2.",
        ),
        "not multiplied by x": Fault(
            "Phi(x) itself is returned.",
            "The activation saturates on both sides, as a sigmoid does, and gradients vanish.",
            "gelu(x) = x * Phi(x).",
        ),
        "probability of being above": Fault(
            "x is multiplied by 1 - Phi(x).",
            "Positive inputs are taken away and negative ones let through.",
            "Mind the sign: Phi(x) goes to 1 for large x.",
        ),
        "sigmoid form": Fault(
            "This is x sigmoid(1.702 x), which is only near GELU: up to 0.02 away.",
            "Published weights give visibly other results; the few models that use it say so (QuickGELU).",
            "Use erf, or the tanh form, which is 40 times nearer.",
        ),
        "sigmoid of x": Fault(
            "This is x sigmoid(x), which is SiLU (Swish).",
            "It trains as well, but weights that were trained with GELU do not fit.",
            "The weight is the normal distribution function, not the logistic one.",
        ),
        "cubic term missing": Fault(
            "The tanh form lacks 0.044715 x^3.",
            "It is up to 0.04 away from GELU, and published weights do not fit.",
            "tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)).",
        ),
        "2 / pi without its root": Fault(
            "The tanh form has 2 / pi, where it should have sqrt(2 / pi).",
            "The slope around 0 is too small.",
            "math.sqrt(2 / math.pi) is 0.7979.",
        ),
    },
    hints=(
        "Phi is the cumulative distribution function of the standard normal distribution; erf gives it.",
        "math.erf takes one number: np.vectorize(math.erf) takes arrays. Phi(0) is 1/2 and Phi(1) is 0.8413.",
        "x * 0.5 * (1 + np.vectorize(math.erf)(x / np.sqrt(2)))",
    ),
    forbidden=("torch.nn.functional.gelu", "torch.nn.GELU"),
)
