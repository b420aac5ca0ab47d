"""The recurrent layers: whole sequences at once, in one layer or several, in one direction or both.

T time steps, B batch, I input size, H hidden size, L layers, D directions (1 or 2).
Each layer and direction is one operation of ops/recurrent.py; one step of it is written out in cells.py.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import handmade.nn.functional as F
from handmade.engine import Tensor
from handmade.engine.creation import empty, zeros
from handmade.engine.functions import cat, stack, where
from handmade.nn.cells import known_nonlinearity, reset_uniform
from handmade.nn.functional.arguments import run
from handmade.nn.module import Module, Parameter
from handmade.nn.utils.rnn import PackedSequence, like_packed, pad_packed_sequence
from handmade.ops import recurrent

Lengths = Sequence[int] | np.ndarray | Tensor


class _Recurrent(Module):
    """L layers, each of which reads the outputs of the one below, forward or in both directions.

    Parameters are named as in PyTorch: weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 in the first layer, _l1 in
    the second; those of the backward direction end in _reverse. All are initialised uniformly in ±1 / sqrt(H).
    """

    operation: Callable[..., Any]
    gates: int
    parameter_names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    number_of_states = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        peepholes: bool = False,
    ) -> None:
        super().__init__()
        for argument, size in (("input_size", input_size), ("hidden_size", hidden_size), ("num_layers", num_layers)):
            if size < 1:
                raise ValueError(f"{type(self).__name__}: {argument} must be at least 1, got {size}")
        if not 0 <= dropout <= 1:
            raise ValueError(f"{type(self).__name__}: dropout must be a probability from 0 to 1, got {dropout}")
        if dropout and num_layers == 1:
            name = type(self).__name__
            warnings.warn(f"{name}: dropout={dropout} acts between layers, but num_layers=1", stacklevel=3)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = dropout
        self.bidirectional = bidirectional
        self.peepholes = peepholes
        for layer in range(num_layers):
            for side in self._sides():
                below = self.state_sizes[0] * len(self._sides())
                self._make_parameters(f"_l{layer}{side}", below if layer else input_size)
        self.reset_parameters()

    def flatten_parameters(self) -> None:
        """Nothing: the weights lie as the kernels read them. PyTorch lays them out anew for a GPU."""

    def _sides(self) -> tuple[str, ...]:
        return ("", "_reverse") if self.bidirectional else ("",)

    def _make_parameters(self, suffix: str, inputs: int) -> None:
        rows, size = self.gates * self.hidden_size, self.hidden_size
        bias = (rows,) if self.bias else None
        peephole = (3, size) if self.peepholes else None
        for name, shape in zip(
            self.parameter_names, ((rows, inputs), (rows, self.state_sizes[0]), bias, bias, peephole), strict=False
        ):
            setattr(self, name + suffix, Parameter(empty(*shape)) if shape else None)

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """The size of each state: that of the outputs first."""
        return (self.hidden_size,) * self.number_of_states

    def reset_parameters(self) -> None:
        """All uniform in ±1 / sqrt(H)."""
        reset_uniform(self, self.hidden_size)

    def _run(
        self, x: Tensor | PackedSequence, states: Sequence[Tensor] | None, lengths: Lengths | None, **options: Any
    ) -> tuple[Any, list[Tensor]]:
        """The output of the last layer, and each final state (L D, B, H)."""
        if isinstance(x, PackedSequence):
            padded, lengths = pad_packed_sequence(x, self.batch_first)
            output, final = self._run(padded, states, lengths, **options)
            return like_packed(output, x, self.batch_first), final
        if x.ndim == 2:  # one sequence, without a batch axis
            states = None if states is None else [state.unsqueeze(1) for state in states]
            batch = int(not self.batch_first)
            output, final = self._run(x.unsqueeze(batch), states, lengths, **options)
            return output.squeeze(batch), [state.squeeze(1) for state in final]
        x = self._time_major(x)
        states = self._initial(x, states)
        finals: list[Sequence[Tensor]] = []
        for layer in range(self.num_layers):
            if layer:
                x = F.dropout(x, self.dropout, self.training)
            outputs = []
            for side in self._sides():
                initial = [state[len(finals)] for state in states]
                reverse = side == "_reverse"
                output, final = self._walk(x, initial, f"_l{layer}{side}", lengths=lengths, reverse=reverse, **options)
                outputs.append(output)  # T B H
                finals.append(final)
            x = cat(outputs, dim=2) if self.bidirectional else outputs[0]  # T B D*H
        joined = [stack([final[i] for final in finals]) for i in range(self.number_of_states)]
        return x.transpose(0, 1) if self.batch_first else x, joined

    def _walk(
        self, x: Tensor, initial: Sequence[Tensor], suffix: str, **options: Any
    ) -> tuple[Tensor, Sequence[Tensor]]:
        """One layer in one direction: outputs (T, B, H), and each final state (B, H)."""
        parameters = [getattr(self, name + suffix) for name in self.parameter_names]
        value = run(self.operation, x, *initial, *parameters, **options)
        return value[: x.shape[0]], [value[x.shape[0] + i] for i in range(self.number_of_states)]

    def _time_major(self, x: Tensor) -> Tensor:
        if x.ndim != 3 or x.shape[2] != self.input_size:
            axes = "(B, T, I)" if self.batch_first else "(T, B, I)"
            raise ValueError(f"{type(self).__name__}: x must be {axes} with I = {self.input_size}, got {x.shape}")
        return x.transpose(0, 1) if self.batch_first else x

    def _initial(self, x: Tensor, states: Sequence[Tensor] | None) -> Sequence[Tensor]:
        rows = (self.num_layers * len(self._sides()), x.shape[1])
        if states is None:
            return [zeros(*rows, size, dtype=x.dtype) for size in self.state_sizes]
        for state, size in zip(states, self.state_sizes, strict=True):
            if state.shape != (shape := (*rows, size)):
                raise ValueError(f"{type(self).__name__}: the state must be (L D, B, H) = {shape}, got {state.shape}")
        return states

    def extra_repr(self) -> str:
        shown = f"{self.input_size}, {self.hidden_size}"
        for name, default in (("num_layers", 1), ("bias", True), ("batch_first", False), ("dropout", 0.0)):
            if getattr(self, name) != default:
                shown += f", {name}={getattr(self, name)}"
        return shown + (", bidirectional=True" if self.bidirectional else "")


class RNN(_Recurrent):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh) in each layer, or relu (Elman 1990; see RNNCell).

    x (T, B, I), or (B, T, I) with `batch_first`; state (L D, B, H), zero if not given -> the output of the last layer,
    shaped like x but with D H features, and h_n (L D, B, H), the state after the last step.

    lengths (B,), in any order, are the numbers of steps in each sequence, at least 1; the rest is padding, which has
    no effect: its outputs are zero, h_n is the state after the last real step, the backward direction starts there,
    and no gradient flows through it. A PackedSequence gives a PackedSequence.
    `dropout` acts, in training, on the outputs that a layer passes to the next.

    Raises ValueError for shapes that do not fit, and for lengths below 1 or above T.
    """

    operation = staticmethod(recurrent.rnn)
    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)
        self.nonlinearity = known_nonlinearity(nonlinearity)

    def forward(
        self, x: Tensor | PackedSequence, state: Tensor | None = None, lengths: Lengths | None = None
    ) -> tuple[Any, Tensor]:
        states = None if state is None else (state,)
        output, final = self._run(x, states, lengths, nonlinearity=self.nonlinearity)
        return output, final[0]


