"""The recurrent layers, a whole sequence at a time: forwards, and backwards through time.

T time steps, B batch, I input size, H hidden size. Arrays are time-major: x is (T, B, I).

Three things make them fast. The products of the inputs do not depend on the recurrence, so one matrix
product makes them for all steps; nor do the gradients of the weights, so one product at the end sums them.
What is left in the loop, a product with the hidden state and a few elementwise operations, works in place.

Padded batches: sequence b has `lengths[b]` steps, and the batch is sorted, longest first. At step t the
first n sequences are still running and only their rows are computed, so padding costs nothing and reaches
nothing. So it is in reverse: a sequence joins when the walk from the end arrives at its last step.
"""

from collections.abc import Iterator

import numpy as np

from handmade.kernels.choice import has_compiled_form
from handmade.kernels.products import matmul

Array = np.ndarray


def schedule(lengths: Array, steps: int, reverse: bool) -> list[tuple[int, int]]:
    """The steps in the order of the recurrence, each with the number of sequences that run at it."""
    running = (lengths > np.arange(steps)[:, None]).sum(axis=1).tolist()
    return list(enumerate(running))[:: -1 if reverse else 1]


def track(initial: Array, lengths: Array, steps: int, reverse: bool) -> tuple[Array, Array]:
    """Room for a state (B, H): what it is before each step and after it, both (T, B, H).

    They are two views of one array of T + 1 states, a step apart: what one step leaves, the next one finds.
    """
    states = np.zeros((steps + 1, *initial.shape), initial.dtype)
    before, after = (states[1:], states[:-1]) if reverse else (states[:-1], states[1:])
    before[lengths - 1 if reverse else 0, np.arange(len(lengths))] = initial
    return before, after


def outputs_and_final(lengths: Array, reverse: bool, after: Array, *others: Array) -> Array:
    """The outputs of all T steps, zero in the padding, and under them the final state of each track."""
    steps, rows = len(after), np.arange(len(lengths))
    value = np.empty((steps + 1 + len(others), *after.shape[1:]), after.dtype)
    value[:steps] = after
    value[lengths, rows] = 0  # in reverse the initial state stands there; a full length hits the rows set below
    for row, states in enumerate((after, *others)):
        value[steps + row] = states[0 if reverse else lengths - 1, rows]
    return value


def input_products(x: Array, weight: Array, bias: Array | None) -> Array:
    """x W^T + b for all steps at once: (T, B, I), (G, I), (G,) -> (T, B, G)."""
    steps, batch, size = x.shape
    products = matmul(x.reshape(steps * batch, size), weight.T)
    if bias is not None:
        products += bias
    return products.reshape(steps, batch, len(weight))


def weight_gradient(gradient: Array, operand: Array) -> Array:
    """The gradient of W in `operand W^T`, summed over all steps: (T, B, G), (T, B, I) -> (G, I)."""
    return matmul(gradient.reshape(-1, gradient.shape[-1]).T, operand.reshape(-1, operand.shape[-1]))


def sigmoid_(a: Array) -> None:
    """σ(a) = 1 / (1 + exp(−a)) in place. Where exp overflows to inf, its reciprocal 0 is the right answer."""
    np.negative(a, out=a)
    np.exp(a, out=a)
    a += 1
    np.reciprocal(a, out=a)


def blocks(a: Array, count: int) -> Iterator[Array]:
    """The gates side by side in the last axis, as views."""
    size = a.shape[-1] // count
    return (a[..., k * size : (k + 1) * size] for k in range(count))


# --- RNN ----------------------------------------------------------------------------------------------------


@has_compiled_form
def rnn_forward(
    products: Array, h: Array, weight_hh: Array, lengths: Array, reverse: bool, nonlinearity: str
) -> tuple[Array, Array]:
    """h' = tanh(products + h W_hh^T), or relu: the state before and after each step."""
    steps = len(products)
    before, after = track(h, lengths, steps, reverse)
    transposed = np.ascontiguousarray(weight_hh.T)
    for t, n in schedule(lengths, steps, reverse):
        new = after[t, :n]
        np.matmul(before[t, :n], transposed, out=new)
        new += products[t, :n]
        if nonlinearity == "tanh":
            np.tanh(new, out=new)
        else:
            np.maximum(new, 0, out=new)
    return before, after


