"""The recurrent networks: their cells, one step in plain operations, and their layers, whole sequences at once.

B batch, T time steps, I input size, H hidden size, L layers, D directions (1 or 2).
A cell is the equations as they stand in the papers. A layer computes the same, several times faster, by the operation
of that name in ops/recurrent.py, one a layer and direction.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

import handmade.nn.functional as F
from handmade import ops
from handmade.creation import empty, zeros
from handmade.nn import init
from handmade.nn.module import Module, Parameter
from handmade.ops.op import Operation
from handmade.tensor import Tensor, apply

Lengths = Sequence[int] | np.ndarray | Tensor

# --- cells ------------------------------------------------------------------------------------------------------------


class _Cell(Module):
    """The parameters of one step, their gates one below the other: W_ih (gates H, I), W_hh (gates H, H), two biases."""

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
        _reset(self, self.hidden_size)

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}"

    def _zeros(self, x: Tensor) -> Tensor:
        return zeros(x.shape[0], self.hidden_size, dtype=x.dtype)


class RNNCell(_Cell):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu in place of tanh (Elman 1990).

    x (B, I), h (B, H), zero if not given -> h' (B, H).
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh") -> None:
        super().__init__(1, input_size, hidden_size, bias)
        self.nonlinearity = _known_nonlinearity(nonlinearity)
        self.reset_parameters()

    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        h = self._zeros(x) if h is None else h
        a = F.linear(x, self.weight_ih, self.bias_ih) + F.linear(h, self.weight_hh, self.bias_hh)
        return a.tanh() if self.nonlinearity == "tanh" else a.relu()


class LSTMCell(_Cell):
    """Long short-term memory (Hochreiter and Schmidhuber 1997), with the forget gate of Gers et al. (2000).

        i = σ(W_ii x + b_ii + W_hi h + b_hi)        what to write
        f = σ(W_if x + b_if + W_hf h + b_hf)        what to keep
        g = tanh(W_ig x + b_ig + W_hg h + b_hg)     what could be written
        o = σ(W_io x + b_io + W_ho h + b_ho)        what to show
        c' = f c + i g
        h' = o tanh(c')

    The parameters hold the gates in the order i, f, g, o. With `peepholes` (Gers and Schmidhuber 2000) i and f also see
    the old cell, and o the new one, by one weight a unit: p_i c, p_f c and p_o c' are added inside σ; `peephole` (3, H).
    x (B, I), state (h, c), both (B, H), zero if not given -> (h', c').
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, *, peepholes: bool = False) -> None:
        super().__init__(4, input_size, hidden_size, bias)
        self.peephole = Parameter(empty(3, hidden_size)) if peepholes else None
        self.reset_parameters()

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        h, c = (self._zeros(x), self._zeros(x)) if state is None else state
        a = F.linear(x, self.weight_ih, self.bias_ih) + F.linear(h, self.weight_hh, self.bias_hh)
        i, f, g, o = a.chunk(4, dim=1)
        if self.peephole is not None:
            i, f = i + self.peephole[0] * c, f + self.peephole[1] * c
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        if self.peephole is not None:
            o = o + self.peephole[2] * c
        return o.sigmoid() * c.tanh(), c


