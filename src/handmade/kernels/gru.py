"""The gated recurrent unit in its two forms, a whole sequence at a time (see kernels/recurrent.py).

T time steps, B batch, H hidden size; gates side by side in the order r (reset), z (update), n (candidate).

    reset after:    n = tanh(W_in x + b_in + r (W_hn h + b_hn))     as in cuDNN and PyTorch
    reset before:   n = tanh(W_in x + b_in + W_hn (r h) + b_hn)     as in Cho et al. 2014

After: one product with the state serves all three gates. Before: the candidate waits for r and needs another.
Both end with h' = (1 − z) n + z h, computed as n + z (h − n).
"""

import numpy as np

from handmade.kernels.choice import has_compiled_form
from handmade.kernels.recurrent import Array, blocks, schedule, sigmoid_, track


@has_compiled_form
def gru_forward(
    products: Array, h: Array, weight_hh: Array, bias_hh: Array | None, lengths: Array, reverse: bool
) -> tuple[tuple[Array, Array], Array, Array]:
    """The track of h, the gates of all steps (in the place of `products`), and W_hn h + b_hn."""
    steps, size = len(products), h.shape[1]
    before, after = track(h, lengths, steps, reverse)
    touched = np.zeros_like(after)  # what the reset gate multiplies
    transposed, room = np.ascontiguousarray(weight_hh.T), np.empty_like(products[0])
    with np.errstate(over="ignore"):
        for t, n in schedule(lengths, steps, reverse):
            old, new, gates, reset_by = before[t, :n], after[t, :n], products[t, :n], touched[t, :n]
            r, z, candidate = blocks(gates, 3)
            hidden = np.matmul(old, transposed, out=room[:n])
            if bias_hh is not None:
                hidden += bias_hh
            gates[:, : 2 * size] += hidden[:, : 2 * size]
            sigmoid_(gates[:, : 2 * size])
            reset_by[...] = hidden[:, 2 * size :]
            candidate += np.multiply(r, reset_by, out=new)
            _step(old, z, candidate, new)
    return (before, after), products, touched


@has_compiled_form
def gru_backward(
    g: Array, weight_hh: Array, lengths: Array, reverse: bool, before: Array, gates: Array, touched: Array
) -> tuple[Array, Array]:
    """The gradients of the products (T, B, 3H) and of the initial state (B, H).

    Those of W_hh h + b_hh are the same but for the candidate's, which passes through r.
    """
    steps, _, size = before.shape
    d, dh, room = np.zeros_like(gates), g[steps].copy(), np.empty_like(gates[0])
    for t, n in reversed(schedule(lengths, steps, reverse)):
        r, z, _ = blocks(gates[t, :n], 3)
        dr, _, dn = blocks(d[t, :n], 3)
        dhn, hidden = dh[:n], room[:n]
        dhn += g[t, :n]
        _step_backward(before[t, :n], gates[t, :n], dhn, d[t, :n])
        dr *= dn
        dr *= touched[t, :n]
        hidden[:, : 2 * size] = d[t, :n, : 2 * size]
        np.multiply(dn, r, out=hidden[:, 2 * size :])
        dhn *= z
        dhn += hidden @ weight_hh
    return d, dh


def gru_reset_before_forward(
    products: Array, h: Array, weight_hh: Array, lengths: Array, reverse: bool
) -> tuple[tuple[Array, Array], Array]:
    """The track of h and the gates of all steps (in the place of `products`, which hold both biases)."""
    steps, size = len(products), h.shape[1]
    before, after = track(h, lengths, steps, reverse)
    for_gates, for_candidate = (np.ascontiguousarray(w.T) for w in np.split(weight_hh, [2 * size]))
    with np.errstate(over="ignore"):
        for t, n in schedule(lengths, steps, reverse):
            old, new, gates = before[t, :n], after[t, :n], products[t, :n]
            r, z, candidate = blocks(gates, 3)
            gates[:, : 2 * size] += old @ for_gates
            sigmoid_(gates[:, : 2 * size])
            candidate += np.multiply(r, old, out=new) @ for_candidate
            _step(old, z, candidate, new)
    return (before, after), products


def gru_reset_before_backward(
    g: Array, weight_hh: Array, lengths: Array, reverse: bool, before: Array, gates: Array
) -> tuple[Array, Array]:
    """The gradients of the products (T, B, 3H) and of the initial state (B, H)."""
    steps, _, size = before.shape
    d, dh, room = np.zeros_like(gates), g[steps].copy(), np.empty_like(before[0])
    for_gates, for_candidate = np.split(weight_hh, [2 * size])
    for t, n in reversed(schedule(lengths, steps, reverse)):
        r, z, _ = blocks(gates[t, :n], 3)
        dr, _, dn = blocks(d[t, :n], 3)
        dhn, d_reset = dh[:n], room[:n]
        dhn += g[t, :n]
        _step_backward(before[t, :n], gates[t, :n], dhn, d[t, :n])
        np.matmul(dn, for_candidate, out=d_reset)  # the gradient of r h
        dr *= d_reset
        dr *= before[t, :n]
        dhn *= z
        d_reset *= r
        dhn += d_reset
        dhn += d[t, :n, : 2 * size] @ for_gates
    return d, dh


def _step(old: Array, z: Array, candidate: Array, new: Array) -> None:
    """h' = n + z (h − n), with n = tanh(candidate) left in its place."""
    np.tanh(candidate, out=candidate)
    np.subtract(old, candidate, out=new)
    new *= z
    new += candidate


def _step_backward(old: Array, gates: Array, dh: Array, d: Array) -> None:
    """Fill `d` with the gradients before the squashing: z's and n's whole, of r's only σ' as yet."""
    candidate = gates[:, 2 * dh.shape[1] :]
    _, dz, dn = blocks(d, 3)
    np.subtract(1, gates, out=d)
    np.multiply(dh, dz, out=dn)  # dh (1 − z), before dz changes
    d[:, : 2 * dh.shape[1]] *= gates[:, : 2 * dh.shape[1]]  # σ' = σ (1 − σ)
    dn *= 1 - candidate * candidate
    dz *= dh
    dz *= old - candidate
