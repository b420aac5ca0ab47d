"""Connectionist temporal classification (Graves et al. 2006): how likely a labelling is.

T time steps, N sequences, C classes, S labels at most, L = 2S + 1 states: the labels with a blank before,
between and after them. A path stays in its state, moves to the next one, or skips a blank between two
different labels. All sequences and states are computed at once, in logarithms; only time is a loop.
"""

import numpy as np

Array = np.ndarray


def ctc_posterior(
    log_probs: Array, targets: Array, input_lengths: Array, target_lengths: Array, blank: int
) -> tuple[Array, Array]:
    """log p(labels) (N,), −inf where no path fits; p(class at t | labels) (T, N, C), 0 in the padding.

    log_probs (T, N, C), targets (N, S) padded with anything that is a class.
    """
    log_probs = log_probs.astype(np.float64)  # sums of hundreds of logarithms, of which differences are taken
    states = np.full((len(targets), 2 * targets.shape[1] + 1), blank)
    states[:, 1::2] = targets
    emission = np.take_along_axis(log_probs, states[None], axis=2)  # T N C -> T N L
    skip = np.full(states.shape, -np.inf)  # added to the way from state s − 2 to state s
    skip[:, 2:][(states[:, 2:] != blank) & (states[:, 2:] != states[:, :-2])] = 0
    place = np.arange(states.shape[1])
    final = (place == 2 * target_lengths[:, None]) | (place == 2 * target_lengths[:, None] - 1)

    forward = _forward(emission, skip)
    at_end = np.where(final, forward[input_lengths - 1, np.arange(len(states))], -np.inf)
    log_likelihood = np.logaddexp.reduce(at_end, axis=1)
    empty = input_lengths == 0  # its only path gives no labels, with certainty
    log_likelihood[empty] = np.where(target_lengths[empty] == 0, 0, -np.inf)
    backward = _backward(emission, skip, final, input_lengths)

    total = np.where(np.isneginf(log_likelihood), 0, log_likelihood)
    in_state = np.exp(forward + backward - total[:, None])  # T N L
    of_class = states[..., None] == np.arange(log_probs.shape[2])  # N L C
    return log_likelihood, (in_state.transpose(1, 0, 2) @ of_class).transpose(1, 0, 2)


def _forward(emission: Array, skip: Array) -> Array:
    """α_t(s): the paths from the first step to state s at step t, emission included (equations 5 to 7)."""
    steps, batch, size = emission.shape
    alpha = np.full((steps, batch, 2 + size), -np.inf)  # two states that are never reached lie before the first
    alpha[0, :, 2:4] = emission[0, :, :2]
    for t in range(1, steps):
        old = alpha[t - 1]
        stay_or_move = np.logaddexp(old[:, 2:], old[:, 1:-1])
        np.logaddexp(stay_or_move, old[:, :-2] + skip, out=alpha[t, :, 2:])
        alpha[t, :, 2:] += emission[t]
    return alpha[:, :, 2:]


def _backward(emission: Array, skip: Array, final: Array, input_lengths: Array) -> Array:
    """β_t(s): the ways on from state s at step t to a final state, emission excluded (equation 10)."""
    steps, batch, size = emission.shape
    beta = np.full(emission.shape, -np.inf)
    later = np.full((batch, size + 2), -np.inf)
    skip = np.concatenate([skip[:, 2:], skip[:, :2]], axis=1)
    for t in reversed(range(steps)):
        last = (input_lengths - 1 == t)[:, None]
        stay_or_move = np.logaddexp(later[:, :-2], later[:, 1:-1])
        beta[t] = np.where(last & final, 0, np.logaddexp(stay_or_move, later[:, 2:] + skip))
        later[:, :-2] = beta[t] + emission[t]
    return beta