class GRUCell(_Cell):
    """The gated recurrent unit (Cho et al. 2014).

        r = σ(W_ir x + b_ir + W_hr h + b_hr)            reset: what of the past the candidate sees
        z = σ(W_iz x + b_iz + W_hz h + b_hz)            update: what of the past stays
        n = tanh(W_in x + b_in + r (W_hn h + b_hn))     the candidate
        h' = (1 − z) n + z h

    The parameters hold the gates in the order r, z, n. Two conventions differ in the literature:
    - r acts after the product, as above and in cuDNN and PyTorch, or before it, as in the paper, with
      n = tanh(W_in x + b_in + W_hn (r h) + b_hn): `reset_after=False`.
    - Chung et al. (2014) write h' = (1 − z) h + z n. Since σ(−a) = 1 − σ(a), it is the same unit with the rows z of
      all parameters negated.
    x (B, I), h (B, H), zero if not given -> h' (B, H).
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, *, reset_after: bool = True) -> None:
        super().__init__(3, input_size, hidden_size, bias)
        self.reset_after = reset_after
        self.reset_parameters()

    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        h = self._zeros(x) if h is None else h
        from_x = F.linear(x, self.weight_ih, self.bias_ih).chunk(3, dim=1)
        from_h = F.linear(h, self.weight_hh, self.bias_hh).chunk(3, dim=1)
        r = (from_x[0] + from_h[0]).sigmoid()
        z = (from_x[1] + from_h[1]).sigmoid()
        if self.reset_after:
            n = (from_x[2] + r * from_h[2]).tanh()
        else:
            bias = None if self.bias_hh is None else self.bias_hh.chunk(3)[2]
            n = (from_x[2] + F.linear(r * h, self.weight_hh.chunk(3)[2], bias)).tanh()
        return (1 - z) * n + z * h


# --- layers -----------------------------------------------------------------------------------------------------------


class _Recurrent(Module):
    """L layers, each of which reads the outputs of the one below, forwards or in both directions.

    Parameters are named as in PyTorch: weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 of the first layer, _l1 of the
    second; those of the second direction end in _reverse. All start uniform in ±1 / sqrt(H).
    """

    operation: Operation
    gates: int
    states = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
    ) -> None:
        super().__init__()
        for name, size in (("input_size", input_size), ("hidden_size", hidden_size), ("num_layers", num_layers)):
            if size < 1:
                raise ValueError(f"{type(self).__name__}: {name} must be at least 1, got {size}")
        if not 0 <= dropout <= 1:
            raise ValueError(f"{type(self).__name__}: dropout must be a probability from 0 to 1, got {dropout}")
        if dropout and num_layers == 1:
            warnings.warn(
                f"{type(self).__name__}: dropout={dropout} acts between layers, of which there is one", stacklevel=3
            )
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = dropout
        self.bidirectional = bidirectional
        for layer in range(num_layers):
            inputs = hidden_size * len(self._sides()) if layer else input_size
            for side in self._sides():
                self._make_parameters(f"_l{layer}{side}", inputs)
        self.reset_parameters()

    def _sides(self) -> tuple[str, ...]:
        return ("", "_reverse") if self.bidirectional else ("",)

    def _make_parameters(self, suffix: str, inputs: int) -> None:
        rows = self.gates * self.hidden_size
        setattr(self, "weight_ih" + suffix, Parameter(empty(rows, inputs)))
        setattr(self, "weight_hh" + suffix, Parameter(empty(rows, self.hidden_size)))
        setattr(self, "bias_ih" + suffix, Parameter(empty(rows)) if self.bias else None)
        setattr(self, "bias_hh" + suffix, Parameter(empty(rows)) if self.bias else None)

    def _parameters_of(self, suffix: str) -> list[Parameter | None]:
        return [getattr(self, name + suffix) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]

    def _options(self) -> dict[str, Any]:
        """What the operation takes besides its arrays."""
        return {}

    def reset_parameters(self) -> None:
        """All uniform in ±1 / sqrt(H)."""
        _reset(self, self.hidden_size)

    def _run(self, x: Tensor, states: Sequence[Tensor] | None, lengths: Lengths | None) -> tuple[Tensor, list[Tensor]]:
        """The output of the last layer, and each final state (L D, B, H)."""
        if self.batch_first:
            x = x.transpose(0, 1)  # B T I -> T B I
        self._check_input(x)
        steps, batch, _ = x.shape
        shape = (self.num_layers * len(self._sides()), batch, self.hidden_size)
        if states is None:
            states = [zeros(*shape, dtype=x.dtype)] * self.states
        for state in states:
            if state.shape != shape:
                raise ValueError(f"{type(self).__name__}: the state must be {shape}, got {state.shape}")
        finals = []
        for layer in range(self.num_layers):
            if layer:
                x = F.dropout(x, self.dropout, self.training)
            outputs = []
            for side in self._sides():
                initial = [state[len(finals)] for state in states]
                parameters = self._parameters_of(f"_l{layer}{side}")
                options = {"lengths": lengths, "reverse": side == "_reverse", **self._options()}
                value = apply(type(self).operation, x, *initial, *parameters, **options)
                outputs.append(value[:steps])
                finals.append(value[steps:])
            x = outputs[0] if len(outputs) == 1 else ops_cat(outputs)
        return x, finals
