"""How far a gradient reaches: through the layers of a deep network, plain and residual, and through the steps of a
recurrent one. The networks are made on the spot, with the settings that decide it.

    He, Zhang, Ren & Sun, "Identity Mappings in Deep Residual Networks" (2016), section 2; He et al., "Delving Deep into
    Rectifiers" (2015), section 2.2; Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural
    networks" (2013).

A plain layer is x_(l+1) = F(x_l), a residual one x_(l+1) = x_l + F(x_l), with F(x) = relu(norm(W x)). Backward,

    dL/dx_l = dL/dx_(l+1) J_l        and        dL/dx_l = dL/dx_(l+1) (I + J_l),        J_l = dF/dx_l

so a plain network's gradient is a product of Jacobians, and a residual one's has a way past each of them.

L layers, B examples, D features
"""

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from handmade.engine import Tensor
from handmade.lens.gradient_flow import Norms, gradient_norms
from handmade.nn import GRU, LSTM, RNN, BatchNorm1d
from handmade.nn import functional as F

WIDTH, EXAMPLES = 32, 32
"""Features of a layer of the deep networks, and examples that go through them."""

INPUTS, HIDDEN = 8, 16
"""Sizes of the recurrent networks."""

Kind = Literal["rnn", "lstm", "gru"]


def gradients_by_layer(
    depth: int, scale: float, normalised: bool, residual: bool, seed: int = 0
) -> Float[np.ndarray, "layers"]:
    """‖dL/dx_l‖ for l = 0 ... depth, as a share of ‖dL/dx_depth‖, of a network with its first, random weights.

    scale: what He's standard deviation sqrt(2 / D) is multiplied by for the weights; PyTorch's own start of a linear
        layer has 0.41. normalised: whether batch norm stands before each ReLU.
    The loss pulls the last layer in a random direction. The same seed gives the same directions at every scale.
    """
    rng = np.random.default_rng(seed)
    states = [Tensor(rng.standard_normal((EXAMPLES, WIDTH)), requires_grad=True)]
    norm = BatchNorm1d(WIDTH, affine=False, track_running_stats=False)
    for _ in range(depth):
        weight = Tensor(scale * np.sqrt(2 / WIDTH) * rng.standard_normal((WIDTH, WIDTH)))
        branch = states[-1] @ weight.T
        branch = F.relu(norm(branch) if normalised else branch)
        states.append(states[-1] + branch if residual else branch)
        states[-1].retain_grad()
    (states[-1] * Tensor(rng.standard_normal((EXAMPLES, WIDTH)))).sum().backward()
    norms = np.array([np.linalg.norm(state.grad.array) for state in states if state.grad is not None])
    return norms / norms[-1]


class Recurrent(NamedTuple):
    """A recurrent layer, the inputs (T 1 I) that it reads, and what its last state keeps of each before."""

    layer: RNN | LSTM | GRU
    x: Tensor
    norms: dict[str, Norms]


def gradients_by_step(kind: Kind, steps: int, radius: float, keeping: float, seed: int = 0) -> Recurrent:
    """‖d h_T / d h_t‖ for t = 0 ... steps, exactly, of a recurrent network with its first, random weights.

    radius: the spectral radius of an Elman network's W_hh. keeping: the bias of the gate that keeps the old state, an
        LSTM's forget gate or a GRU's update gate; 0 is as PyTorch starts them.
    The same seed gives the same inputs and the same directions of the weights.
    """
    rng = np.random.default_rng(seed)
    layer = {"rnn": RNN, "lstm": LSTM, "gru": GRU}[kind](INPUTS, HIDDEN)
    for parameter in layer.parameters():  # as PyTorch starts them: uniform up to 1 / sqrt(H)
        parameter.array[...] = rng.uniform(-1, 1, parameter.shape) / np.sqrt(HIDDEN)
    recurrent, bias = layer.weight_hh_l0.array, layer.bias_ih_l0.array
    if kind == "rnn":
        recurrent *= radius / np.abs(np.linalg.eigvals(recurrent)).max()
    else:
        bias[HIDDEN : 2 * HIDDEN] += keeping  # i, f, g, o of an LSTM; r, z, n of a GRU
    x = Tensor(rng.standard_normal((steps, 1, INPUTS)).astype(np.float32))
    return Recurrent(layer, x, gradient_norms(layer, x))


def rate(norms: Float[np.ndarray, "layers"]) -> float:
    """What a layer or a step multiplies the gradient by, as the geometric mean over all: 0 where nothing is left."""
    return float((norms[0] / norms[-1]) ** (1 / (len(norms) - 1)))
