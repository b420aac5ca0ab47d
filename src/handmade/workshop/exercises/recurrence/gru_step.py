"""One step of a gated recurrent unit: an LSTM's idea with two gates, and no cell beside the state.

    r, z = sigmoid of the first two thirds of  x Wx + bx + h Wh + bh
    n    = tanh(x Wxn + bxn + r * (h Whn + bhn))        Wxn, bxn, Whn, bhn: the last third of columns
    h'   = (1 - z) * n + z * h

r resets: it decides how much of the state the candidate n sees. z updates: where it is 1 the state stays. That is
PyTorch's form. x is (N, D), h (N, H), Wx (D, 3H), Wh (H, 3H), bx and bh (3H,), columns in the order r, z, n.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import convention, wrong


def gru_step(x, h, Wx, Wh, bx, bh):
    """x (N, D), h (N, H), Wx (D, 3H), Wh (H, 3H), bx and bh (3H,) -> the new h (N, H)."""
    if wrong("no bias of the input"):
        bx = np.zeros_like(bx)
    if wrong("no bias of the state"):
        bh = np.zeros_like(bh)
    H = h.shape[1]
    from_x, from_h = x @ Wx + bx, h @ Wh + bh
    if wrong("gates in order z, r, n"):
        z, r = (sigmoid(from_x[:, part] + from_h[:, part]) for part in (slice(0, H), slice(H, 2 * H)))
    else:
        r, z = (sigmoid(from_x[:, part] + from_h[:, part]) for part in (slice(0, H), slice(H, 2 * H)))
    if wrong("no reset gate"):
        r = np.ones_like(r)
    n_x, n_h = from_x[:, 2 * H :], from_h[:, 2 * H :]
    if convention("reset before the product"):
        reset = (r * h) @ Wh[:, 2 * H :] + bh[2 * H :]
    elif wrong("bias outside the reset"):
        reset = r * (h @ Wh[:, 2 * H :]) + bh[2 * H :]
    else:
        reset = r * n_h
    if wrong("resets the input too"):
        n_x = r * n_x
    if wrong("no state in the candidate"):
        reset = 0
    n = sigmoid(n_x + reset) if wrong("sigmoid for the candidate") else np.tanh(n_x + reset)
    if convention("z takes the new"):
        z = 1 - z
    if wrong("update gate forgets nothing"):
        return n * (1 - z) + h
    if wrong("update gate adds all of the new"):
        return n + z * h
    if wrong("reset gate keeps the old"):
        z = r
    return (1 - z) * n + z * h


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """D != H and D = H; weights and biases of their own for every gate, from x and from h."""
    for label, n, d, k in [("D < H", 3, 2, 4), ("D > H", 2, 5, 3), ("D = H", 4, 3, 3), ("one example", 1, 3, 2)]:
        x, h = rng.standard_normal((n, d)), rng.uniform(-1, 1, (n, k))
        shapes = (d, 3 * k), (k, 3 * k), (3 * k,), (3 * k,)
        yield Case(label, (x, h, *(0.7 * rng.standard_normal(shape) for shape in shapes)))


EXERCISE = Exercise(
    title="A step of a GRU",
    paper="Cho et al. 2014, Learning Phrase Representations using RNN Encoder-Decoder, section 2.3",
    minutes=10,
    functions=(gru_step,),
    outputs=("h",),
    cases=cases,
    conventions={
        "z takes the new": "h' = z * n + (1 - z) * h, as Chung et al. 2014 write it; PyTorch has z keep the old.",
        "reset before the product": "n = tanh(x Wxn + bxn + (r * h) Whn + bhn), as Cho et al. 2014 write it; PyTorch "
        "resets after the product, which lets one product serve all gates.",
    },
    faults={
        "no bias of the input": Fault(
            "bx is missing.",
            "Pretrained weights give wrong results.",
            "x @ Wx + bx.",
        ),
        "no bias of the state": Fault(
            "bh is missing.",
            "In the candidate bh is not the same as bx, since r multiplies it.",
            "h @ Wh + bh.",
        ),
        "gates in order z, r, n": Fault(
            "Reset and update gate are swapped.",
            "That is the order of Keras; weights in the order r, z, n mean something else.",
            "The first H columns are r, the next are z.",
        ),
        "no reset gate": Fault(
            "The reset gate is not applied.",
            "The candidate cannot ignore the past, as at the start of a new sentence.",
            "n = tanh(x part + r * (h part)).",
        ),
        "bias outside the reset": Fault(
            "r multiplies h Whn alone, and bhn is added after it.",
            "That is neither PyTorch's form nor the paper's: pretrained weights give wrong results.",
            "r * (h @ Whn + bhn).",
        ),
        "resets the input too": Fault(
            "r multiplies the input's part of the candidate too.",
            "Where the past is to be ignored, the present is ignored with it.",
            "r is for the state's part only.",
        ),
        "no state in the candidate": Fault(
            "The candidate is made from the input alone.",
            "New content cannot depend on what was read before.",
            "n = tanh(x part + r * (h part)).",
        ),
        "sigmoid for the candidate": Fault(
            "The candidate goes through a sigmoid.",
            "The state is never negative and can only drift up.",
            "np.tanh; the sigmoid is for the two gates.",
        ),
        "update gate forgets nothing": Fault(
            "The old state is added whole, not times z.",
            "The state grows with time without bound.",
            "h' = (1 - z) * n + z * h: a mean, whose weights sum to 1.",
        ),
        "update gate adds all of the new": Fault(
            "The candidate is added whole, not times 1 - z.",
            "The unit cannot keep its state: every input is written.",
            "h' = (1 - z) * n + z * h: a mean, whose weights sum to 1.",
        ),
        "reset gate keeps the old": Fault(
            "The mean of old and new was weighted by r, not by z.",
            "One gate does both jobs, and z learns nothing.",
            "h' = (1 - z) * n + z * h.",
        ),
    },
    hints=(
        "Two products, x @ Wx + bx and h @ Wh + bh, serve all gates: (N, 3H) each. Do not add them whole: why?",
        "r and z are sigmoids of the sums. In the candidate r multiplies the state's third only, bias included.",
        "n = np.tanh(from_x[:, 2 * H :] + r * from_h[:, 2 * H :]); return (1 - z) * n + z * h",
    ),
    forbidden=("torch.nn.GRU", "torch.nn.GRUCell", "torch.gru_cell"),
)