class LSTM(_Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber 1997; see LSTMCell), gates in the order i, f, g, o.

    Arguments and shapes as in RNN, but the state is a pair: state (h, c), both (L D, B, H) -> output, (h_n, c_n).
    `peepholes` lets the gates see the cell state (Gers and Schmidhuber 2000), with parameters peephole_l0 (3, H), ...
    With `proj_size` P the output and h are W_hr (o tanh(c)) of P < H numbers (Sak et al. 2014), weight_hr_l0 (P, H);
    this is computed step by step, in plain operations.

    >>> from handmade import nn, randn
    >>> output, (h, c) = nn.LSTM(3, 8, num_layers=2)(randn(7, 5, 3))  # 7 steps of 5 sequences
    >>> output.shape, h.shape
    ((7, 5, 8), (2, 5, 8))
    """

    operation = staticmethod(recurrent.lstm)
    gates = 4
    parameter_names = (*_Recurrent.parameter_names, "peephole")
    number_of_states = 2

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        peepholes: bool = False,
    ) -> None:
        if not 0 <= proj_size < hidden_size or (proj_size and peepholes):
            raise ValueError(
                f"LSTM: proj_size is {proj_size}; expected 0 for none, or a number below hidden_size = {hidden_size}, "
                "without peepholes"
            )
        self.proj_size = proj_size
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, peepholes)

    @property
    def state_sizes(self) -> tuple[int, ...]:
        return self.proj_size or self.hidden_size, self.hidden_size

    def _make_parameters(self, suffix: str, inputs: int) -> None:
        super()._make_parameters(suffix, inputs)
        if self.proj_size:
            setattr(self, "weight_hr" + suffix, Parameter(empty(self.proj_size, self.hidden_size)))

    def forward(
        self, x: Tensor | PackedSequence, state: tuple[Tensor, Tensor] | None = None, lengths: Lengths | None = None
    ) -> tuple[Any, tuple[Tensor, Tensor]]:
        output, final = self._run(x, state, lengths)
        return output, (final[0], final[1])

    def _walk(
        self, x: Tensor, initial: Sequence[Tensor], suffix: str, **options: Any
    ) -> tuple[Tensor, Sequence[Tensor]]:
        if not self.proj_size:
            return super()._walk(x, initial, suffix, **options)
        if options["lengths"] is not None:
            lengths = options["lengths"] = recurrent.checked_lengths(options["lengths"], *x.shape[:2])
            x = where(np.arange(len(x))[:, None, None] < lengths[:, None], x, 0.0)  # what is padding has no effect
        weight_ih, weight_hh, bias_ih, bias_hh, weight_hr = (
            getattr(self, name + suffix) for name in (*_Recurrent.parameter_names, "weight_hr")
        )
        h, c = initial
        return _projected_lstm(F.linear(x, weight_ih, bias_ih), h, c, weight_hh, bias_hh, weight_hr, **options)

    def extra_repr(self) -> str:
        return super().extra_repr() + (f", proj_size={self.proj_size}" if self.proj_size else "")


class GRU(_Recurrent):
    """The gated recurrent unit (Cho et al. 2014; see GRUCell for its conventions), gates in the order r, z, n.

    Arguments and shapes as in RNN. `reset_after=False` applies the reset gate to the hidden state before the product
    with W_hn, as in the paper.

    >>> from handmade import nn, randn
    >>> output, h = nn.GRU(3, 8, bidirectional=True, batch_first=True)(randn(5, 7, 3))
    >>> output.shape, h.shape
    ((5, 7, 16), (2, 5, 8))
    """

    operation = staticmethod(recurrent.gru)
    gates = 3

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        reset_after: bool = True,
    ) -> None:
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)
        self.reset_after = reset_after

    def forward(
        self, x: Tensor | PackedSequence, state: Tensor | None = None, lengths: Lengths | None = None
    ) -> tuple[Any, Tensor]:
        states = None if state is None else (state,)
        output, final = self._run(x, states, lengths, reset_after=self.reset_after)
        return output, final[0]


def _projected_lstm(
    products: Tensor,
    h: Tensor,
    c: Tensor,
    weight_hh: Tensor,
    bias_hh: Tensor | None,
    weight_hr: Tensor,
    lengths: np.ndarray | None,
    reverse: bool,
) -> tuple[Tensor, Sequence[Tensor]]:
    """The recurrence of an LSTM whose h is projected, from the products of its inputs (T, B, 4H)."""
    steps = len(products)
    outputs: list[Tensor] = []
    for t in reversed(range(steps)) if reverse else range(steps):
        i, f, g, o = (products[t] + F.linear(h, weight_hh, bias_hh)).chunk(4, dim=1)
        new_c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        new_h = F.linear(o.sigmoid() * new_c.tanh(), weight_hr)
        if lengths is None:
            h, c = new_h, new_c
            outputs.append(h)
        else:  # a sequence that is over, or has not begun, keeps its state
            running = Tensor(t < lengths[:, None])
            h, c = where(running, new_h, h), where(running, new_c, c)
            outputs.append(new_h * running)
    return stack(outputs[::-1] if reverse else outputs), (h, c)
