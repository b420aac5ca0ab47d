"""One step of the simplest recurrent network: the old state and the input make the new state.

    h' = tanh(x Wx + h Wh + b)

The same weights serve every step. x is (N, D), h (N, H), Wx (D, H), Wh (H, H), b (H,); return h', (N, H).
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import wrong


def rnn_step(x, h, Wx, Wh, b):
    """x (N, D), h (N, H), Wx (D, H), Wh (H, H), b (H,) -> the new h (N, H)."""
    if wrong("weights transposed"):
        Wx, Wh = Wx.T, Wh.T
    if wrong("Wh transposed"):
        Wh = Wh.T
    total = x @ Wx + h @ Wh + b
    if wrong("no input"):
        total = total - x @ Wx
    if wrong("no state"):
        total = total - h @ Wh
    if wrong("no bias"):
        total = total - b
    if wrong("no tanh"):
        return total
    if wrong("sigmoid"):
        return 1 / (1 + np.exp(-total))
    if wrong("relu"):
        return np.maximum(total, 0)
    return np.tanh(total) + h if wrong("state added outside") else np.tanh(total)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """D != H and D = H, where a wrong transpose goes unnoticed but for its values."""
    for label, n, d, k in [("D < H", 3, 2, 4), ("D > H", 2, 5, 3), ("D = H", 4, 3, 3), ("one example", 1, 3, 2)]:
        x, h = rng.standard_normal((n, d)), rng.uniform(-1, 1, (n, k))
        yield Case(label, (x, h, *parameters(rng, d, k)))


def parameters(rng: np.random.Generator, d: int, k: int) -> tuple[np.ndarray, ...]:
    return tuple(0.5 * rng.standard_normal(shape) for shape in ((d, k), (k, k), (k,)))


EXERCISE = Exercise(
    title="A step of an RNN",
    paper="Elman 1990, Finding Structure in Time",
    minutes=5,
    functions=(rnn_step,),
    outputs=("h",),
    cases=cases,
    faults={
        "weights transposed": Fault(
            "Both matrices are applied transposed.",
            "It only runs where D = H, and weights trained elsewhere give wrong results.",
            "Rows are multiplied from the left: x @ Wx and h @ Wh.",
        ),
        "Wh transposed": Fault(
            "The state is multiplied by Wh.T.",
            "Shapes fit, so nothing complains, but pretrained weights give wrong results.",
            "h @ Wh.",
        ),
        "no input": Fault(
            "x Wx is missing.",
            "The state evolves the same way whatever is read.",
            "Add x @ Wx before the tanh.",
        ),
        "no state": Fault(
            "h Wh is missing.",
            "There is no memory: each step sees its own input alone.",
            "Add h @ Wh before the tanh.",
        ),
        "no bias": Fault(
            "b is missing.",
            "With no input the state can only stay at zero.",
            "Add b before the tanh.",
        ),
        "no tanh": Fault(
            "The sum is returned without the tanh.",
            "The network is linear, and its state grows or dies exponentially with time.",
            "Return np.tanh of the sum.",
        ),
        "sigmoid": Fault(
            "The sum goes through a sigmoid.",
            "States are never negative and the slope is at most 1/4: gradients vanish faster still.",
            "Use np.tanh.",
        ),
        "relu": Fault(
            "The sum goes through a ReLU.",
            "Nothing bounds the state, which the same Wh multiplies at each step.",
            "Use np.tanh.",
        ),
        "state added outside": Fault(
            "The old state is added to the tanh.",
            "The state grows with time without bound.",
            "The old state enters through Wh alone.",
        ),
    },
    hints=(
        "Two products and a bias are added, then squashed.",
        "Which of x @ Wx and Wx @ x has shape (N, H)?",
        "np.tanh(x @ Wx + h @ Wh + b)",
    ),
    forbidden=("torch.nn.RNN", "torch.nn.RNNCell", "torch.rnn_tanh_cell"),
)
