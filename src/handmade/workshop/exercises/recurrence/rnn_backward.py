"""Backpropagation through time. Forward runs the same step along a sequence:

    h_t = tanh(x_t Wx + h_(t-1) Wh + b)

x is (N, T, D), h0 (N, H), h (N, T, H). `dh` (N, T, H) is the gradient that reaches each step's output from outside, as
from a loss at every step; what flows back from later steps through Wh is for you to add. All steps share the weights,
so their gradients are sums over time. Return `h` and what backward needs; then dx, dh0, dWx, dWh, db.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import AUTOGRAD, Exercise, Fault
from handmade.workshop.exercises.recurrence.rnn_step import parameters
from handmade.workshop.switches import wrong


def rnn_forward(x, h0, Wx, Wh, b):
    """x (N, T, D), h0 (N, H), Wx (D, H), Wh (H, H), b (H,) -> h (N, T, H), cache."""
    states = []
    h = np.zeros_like(h0) if wrong("begins at zero") else h0
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ Wx + h @ Wh + b)
        states.append(h)
    return np.stack(states, axis=1), (x, h0, np.stack(states, axis=1), Wx, Wh)


def rnn_backward(dh, cache):
    """dh (N, T, H) -> dx (N, T, D), dh0 (N, H), dWx (D, H), dWh (H, H), db (H,)."""
    x, h0, h, Wx, Wh = cache
    dx, dWx, dWh, db = np.zeros_like(x), np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(len(Wh))
    carried = np.zeros_like(h0)  # what flows back from the step after
    for t in reversed(range(x.shape[1])):
        before = h0 if t == 0 else h[:, t - 1]
        if wrong("dWh without h0") and t == 0:
            before = np.zeros_like(h0)
        if wrong("dWh with the new state"):
            before = h[:, t]
        total = dh[:, t] + carried
        if wrong("only the last step's gradient") and t < x.shape[1] - 1:
            total = carried
        if wrong("nothing flows back"):
            total = dh[:, t]
        if wrong("no slope of the tanh"):
            da = total
        elif wrong("1 - h for the slope"):
            da = total * (1 - h[:, t])
        else:
            da = total * (1 - h[:, t] ** 2)
        dx[:, t] = da @ Wx.T
        if wrong("weights' gradients overwritten"):
            dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(len(Wh))
        dWx += x[:, t].T @ da
        dWh += before.T @ da
        db += da.sum(0)
        if wrong("outside gradient carried alone"):
            da = dh[:, t] * (1 - h[:, t] ** 2)
        carried = da @ (Wh if wrong("Wh not transposed") else Wh.T)
    if wrong("averaged over the batch"):
        dWx, dWh, db = dWx / len(x), dWh / len(x), db / len(x)
    return dx, (da if wrong("dh0 without Wh") else carried), dWx, dWh, db


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Sequences of one step up; N, T, D and H differ; a first state that is not zero."""
    for label, n, t, d, k in [
        ("three steps", 2, 3, 3, 4),
        ("many steps", 3, 6, 2, 3),
        ("D = H = N", 3, 4, 3, 3),
        ("one step", 2, 1, 3, 2),
    ]:
        x, h0 = rng.standard_normal((n, t, d)), rng.uniform(-1, 1, (n, k))
        yield Case(label, (x, h0, *parameters(rng, d, k)), extra={"gradients": (rng.standard_normal((n, t, k)),)})


EXERCISE = Exercise(
    title="Backpropagation through time",
    paper="Werbos 1990, Backpropagation Through Time: What It Does and How to Do It",
    minutes=25,
    functions=(rnn_forward, rnn_backward),
    outputs=("h", "dx", "dh0", "dWx", "dWh", "db"),
    cases=cases,
    driver="forward_backward",
    faults={
        "begins at zero": Fault(
            "Forward begins at zeros, not at h0.",
            "What was read before is forgotten at the border of every batch.",
            "Let the first step's old state be h0.",
        ),
        "dWh without h0": Fault(
            "For the first step dWh takes zeros as the old state.",
            "With a state carried over, Wh gets a wrong gradient at each border.",
            "The state before the first step is h0.",
        ),
        "dWh with the new state": Fault(
            "dWh is computed from h_t.",
            "Wh learns from the state that it made instead of the one it was given.",
            "Wh multiplied h_(t-1): dWh += h_(t-1).T @ da.",
        ),
        "only the last step's gradient": Fault(
            "Only the last step's dh is used.",
            "Losses at the other steps teach nothing.",
            "At each step add dh[:, t] to what comes back from the step after.",
        ),
        "nothing flows back": Fault(
            "No gradient flows from a step to the one before.",
            "The network cannot learn to remember: each step is trained for itself.",
            "Carry da @ Wh.T to the step before and add it to its dh.",
        ),
        "outside gradient carried alone": Fault(
            "What is carried back is made from dh[:, t] alone: it goes back one step and no further.",
            "Nothing further than one step away can be learned.",
            "Carry (dh[:, t] + carried) * (1 - h ** 2) @ Wh.T.",
        ),
        "no slope of the tanh": Fault(
            "The gradient was not multiplied by the slope of the tanh.",
            "Saturated units are pushed as hard as open ones.",
            "da = total * (1 - h ** 2).",
        ),
        "1 - h for the slope": Fault(
            "The slope was taken to be 1 - h.",
            "Negative states get gradients up to twice too large.",
            "tanh' = 1 - tanh ** 2.",
        ),
        "weights' gradients overwritten": Fault(
            "The weights' gradients are those of the last step that backward reached, the first in time.",
            "All other steps teach nothing.",
            "Add up over time: dWx += ..., dWh += ..., db += ...",
        ),
        "Wh not transposed": Fault(
            "The gradient goes back through Wh, not Wh.T.",
            "Shapes fit, so nothing complains, and every gradient but the last step's is wrong.",
            "carried = da @ Wh.T.",
        ),
        "averaged over the batch": Fault(
            "The weights' gradients are divided by N.",
            "A loss that is a mean has divided already: learning is N times too slow.",
            "Sum over the batch.",
        ),
        "dh0 without Wh": Fault(
            "dh0 is the gradient inside the first tanh.",
            "What comes before, such as an encoder, gets the wrong gradient.",
            "dh0 = da @ Wh.T of the first step.",
        ),
    },
    hints=(
        "Walk back from the last step. At each: what comes from outside plus what comes from the step after.",
        "Through the tanh once (times 1 - h ** 2), then to x, to the old state, and into three sums.",
        "da = (dh[:, t] + carried) * (1 - h[:, t] ** 2); dWx += x[:, t].T @ da; dWh += before.T @ da; "
        "carried = da @ Wh.T",
    ),
    forbidden=("torch.nn.RNN", "torch.nn.RNNCell", *AUTOGRAD),
)
