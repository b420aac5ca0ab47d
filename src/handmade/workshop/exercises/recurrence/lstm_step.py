"""One step of a long short-term memory: a cell c, kept unless a gate says otherwise, and a state h that shows it.

    i, f, g, o = the four parts, in this order, of  x Wx + h Wh + b
    c' = sigmoid(f) * c + sigmoid(i) * tanh(g)
    h' = sigmoid(o) * tanh(c')

c' is a sum, so its gradient flows back without passing through a matrix: that is why it lasts. x is (N, D), h and c (N,
H), Wx (D, 4H), Wh (H, 4H), b (4H,); return h' and c'.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import wrong


def lstm_step(x, h, c, Wx, Wh, b):
    """x (N, D), h and c (N, H), Wx (D, 4H), Wh (H, 4H), b (4H,) -> the new h and c, (N, H) each."""
    total = x @ Wx + b
    if not wrong("no state"):
        total = total + h @ Wh
    if wrong("no bias"):
        total = total - b
    i, f, g, o = np.split(total, 4, axis=-1)
    if wrong("gates interleaved"):
        i, f, g, o = (total[:, gate::4] for gate in range(4))
    if wrong("gates in order f, i, g, o"):
        i, f = f, i
    if wrong("gates in order i, f, o, g"):
        g, o = o, g
    if wrong("gates in order i, g, f, o"):
        f, g = g, f
    if wrong("forget bias added"):
        f = f + 1
    i, f, o = sigmoid(i), sigmoid(f), sigmoid(o)
    g = sigmoid(g) if wrong("sigmoid for the candidate") else np.tanh(g)
    if wrong("forget gate from the input gate"):
        f = 1 - i
    if wrong("no forget gate"):
        f = 1
    if wrong("no input gate"):
        i = 1
    new_c = f * c + i * g
    shown = c if wrong("shows the old cell") else new_c
    new_h = o * (shown if wrong("cell shown without tanh") else np.tanh(shown))
    if wrong("cell returned squashed"):
        new_c = np.tanh(new_c)
    return (new_c, new_h) if wrong("c and h exchanged") else (new_h, new_c)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """D != H and D = H; all four gates have weights of their own; cells beyond 1, where tanh matters."""
    for label, n, d, k in [("D < H", 3, 2, 4), ("D > H", 2, 5, 3), ("D = H", 4, 3, 3), ("one example", 1, 3, 2)]:
        x, h, c = rng.standard_normal((n, d)), rng.uniform(-1, 1, (n, k)), 1.5 * rng.standard_normal((n, k))
        yield Case(label, (x, h, c, *parameters(rng, d, k)))


def parameters(rng: np.random.Generator, d: int, k: int) -> tuple[np.ndarray, ...]:
    return tuple(0.7 * rng.standard_normal(shape) for shape in ((d, 4 * k), (k, 4 * k), (4 * k,)))


EXERCISE = Exercise(
    title="A step of an LSTM",
    paper="Hochreiter and Schmidhuber 1997, Long Short-Term Memory; forget gate: Gers et al. 2000",
    minutes=10,
    functions=(lstm_step,),
    outputs=("h", "c"),
    cases=cases,
    faults={
        "no state": Fault(
            "h Wh is missing.",
            "The gates decide on the input alone, blind to what was read before.",
            "Add h @ Wh to x @ Wx + b.",
        ),
        "no bias": Fault(
            "b is missing.",
            "The forget gate cannot start open, which is what its bias is good for.",
            "Add b to x @ Wx + h @ Wh.",
        ),
        "gates interleaved": Fault(
            "The gates are every fourth column, not four blocks of H columns.",
            "Trained from scratch it works; pretrained weights mean something else.",
            "np.split(total, 4, axis=-1): columns 0 to H are i, H to 2H are f, ...",
        ),
        "gates in order f, i, g, o": Fault(
            "Input and forget gate are swapped.",
            "Pretrained weights keep what they should overwrite, and vice versa.",
            "The order is i, f, g, o, as in PyTorch.",
        ),
        "gates in order i, f, o, g": Fault(
            "Candidate and output gate are swapped.",
            "Pretrained weights write what was meant to show, and vice versa.",
            "The order is i, f, g, o, as in PyTorch.",
        ),
        "gates in order i, g, f, o": Fault(
            "Candidate and forget gate are swapped.",
            "That is the order of old TensorFlow; weights of this one mean something else.",
            "The order is i, f, g, o, as in PyTorch.",
        ),
        "forget bias added": Fault(
            "1 is added to the forget gate inside the step.",
            "Pretrained weights have their bias already: the cell keeps too much.",
            "A forget bias of 1 belongs in the initial b, not in the step.",
        ),
        "sigmoid for the candidate": Fault(
            "The candidate g goes through a sigmoid.",
            "Nothing negative is ever written: the cell can only grow.",
            "np.tanh(g); the sigmoid is for the three gates.",
        ),
        "forget gate from the input gate": Fault(
            "The forget gate is 1 - i.",
            "That is another cell, with coupled gates: it cannot keep and add at once.",
            "f has columns of its own.",
        ),
        "no forget gate": Fault(
            "The old cell is kept whole: f is not applied.",
            "That is the LSTM of 1997; on long streams the cell grows without bound.",
            "c' = f * c + i * g.",
        ),
        "no input gate": Fault(
            "The candidate is written whole: i is not applied.",
            "Every input overwrites memory, relevant or not.",
            "c' = f * c + i * g.",
        ),
        "shows the old cell": Fault(
            "h' is made from the cell as it was before the step.",
            "The output lags one step behind what was read.",
            "Use the new c: h' = o * np.tanh(c').",
        ),
        "cell shown without tanh": Fault(
            "h' is o * c', without the tanh.",
            "The cell is unbounded, and so are the gates' inputs at the next step.",
            "h' = o * np.tanh(c').",
        ),
        "cell returned squashed": Fault(
            "The cell returned is tanh(c').",
            "Memory shrinks at each step, and its gradient with it: the point of the cell is lost.",
            "The tanh is for h' only; return c' as it is.",
        ),
        "c and h exchanged": Fault(
            "c' is returned first.",
            "The caller mistakes the cell for the state.",
            "return h, c.",
        ),
    },
    hints=(
        "One product for all gates: x @ Wx + h @ Wh + b is (N, 4H). Split it.",
        "Three sigmoids and a tanh; then the cell, then a second tanh for h.",
        "i, f, g, o = np.split(x @ Wx + h @ Wh + b, 4, -1); c = s(f) * c + s(i) * np.tanh(g); h = s(o) * np.tanh(c)",
    ),
    forbidden=("torch.nn.LSTM", "torch.nn.LSTMCell", "torch.lstm_cell"),
)