@has_compiled_form
def rnn_backward(
    g: Array, weight_hh: Array, lengths: Array, reverse: bool, nonlinearity: str, after: Array
) -> tuple[Array, Array]:
    """The gradients of the products (T, B, H) and of the initial state (B, H)."""
    steps = len(after)
    d, dh = np.zeros_like(after), g[steps].copy()
    for t, n in reversed(schedule(lengths, steps, reverse)):
        new, slope = after[t, :n], d[t, :n]
        dh[:n] += g[t, :n]
        if nonlinearity == "tanh":
            np.multiply(new, new, out=slope)
            np.subtract(1, slope, out=slope)
        else:
            np.greater(new, 0, out=slope)
        slope *= dh[:n]
        np.matmul(slope, weight_hh, out=dh[:n])
    return d, dh


# --- LSTM ---------------------------------------------------------------------------------------------------


def _lstm_step(
    gates: Array, hidden: Array, old: Array, new: Array, squashed: Array, h: Array, peephole: Array | None
) -> None:
    """One step, in place: gates (B, 4H) hold the input's products, hidden those of the old h; c is old, then new."""
    i, f, g, o = blocks(gates, 4)
    gates += hidden
    if peephole is not None:
        i += peephole[0] * old
        f += peephole[1] * old
    sigmoid_(gates[:, : 2 * old.shape[1]])
    np.tanh(g, out=g)
    np.multiply(f, old, out=new)
    new += np.multiply(i, g, out=squashed)
    np.tanh(new, out=squashed)
    if peephole is not None:
        o += peephole[2] * new
    sigmoid_(o)
    np.multiply(o, squashed, out=h)


@has_compiled_form
def lstm_forward(
    products: Array,
    h: Array,
    c: Array,
    weight_hh: Array,
    peephole: Array | None,
    lengths: Array,
    reverse: bool,
) -> tuple[tuple[Array, Array], tuple[Array, Array], Array, Array]:
    """The tracks of h and c, the gates i, f, g, o of all steps (in the place of `products`), and tanh(c).

    `peephole` (3, H): what i and f see of the old cell, and o of the new one (Gers 2000).
    """
    steps = len(products)
    hs, cs = track(h, lengths, steps, reverse), track(c, lengths, steps, reverse)
    squashed = np.zeros_like(cs[0])
    transposed, room = np.ascontiguousarray(weight_hh.T), np.empty_like(products[0])
    with np.errstate(over="ignore"):
        for t, n in schedule(lengths, steps, reverse):
            gates, old, new, y = products[t, :n], cs[0][t, :n], cs[1][t, :n], squashed[t, :n]
            hidden = np.matmul(hs[0][t, :n], transposed, out=room[:n])
            _lstm_step(gates, hidden, old, new, y, hs[1][t, :n], peephole)
    return hs, cs, products, squashed


def _lstm_step_backward(
    d: Array, gates: Array, old: Array, squashed: Array, dh: Array, dc: Array, peephole: Array | None
) -> None:
    """One step back: the gradients dh and dc of its results give d (B, 4H), and dc that of the old c, in place."""
    size = old.shape[1]
    i, f, g, o = blocks(gates, 4)
    di, df, dg, do = blocks(d, 4)
    np.subtract(1, gates, out=d)
    d *= gates  # σ' = σ (1 − σ); the tanh gate's is set next
    np.multiply(g, g, out=dg)
    np.subtract(1, dg, out=dg)
    do *= squashed
    do *= dh
    dc += (1 - squashed * squashed) * o * dh  # h = o tanh(c)
    if peephole is not None:
        dc += do * peephole[2]
    di *= g
    df *= old
    dg *= i
    d[:, : 3 * size].reshape(len(d), 3, size)[...] *= dc[:, None]
    dc *= f
    if peephole is not None:
        dc += di * peephole[0] + df * peephole[1]


@has_compiled_form
def lstm_backward(
    grad: Array,
    weight_hh: Array,
    peephole: Array | None,
    lengths: Array,
    reverse: bool,
    cs: tuple[Array, Array],
    gates: Array,
    squashed: Array,
) -> tuple[Array, Array, Array]:
    """The gradients of the products (T, B, 4H), of the initial h and of the initial c."""
    steps = len(squashed)
    d, dh, dc = np.zeros_like(gates), grad[steps].copy(), grad[steps + 1].copy()
    for t, n in reversed(schedule(lengths, steps, reverse)):
        dhn, dcn = dh[:n], dc[:n]
        dhn += grad[t, :n]
        _lstm_step_backward(d[t, :n], gates[t, :n], cs[0][t, :n], squashed[t, :n], dhn, dcn, peephole)
        np.matmul(d[t, :n], weight_hh, out=dhn)
    return d, dh, dc
