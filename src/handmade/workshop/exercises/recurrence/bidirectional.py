"""A sentence read from both ends: at each position one network knows what came before, another what comes after.

    forward:   h_t = tanh(x_t Wx + h_(t-1) Wh + b)      from the first step to the last
    backward:  the same with weights of its own, from the last real step to the first

Both begin at zero, and their states are put side by side: (N, T, D) -> (N, T, 2H), forward first. Sequences of a batch
differ in length, 0 to T: what follows a sequence's end is padding. It must not leak into the backward direction, which
begins at each sequence's own end, and the output there is zero. Each params is a tuple (Wx, Wh, b).
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.exercises.recurrence.rnn_step import parameters
from handmade.workshop.switches import wrong


def bidirectional(x, lengths, forward_params, backward_params):
    """x (N, T, D), lengths (N,), two of (Wx (D, H), Wh (H, H), b (H,)) -> (N, T, 2H)."""
    N, T, _ = x.shape
    H = len(forward_params[1])
    if wrong("one set of weights"):
        backward_params = forward_params
    if wrong("weights exchanged"):
        forward_params, backward_params = backward_params, forward_params
    output = np.zeros((N, T, 2 * H))
    for n, length in enumerate(lengths):
        if wrong("last step left out"):
            length = max(length - 1, 0)
        end = T if wrong("padding not zero") else length
        start = np.zeros(H)
        ahead = read(x[n, :end], start, forward_params)
        if wrong("backward begins where forward ended") and length:
            start = ahead[length - 1]
        if wrong("padding leaks"):
            back = read(x[n, ::-1], start, backward_params)[::-1][:length]
        elif wrong("backward reads forward"):
            back = read(x[n, :length], start, backward_params)
        else:
            back = read(x[n, :length][::-1], start, backward_params)[::-1]
        if wrong("backward not turned round"):
            back = back[::-1]
        if wrong("backward one step late"):
            back = np.concatenate([back[1:], np.zeros((min(length, 1), H))])
        if wrong("backward half first"):
            output[n, :end, H:], output[n, :length, :H] = ahead, back
        else:
            output[n, :end, :H], output[n, :length, H:] = ahead, back
    return output


def read(steps, h, params):
    """(T, D) -> the states after each step, (T, H)."""
    Wx, Wh, b = params
    states = np.zeros((len(steps), len(h)))
    for t, x in enumerate(steps):
        h = np.tanh(x @ Wx + h @ Wh + b)
        states[t] = h
    return states


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Lengths 0, 1, between and T, unsorted; the padding holds large numbers."""
    for label, lengths, t, d, k in [
        ("all of full length", [3, 3], 3, 2, 3),
        ("lengths differ", [2, 5, 3], 5, 3, 2),
        ("D = H, one of a single step", [1, 4], 4, 3, 3),
        ("a length of 0", [3, 0, 2], 4, 2, 3),
        ("none of full length", [2, 3], 5, 2, 2),
    ]:
        x = rng.standard_normal((len(lengths), t, d))
        for n, length in enumerate(lengths):
            x[n, length:] = 3 * rng.standard_normal((t - length, d))
        yield Case(label, (x, np.array(lengths), parameters(rng, d, k), parameters(rng, d, k)))


EXERCISE = Exercise(
    title="A bidirectional RNN",
    paper="Schuster and Paliwal 1997, Bidirectional Recurrent Neural Networks",
    minutes=20,
    functions=(bidirectional,),
    outputs=("output",),
    cases=cases,
    faults={
        "one set of weights": Fault(
            "Both directions use the forward weights.",
            "Half of the parameters learn nothing, and both directions must make do with the same weights.",
            "Read backward with backward_params.",
        ),
        "weights exchanged": Fault(
            "Each direction uses the other's weights.",
            "Trained from scratch it works; pretrained weights give wrong results.",
            "Forward reads with forward_params, backward with backward_params.",
        ),
        "last step left out": Fault(
            "The last real step is treated as padding.",
            "The last word of every sentence is never read.",
            "A sequence has the steps 0 to length - 1: x[n, :length].",
        ),
        "padding not zero": Fault(
            "The forward direction goes on through the padding.",
            "Whatever pools the outputs counts states that belong to no input.",
            "Leave the output after a sequence's length at zero.",
        ),
        "backward begins where forward ended": Fault(
            "The backward direction begins at the forward one's last state.",
            "At every position the backward half knows the whole past, and weights trained elsewhere do not expect it.",
            "Both directions begin at zero.",
        ),
        "padding leaks": Fault(
            "The backward direction begins at the end of the padding.",
            "What a short sequence gives depends on how long its neighbours in the batch are.",
            "Begin at the sequence's own end: reverse x[n, :length], not x[n].",
        ),
        "backward reads forward": Fault(
            "The backward direction reads from the first step to the last.",
            "No position knows anything of what comes after.",
            "Reverse the real steps before reading.",
        ),
        "backward not turned round": Fault(
            "The backward states are left in the order in which they were computed.",
            "The first position gets the state that belongs to the last.",
            "Reverse the states after reading, within the length.",
        ),
        "backward one step late": Fault(
            "Each position has the backward state of its right neighbour.",
            "The backward half does not know the input at its own position.",
            "The state after reading x_t backward belongs to position t.",
        ),
        "backward half first": Fault(
            "The backward half comes first.",
            "The layer above mistakes each half for the other.",
            "np.concatenate([forward, backward], axis=-1).",
        ),
    },
    hints=(
        "One function reads a sequence in order; use it twice, the second time on the reversed sequence.",
        "Reverse each sequence within its own length, read, and reverse the states back.",
        "output[n, :L, :H] = read(x[n, :L], forward_params); "
        "output[n, :L, H:] = read(x[n, :L][::-1], backward_params)[::-1]",
    ),
    forbidden=("torch.nn.RNN",),
)
