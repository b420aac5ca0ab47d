"""Why recurrent networks forget, and gated ones less: how strongly the last state depends on each one before it.

    Hochreiter (1991); Bengio, Simard & Frasconi, "Learning Long-Term Dependencies with Gradient Descent is Difficult"
    (1994); Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks" (2013), section 2.

What a loss at the end tells the network about step t passes through the matrix of derivatives

    d h_T / d h_t  =  J_T J_(T-1) ... J_(t+1),      J_s = d h_s / d h_(s-1)

In Elman's network J_s = diag(1 - h_s²) W_hh, and as 1 - h² <= 1, the norm is at most σ^(T-t), with σ the largest
singular value of W_hh: below 1, it must vanish. How fast W_hh alone would shrink or grow it in the long run is told by
its spectral radius, the largest absolute eigenvalue. In an LSTM a second path runs through the cell, c_s = f c_(s-1) +
..., whose factor is the forget gate: where that is near 1, nothing vanishes. In a GRU, h_s = z h_(s-1) + ..., z is that
door.

T steps, S = T + 1 states, B sequences, I input size, H hidden size
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float

import handmade
from handmade import draw
from handmade.engine import Tensor
from handmade.lens.hooks import undisturbed
from handmade.nn import GRU, LSTM, RNN

Norms = Float[np.ndarray, "S"]
State = tuple[np.ndarray, ...]


def gradient_norms(layer: RNN | LSTM | GRU, x: Tensor) -> dict[str, Norms]:
    """The norm of d h_T / d h_t for t = 0 ... T, of inputs in the layer's own form, as a mean over the B sequences.

    {"h": ...}, and of an LSTM {"h": ..., "c": ...}, the second of d h_T / d c_t. h_0 is the state before the first
    input. The norm is the spectral one: how long a vector of length 1 can become. Exact: all H rows of the matrix are
    carried back, as H copies of each sequence.
    Raises ValueError for more than one layer or direction.
    """
    if layer.num_layers > 1 or layer.bidirectional:
        raise ValueError(
            f"gradient_norms looks at one layer in one direction, got {layer.num_layers} layers"
            f"{' in both directions' if layer.bidirectional else ''}"
        )
    inputs = x.array.swapaxes(0, 1) if layer.batch_first else x.array  # T B I
    states = _states(layer, inputs)
    batch, hidden = inputs.shape[1], layer.hidden_size
    rows = np.tile(np.eye(hidden, dtype=x.dtype), (batch, 1))  # B*H H: d h_T / d h_T
    derivatives: State = (rows, *(np.zeros_like(rows) for _ in states[0][1:]))
    norms = [_norms(derivatives, batch)]
    with undisturbed(layer):
        for step in reversed(range(len(inputs))):
            derivatives = _one_step_back(layer, inputs[step], states[step], derivatives)
            norms.append(_norms(derivatives, batch))
    return dict(zip(("h", "c"), np.array(norms[::-1]).T, strict=False))


@handmade.no_grad()
def _states(layer: RNN | LSTM | GRU, inputs: Float[np.ndarray, "T B I"]) -> list[State]:
    """The states before each step, each a tuple of (B, H)."""
    zero = np.zeros((inputs.shape[1], layer.hidden_size), inputs.dtype)
    states: list[State] = [(zero, zero) if isinstance(layer, LSTM) else (zero,)]
    for x in inputs:
        after = _step(layer, Tensor(x), tuple(map(Tensor, states[-1])))
        states.append(tuple(tensor.array for tensor in after))
    return states[:-1]


def _step(layer: RNN | LSTM | GRU, x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """One step: x (N, I) and a state of (N, H) each, to the next state."""
    x = x.unsqueeze(1 if layer.batch_first else 0)
    before = tuple(tensor.unsqueeze(0) for tensor in state)
    _, after = layer(x, before if isinstance(layer, LSTM) else before[0])
    return tuple(tensor[0] for tensor in (after if isinstance(after, tuple) else (after,)))


def _one_step_back(layer: RNN | LSTM | GRU, x: np.ndarray, before: State, derivatives: State) -> State:
    """From the derivatives of h_T by the state after a step (B*H, H), those by the state before it."""
    copies = layer.hidden_size
    leaves = tuple(Tensor(np.repeat(state, copies, axis=0), requires_grad=True) for state in before)
    after = _step(layer, Tensor(np.repeat(x, copies, axis=0)), leaves)
    first, *others = [(new * Tensor(part)).sum() for new, part in zip(after, derivatives, strict=True)]
    sum(others, first).backward()
    return tuple(np.zeros_like(leaf.array) if leaf.grad is None else leaf.grad.array for leaf in leaves)


def _norms(derivatives: State, batch: int) -> list[float]:
    """The mean spectral norm of each part's B matrices, H H."""
    return [
        float(np.linalg.norm(part.reshape(batch, -1, part.shape[1]), 2, axis=(1, 2)).mean()) for part in derivatives
    ]


def _recurrent_weight(layer: RNN) -> Float[np.ndarray, "H H"]:
    return layer.state_dict()["weight_hh_l0"].array


def spectral_radius(layer: RNN) -> float:
    """The largest absolute eigenvalue of W_hh."""
    return float(np.abs(np.linalg.eigvals(_recurrent_weight(layer))).max())


def bound(layer: RNN, steps: int) -> Norms:
    """σ^(T-t) for t = 0 ... T, σ the largest singular value of W_hh: the norm of d h_T / d h_t is nowhere above it."""
    return _largest_singular(layer) ** np.arange(steps, -1.0, -1.0)


def _largest_singular(layer: RNN) -> float:
    return float(np.linalg.norm(_recurrent_weight(layer), 2))


def draw_gradient_flow(
    path: Path, panels: Mapping[str, Mapping[str, dict[str, Norms]]], elman: Mapping[str, RNN]
) -> None:
    """What `gradient_norms` found, against t on a logarithmic axis: a panel for each title, with networks by name.

    A name begins with RNN, LSTM or GRU, which gives the line its colour.
    elman: the network whose bound and spectral radius are drawn into the panel of that title.
    """
    rates = {title: draw.Elman(_largest_singular(layer), spectral_radius(layer)) for title, layer in elman.items()}
    title = "What the last state keeps of step t: the norm of d h_T / d h_t"
    draw.gradient_flow(panels, rates, title).save(path)
