"""The recurrent layers: one layer, one direction, a whole sequence as one operation.

T time steps, B batch, I input size, H hidden size. x is (T, B, I), initial states are (B, H).
The value holds the outputs of all T steps, zero in the padding, followed by the final state as one more row:
(T + 1, B, H); for the LSTM as two rows, h then c: (T + 2, B, H).
`lengths` (B,), in any order, are the numbers of real steps; None means all T. The final state is the one after
the last real step, and `reverse` starts there.
The cell of the same name in nn/cells.py is one step of each, in plain operations.
"""

import functools

import numpy as np

from handmade.kernels import gru as gru_kernel
from handmade.kernels import recurrent as kernel
from handmade.kernels.products import matmul
from handmade.kernels.sums import total
from handmade.ops.op import op


@op
def rnn(
    x,
    h,
    weight_ih,
    weight_hh,
    bias_ih=None,
    bias_hh=None,
    *,
    nonlinearity="tanh",
    lengths=None,
    reverse=False,
):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or with relu instead of tanh (Elman 1990)."""
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"rnn: nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}")
    _check_shapes("rnn", 1, x, (h,), weight_ih, weight_hh, bias_ih, bias_hh)
    batch = _Batch(x, lengths)
    x, h = batch.sort(x), h[batch.order]
    products = kernel.input_products(x, weight_ih, _total(bias_ih, bias_hh))
    before, after = kernel.rnn_forward(products, h, weight_hh, batch.lengths, reverse, nonlinearity)

    def pullback(g):
        d, dh = kernel.rnn_backward(batch.sort(g), weight_hh, batch.lengths, reverse, nonlinearity, after)
        return batch.gradients(d, x, weight_ih, (dh,), lambda: kernel.weight_gradient(d, before))

    return batch.restore(kernel.outputs_and_final(batch.lengths, reverse, after)), pullback


@op
def lstm(x, h, c, weight_ih, weight_hh, bias_ih=None, bias_hh=None, peephole=None, *, lengths=None, reverse=False):
    """Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    The four blocks of W_ih x + b_ih + W_hh h + b_hh give i = σ, f = σ, g = tanh, o = σ.
    Then c' = f c + i g and h' = o tanh(c').
    With `peephole` (3, H), i and f also see the old cell c, and o the new one c' (Gers and Schmidhuber 2000).
    """
    _check_shapes("lstm", 4, x, (h, c), weight_ih, weight_hh, bias_ih, bias_hh, peephole=peephole)
    batch = _Batch(x, lengths)
    x, h, c = batch.sort(x), h[batch.order], c[batch.order]
    products = kernel.input_products(x, weight_ih, _total(bias_ih, bias_hh))
    hs, cs, gates, squashed = kernel.lstm_forward(products, h, c, weight_hh, peephole, batch.lengths, reverse)

    def pullback(g):
        d, dh, dc = kernel.lstm_backward(
            batch.sort(g), weight_hh, peephole, batch.lengths, reverse, cs, gates, squashed
        )
        weights = batch.gradients(d, x, weight_ih, (dh, dc), lambda: kernel.weight_gradient(d, hs[0]))
        return (*weights, lambda: _peephole_gradient(d, *cs))

    return batch.restore(kernel.outputs_and_final(batch.lengths, reverse, hs[1], cs[1])), pullback


@op
def gru(x, h, weight_ih, weight_hh, bias_ih=None, bias_hh=None, *, reset_after=True, lengths=None, reverse=False):
    """The gated recurrent unit (Cho et al. 2014), gates in the order r, z, n: h' = (1 − z) n + z h.

    The reset gate r acts after the product, on W_hn h + b_hn, or with `reset_after=False` before it, on h, as
    in the paper.
    """
    _check_shapes("gru", 3, x, (h,), weight_ih, weight_hh, bias_ih, bias_hh)
    batch = _Batch(x, lengths)
    form = _reset_after if reset_after else _reset_before
    x, h = batch.sort(x), h[batch.order]
    after, backward = form(x, h, weight_ih, weight_hh, bias_ih, bias_hh, batch, reverse)
    return batch.restore(kernel.outputs_and_final(batch.lengths, reverse, after)), backward


def _reset_after(x, h, weight_ih, weight_hh, bias_ih, bias_hh, batch, reverse):
    products = kernel.input_products(x, weight_ih, bias_ih)
    (before, after), gates, touched = gru_kernel.gru_forward(products, h, weight_hh, bias_hh, batch.lengths, reverse)

    def pullback(g):
        d, dh = gru_kernel.gru_backward(batch.sort(g), weight_hh, batch.lengths, reverse, before, gates, touched)
        size = h.shape[1]
        d_hidden = d.copy()  # the gradient of W_hh h + b_hh, whose candidate part went through r
        d_hidden[..., 2 * size :] *= gates[..., :size]
        parts = batch.gradients(d, x, weight_ih, (dh,), lambda: kernel.weight_gradient(d_hidden, before))
        return (*parts[:-1], lambda: total(d_hidden, (0, 1)))

    return after, pullback


def _reset_before(x, h, weight_ih, weight_hh, bias_ih, bias_hh, batch, reverse):
    products = kernel.input_products(x, weight_ih, _total(bias_ih, bias_hh))
    (before, after), gates = gru_kernel.gru_reset_before_forward(products, h, weight_hh, batch.lengths, reverse)

    def pullback(g):
        d, dh = gru_kernel.gru_reset_before_backward(batch.sort(g), weight_hh, batch.lengths, reverse, before, gates)
        size = h.shape[1]
        d_gates, d_candidate, reset = d[..., : 2 * size], d[..., 2 * size :], gates[..., :size] * before

        def grad_hh():
            return np.concatenate([kernel.weight_gradient(d_gates, before), kernel.weight_gradient(d_candidate, reset)])

        return batch.gradients(d, x, weight_ih, (dh,), grad_hh)

    return after, pullback


class _Batch:
    """A padded batch, sorted for the kernels, longest sequence first, and back."""

    def __init__(self, x, lengths):
        steps, size = x.shape[:2]
        self.lengths = np.full(size, steps) if lengths is None else checked_lengths(lengths, steps, size)
        self.order = self.back = slice(None)
        self.padding = None
        if np.any(self.lengths < steps):
            self.order = np.argsort(-self.lengths, kind="stable")
            self.back = np.argsort(self.order)
            self.lengths = self.lengths[self.order]
            self.padding = np.arange(steps)[:, None] >= self.lengths

    def sort(self, x):
        """(T, B, ...) with the sequences sorted; the padding becomes zero."""
        if self.padding is None:
            return x
        x = x[:, self.order]
        x[: len(self.padding)][self.padding] = 0
        return x

    def restore(self, x):
        return x[:, self.back]

    def gradients(self, d, x, weight_ih, states, grad_weight_hh):
        """The gradients of x, the states, both weights and both biases, from d, that of W_ih x + b_ih (T, B, G)."""
        grad_bias = functools.cache(lambda: total(d, (0, 1)))  # both biases have the same
        return (
            lambda: self.restore(matmul(d.reshape(-1, d.shape[-1]), weight_ih).reshape(x.shape)),
            *(state[self.back] for state in states),
            lambda: kernel.weight_gradient(d, x),
            grad_weight_hh,
            grad_bias,
            grad_bias,
        )


def _peephole_gradient(d, before, after):
    di, df, _, do = kernel.blocks(d, 4)
    return np.stack([total(di * before, (0, 1)), total(df * before, (0, 1)), total(do * after, (0, 1))])


def _total(bias_ih, bias_hh):
    return bias_ih if bias_hh is None else bias_hh if bias_ih is None else bias_ih + bias_hh


def checked_lengths(lengths, steps, batch):
    """The numbers of real steps as an array (B,). Raises ValueError or TypeError for numbers that cannot be lengths."""
    lengths = np.asarray(lengths)
    if lengths.shape != (batch,):
        raise ValueError(f"lengths must hold one number for each of the {batch} sequences, got shape {lengths.shape}")
    if not np.issubdtype(lengths.dtype, np.integer):
        raise TypeError(f"lengths must be integers, got {lengths.dtype}")
    for bad in np.flatnonzero((lengths < 1) | (lengths > steps))[:1]:
        raise ValueError(
            f"lengths must be between 1 and the {steps} steps of x, got {lengths[bad]} for sequence {bad}. "
            "Remove empty sequences from the batch."
        )
    return lengths


def _check_shapes(name, gates, x, states, weight_ih, weight_hh, *biases, peephole=None):
    if x.ndim != 3 or 0 in x.shape[:2]:
        raise ValueError(f"{name}: x must be (T, B, I) with at least one step and one sequence, got {x.shape}")
    (_, batch, inputs), hidden = x.shape, weight_hh.shape[-1]
    expected = [("initial state", state, (batch, hidden)) for state in states]
    expected += [
        ("weight_ih", weight_ih, (gates * hidden, inputs)),
        ("weight_hh", weight_hh, (gates * hidden, hidden)),
    ]
    expected += [("bias", bias, (gates * hidden,)) for bias in biases if bias is not None]
    if peephole is not None:
        expected.append(("peephole", peephole, (3, hidden)))
    for what, array, shape in expected:
        if array.shape != shape:
            raise ValueError(f"{name}: {what} must be {shape} for x {x.shape}, got {array.shape}")
