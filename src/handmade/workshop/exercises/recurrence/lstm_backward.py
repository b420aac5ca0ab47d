"""The gradient of one step of an LSTM. Forward is the step, with what backward needs:

    i, f, g, o = the four parts, in this order, of  x Wx + h Wh + b
    c' = sigmoid(f) * c + sigmoid(i) * tanh(g)          h' = sigmoid(o) * tanh(c')

dh and dc are the loss's gradients with respect to the new h and c: c' acts through h' and by itself, as the next step's
cell, so its gradient has two parts. Return dx, dh0 and dc0 (with respect to the incoming h and c), dWx, dWh, db.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import AUTOGRAD, Exercise, Fault
from handmade.workshop.exercises.recurrence.lstm_step import parameters
from handmade.workshop.switches import wrong


def lstm_step_forward(x, h, c, Wx, Wh, b):
    """x (N, D), h and c (N, H), Wx (D, 4H), Wh (H, 4H), b (4H,) -> the new h and c, (N, H) each, cache."""
    i, f, g, o = np.split(x @ Wx + h @ Wh + b, 4, axis=-1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    new_c = f * c + i * g
    new_h = o * np.tanh(new_c)
    return new_h, new_c, (x, h, c, Wx, Wh, i, f, g, o, new_c, new_h)


def lstm_step_backward(dh, dc, cache):
    """dh, dc (N, H) -> dx (N, D), dh0, dc0 (N, H), dWx (D, 4H), dWh (H, 4H), db (4H,)."""
    x, h, c, Wx, Wh, i, f, g, o, new_c, new_h = cache
    shown = np.tanh(new_c)
    do = dh * (new_c if wrong("output gate from the raw cell") else shown)
    through_h = dh * o
    if not wrong("no slope of the cell's tanh"):
        through_h = through_h * (1 - shown**2)
    if wrong("cell's own gradient ignored"):
        dcell = through_h
    elif wrong("state's gradient does not reach the cell"):
        dcell = dc
    else:
        dcell = dc + through_h
    di, dg = dcell * g, dcell * i
    df = dcell * (new_c if wrong("forget gate from the new cell") else c)
    if not wrong("no slope of the sigmoids"):
        di, df, do = di * i * (1 - i), df * f * (1 - f), do * o * (1 - o)
    if wrong("candidate's slope as a sigmoid's"):
        dg = dg * g * (1 - g)
    elif not wrong("no slope of the candidate"):
        dg = dg * (1 - g**2)
    gates = [di, df, do, dg] if wrong("gradients in order i, f, o, g") else [di, df, dg, do]
    dtotal = np.concatenate(gates, axis=-1)  # N 4H
    dc0 = dcell if wrong("dc0 without the forget gate") else dcell * f
    dWh = (new_h if wrong("dWh with the new state") else h).T @ dtotal
    dWx, db = x.T @ dtotal, dtotal.sum(0)
    if wrong("averaged over the batch"):
        dWx, dWh, db = dWx / len(x), dWh / len(x), db / len(x)
    return dtotal @ Wx.T, dtotal @ Wh.T, dc0, dWx, dWh, db


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """D != H and D = H; both gradients at work; cells beyond 1, where tanh matters."""
    for label, n, d, k in [("D < H", 3, 2, 4), ("D > H", 2, 5, 3), ("D = H", 3, 3, 3), ("one example", 1, 3, 2)]:
        x, h, c = rng.standard_normal((n, d)), rng.uniform(-1, 1, (n, k)), 1.5 * rng.standard_normal((n, k))
        gradients = rng.standard_normal((n, k)), rng.standard_normal((n, k))
        yield Case(label, (x, h, c, *parameters(rng, d, k)), extra={"gradients": gradients})


EXERCISE = Exercise(
    title="A step of an LSTM, backward",
    paper="Hochreiter and Schmidhuber 1997, Long Short-Term Memory; forget gate: Gers et al. 2000",
    minutes=30,
    functions=(lstm_step_forward, lstm_step_backward),
    outputs=("h", "c", "dx", "dh0", "dc0", "dWx", "dWh", "db"),
    cases=cases,
    driver="forward_backward",
    faults={
        "output gate from the raw cell": Fault(
            "The output gate's gradient is dh * c', without the tanh.",
            "The gate is pushed too hard where the cell is large.",
            "h' = o * tanh(c'), so do = dh * np.tanh(c').",
        ),
        "no slope of the cell's tanh": Fault(
            "dh reaches the cell without the slope of the tanh.",
            "Large cells, which h' hardly shows any more, are pushed as hard as small ones.",
            "dh * o * (1 - np.tanh(c') ** 2).",
        ),
        "cell's own gradient ignored": Fault(
            "dc, what comes back from the next step's cell, is not added.",
            "The path that makes an LSTM remember is cut: it learns no better than an RNN.",
            "dcell = dc + dh * o * (1 - np.tanh(c') ** 2).",
        ),
        "state's gradient does not reach the cell": Fault(
            "The cell gets dc alone; what dh says through h' = o * tanh(c') is missing.",
            "A loss on h' never teaches what to write.",
            "dcell = dc + dh * o * (1 - np.tanh(c') ** 2).",
        ),
        "forget gate from the new cell": Fault(
            "The forget gate's gradient is computed from the new cell.",
            "It learns to keep what was just written instead of what was there.",
            "f multiplied the old cell: df = dcell * c.",
        ),
        "no slope of the sigmoids": Fault(
            "The gates' gradients lack s * (1 - s).",
            "Gates that are fully open or shut are pushed as hard as the others.",
            "di = dcell * g * i * (1 - i), and so for f and o.",
        ),
        "candidate's slope as a sigmoid's": Fault(
            "The candidate's slope was taken to be g * (1 - g).",
            "Where g is negative its gradient has the wrong sign.",
            "g is a tanh: 1 - g ** 2.",
        ),
        "no slope of the candidate": Fault(
            "The candidate's gradient lacks the slope of its tanh.",
            "Saturated candidates are pushed as hard as open ones.",
            "dg = dcell * i * (1 - g ** 2).",
        ),
        "gradients in order i, f, o, g": Fault(
            "The gates' gradients were joined in another order than forward split them.",
            "The candidate's weights get the output gate's gradient, and vice versa.",
            "Concatenate di, df, dg, do.",
        ),
        "dc0 without the forget gate": Fault(
            "dc0 is the new cell's gradient, without f.",
            "What the gate had forgotten still gets a gradient.",
            "dc0 = dcell * f.",
        ),
        "dWh with the new state": Fault(
            "dWh is computed from the new h.",
            "Wh learns from the state that it made instead of the one it was given.",
            "Wh multiplied the incoming h: dWh = h.T @ dtotal.",
        ),
        "averaged over the batch": Fault(
            "The weights' gradients are divided by N.",
            "A loss that is a mean has divided already: learning is N times too slow.",
            "Sum over the batch.",
        ),
    },
    hints=(
        "Go back line by line: h', then c', then the four gates, then the one product.",
        "dcell = dc + dh * o * (1 - np.tanh(c') ** 2). Every gate is a factor of a product: take the other factor.",
        "dtotal: dcell * g * i * (1 - i), dcell * c * f * (1 - f), dcell * i * (1 - g ** 2) and dh * np.tanh(c') * o * "
        "(1 - o), side by side; dc0 = dcell * f; the rest is a linear layer's backward, twice",
    ),
    forbidden=("torch.nn.LSTM", "torch.nn.LSTMCell", *AUTOGRAD),
)
