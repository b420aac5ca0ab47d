"""The recurrent cells: one step of each network, in plain operations, following the equations of the papers.

B batch, I input size, H hidden size. The layers of recurrent.py compute the same over whole sequences, several times
faster, with parameters of the same layout.
"""

from __future__ import annotations

import math

import handmade.nn.functional as F
from handmade.engine import Tensor
from handmade.engine.creation import empty
from handmade.nn import init
from handmade.nn.module import Module, Parameter


class _Cell(Module):
    """The parameters of one step, the gates stacked along axis 0: W_ih (gates H, I), W_hh (gates H, H), two biases."""

    def __init__(self, gates: int, input_size: int, hidden_size: int, bias: bool) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.weight_ih = Parameter(empty(gates * hidden_size, input_size))
        self.weight_hh = Parameter(empty(gates * hidden_size, hidden_size))
        self.bias_ih = Parameter(empty(gates * hidden_size)) if bias else None
        self.bias_hh = Parameter(empty(gates * hidden_size)) if bias else None

    def reset_parameters(self) -> None:
        """All uniform in ±1 / sqrt(H)."""
        reset_uniform(self, self.hidden_size)

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}"

    def _zeros(self, x: Tensor) -> Tensor:
        return x.new_zeros(*x.shape[:-1], self.hidden_size)

    def _check(self, x: Tensor, *states: Tensor) -> None:
        for name, tensor, size in (("x", x, self.input_size), *(("state", h, self.hidden_size) for h in states)):
            if tensor.ndim not in (1, 2) or tensor.shape[-1] != size or tensor.shape[:-1] != x.shape[:-1]:
                raise ValueError(
                    f"{type(self).__name__}: {name} has shape {tensor.shape} with x {x.shape}; expected (B, {size}) "
                    f"or ({size},)"
                )


class RNNCell(_Cell):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or with relu instead of tanh (Elman 1990).

    x (B, I), h (B, H), zero if not given -> h' (B, H).
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh") -> None:
        super().__init__(1, input_size, hidden_size, bias)
        self.nonlinearity = known_nonlinearity(nonlinearity)
        self.reset_parameters()

    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        h = self._zeros(x) if h is None else h
        self._check(x, h)
        a = F.linear(x, self.weight_ih, self.bias_ih) + F.linear(h, self.weight_hh, self.bias_hh)
        return a.tanh() if self.nonlinearity == "tanh" else a.relu()


class LSTMCell(_Cell):
    """Long short-term memory (Hochreiter and Schmidhuber 1997), with the forget gate of Gers et al. (2000).

        i = σ(W_ii x + b_ii + W_hi h + b_hi)        input gate: how much to write to the cell
        f = σ(W_if x + b_if + W_hf h + b_hf)        forget gate: how much of the cell to keep
        g = tanh(W_ig x + b_ig + W_hg h + b_hg)     candidate: what to write
        o = σ(W_io x + b_io + W_ho h + b_ho)        output gate: how much of the cell to show
        c' = f c + i g
        h' = o tanh(c')

    The parameters hold the gates in the order i, f, g, o. With `peepholes` (Gers and Schmidhuber 2000) i and f also
    see the old cell state, and o the new one, through one weight per unit: p_i c, p_f c and p_o c' are added inside σ,
    where p_i, p_f and p_o are the rows of `peephole` (3, H).
    x (B, I), state (h, c), both (B, H), zero if not given -> (h', c').
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, *, peepholes: bool = False) -> None:
        super().__init__(4, input_size, hidden_size, bias)
        self.peephole = Parameter(empty(3, hidden_size)) if peepholes else None
        self.reset_parameters()

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        h, c = (self._zeros(x), self._zeros(x)) if state is None else state
        self._check(x, h, c)
        a = F.linear(x, self.weight_ih, self.bias_ih) + F.linear(h, self.weight_hh, self.bias_hh)
        i, f, g, o = a.chunk(4, dim=-1)
        if self.peephole is not None:
            i, f = i + self.peephole[0] * c, f + self.peephole[1] * c
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        if self.peephole is not None:
            o = o + self.peephole[2] * c
        return o.sigmoid() * c.tanh(), c


class GRUCell(_Cell):
    """The gated recurrent unit (Cho et al. 2014).

        r = σ(W_ir x + b_ir + W_hr h + b_hr)            reset gate: how much of the past the candidate sees
        z = σ(W_iz x + b_iz + W_hz h + b_hz)            update gate: how much of the past is kept
        n = tanh(W_in x + b_in + r (W_hn h + b_hn))     candidate
        h' = (1 − z) n + z h

    The parameters hold the gates in the order r, z, n. Two conventions differ in the literature:
    - r acts after the product, as above and in cuDNN and PyTorch, or before it, as in the paper, with
      n = tanh(W_in x + b_in + W_hn (r h) + b_hn): `reset_after=False`.
    - Chung et al. (2014) write h' = (1 − z) h + z n. Since σ(−a) = 1 − σ(a), this is the same unit with the rows of z
      negated in all parameters.
    x (B, I), h (B, H), zero if not given -> h' (B, H).
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, *, reset_after: bool = True) -> None:
        super().__init__(3, input_size, hidden_size, bias)
        self.reset_after = reset_after
        self.reset_parameters()

    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        h = self._zeros(x) if h is None else h
        self._check(x, h)
        from_x = F.linear(x, self.weight_ih, self.bias_ih).chunk(3, dim=-1)
        from_h = F.linear(h, self.weight_hh, self.bias_hh).chunk(3, dim=-1)
        r = (from_x[0] + from_h[0]).sigmoid()
        z = (from_x[1] + from_h[1]).sigmoid()
        if self.reset_after:
            n = (from_x[2] + r * from_h[2]).tanh()
        else:
            bias = None if self.bias_hh is None else self.bias_hh.chunk(3)[2]
            n = (from_x[2] + F.linear(r * h, self.weight_hh.chunk(3)[2], bias)).tanh()
        return (1 - z) * n + z * h


def reset_uniform(module: Module, hidden_size: int) -> None:
    """Initialise all parameters uniformly in ±1 / sqrt(hidden_size), as PyTorch does for recurrent networks."""
    bound = 1 / math.sqrt(hidden_size)
    for parameter in module.parameters():
        init.uniform_(parameter, -bound, bound)


def known_nonlinearity(nonlinearity: str) -> str:
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}")
    return nonlinearity
