"""PyTorch's recurrent layers with what handmade's have besides: lengths, peepholes, a reset gate before the product.

T time steps, B batch, I input size, H hidden size, L layers, D directions (1 or 2)
"""

from __future__ import annotations

from typing import Any

from handmade.interop.installed import torch

States = tuple[torch.Tensor, ...]
"""(h,), or (h, c) of an LSTM; B H each in a step, L*D B H in a layer."""


class _Lengths(torch.nn.RNNBase):
    """With `lengths` (B,): outputs behind a sequence's end are zero, and final states are those at its end."""

    def forward(self, x: Any, state: Any = None, lengths: Any = None) -> tuple[Any, Any]:
        if lengths is None:
            return super().forward(x, state)  # of PyTorch's layer, which comes after this class
        if torch.compiler.is_exporting():
            raise NotImplementedError(
                "sequences of several lengths are packed, which torch.export cannot write: export weights alone"
            )
        steps = x.shape[1 if self.batch_first else 0]
        packed = torch.nn.utils.rnn.pack_padded_sequence(
            x, torch.as_tensor(lengths).cpu(), self.batch_first, enforce_sorted=False
        )
        output, final = super().forward(packed, state)
        return torch.nn.utils.rnn.pad_packed_sequence(output, self.batch_first, total_length=steps)[0], final


class RNN(_Lengths, torch.nn.RNN):
    """torch.nn.RNN with `lengths`."""


class LSTM(_Lengths, torch.nn.LSTM):
    """torch.nn.LSTM with `lengths`."""


class GRU(_Lengths, torch.nn.GRU):
    """torch.nn.GRU with `lengths`."""


class _ByStep(torch.nn.RNNBase):
    """A layer whose step PyTorch has not got: one step after another, in plain operations."""

    def step(self, products: torch.Tensor, states: States, suffix: str) -> States:
        """The states after a step, from W_ih x + b_ih of its input, B (gates H), and the states before."""
        raise NotImplementedError

    def forward(self, x: torch.Tensor, state: Any = None, lengths: Any = None) -> tuple[torch.Tensor, Any]:
        x = x.transpose(0, 1) if self.batch_first else x  # T B I
        sides = ("", "_reverse") if self.bidirectional else ("",)
        single, count = isinstance(state, torch.Tensor), 2 if self.mode == "LSTM" else 1
        if state is None:
            state = (x.new_zeros(self.num_layers * len(sides), x.shape[1], self.hidden_size),) * count
        initial = (state,) if single else state
        finals: list[States] = []
        for layer in range(self.num_layers):
            if layer:
                x = torch.dropout(x, self.dropout, self.training)
            outputs = []
            for side in sides:
                before = tuple(each[len(finals)] for each in initial)
                output, final = self._direction(x, before, f"_l{layer}{side}", lengths)
                outputs.append(output)
                finals.append(final)
            x = torch.cat(outputs, dim=2)  # T B D*H
        joined = tuple(torch.stack([final[i] for final in finals]) for i in range(count))
        return x.transpose(0, 1) if self.batch_first else x, joined if count == 2 else joined[0]

    def _direction(self, x: torch.Tensor, states: States, suffix: str, lengths: Any) -> tuple[torch.Tensor, States]:
        weight, bias = getattr(self, "weight_ih" + suffix), getattr(self, "bias_ih" + suffix, None)
        products, outputs = torch.nn.functional.linear(x, weight, bias), {}  # T B gates*H
        times = range(len(x))
        ends = None if lengths is None else torch.as_tensor(lengths, device=x.device)[:, None]  # B 1
        for t in reversed(times) if suffix.endswith("_reverse") else times:
            after = self.step(products[t], states, suffix)
            if ends is not None:  # a sequence that is over, or has not begun, keeps its states
                after = tuple(torch.where(t < ends, new, old) for new, old in zip(after, states, strict=True))
            states = after
            outputs[t] = states[0] if ends is None else states[0] * (t < ends)
        return torch.stack([outputs[t] for t in times]), states


class PeepholeLSTM(_ByStep, LSTM):
    """The gates see the cell state (Gers and Schmidhuber 2000): see LSTMCell in nn/cells.py."""

    def step(self, products: torch.Tensor, states: States, suffix: str) -> States:
        h, c = states
        peephole = getattr(self, "peephole" + suffix)  # 3 H
        hidden = torch.nn.functional.linear(
            h, getattr(self, "weight_hh" + suffix), getattr(self, "bias_hh" + suffix, None)
        )
        i, f, g, o = (products + hidden).chunk(4, dim=1)
        i, f = i + peephole[0] * c, f + peephole[1] * c
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return (o + peephole[2] * c).sigmoid() * c.tanh(), c


class ResetBeforeGRU(_ByStep, GRU):
    """The reset gate acts before the product, as in Cho et al. (2014): see GRUCell in nn/cells.py."""

    def step(self, products: torch.Tensor, states: States, suffix: str) -> States:
        (h,) = states
        weight, bias = getattr(self, "weight_hh" + suffix), getattr(self, "bias_hh" + suffix, None)
        rows = 2 * self.hidden_size
        gates = (
            products[:, :rows] + torch.nn.functional.linear(h, weight[:rows], None if bias is None else bias[:rows])
        ).sigmoid()
        r, z = gates.chunk(2, dim=1)
        n = (
            products[:, rows:] + torch.nn.functional.linear(r * h, weight[rows:], None if bias is None else bias[rows:])
        ).tanh()
        return ((1 - z) * n + z * h,)
