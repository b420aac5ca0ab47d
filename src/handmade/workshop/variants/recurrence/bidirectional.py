# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% masks
import numpy as np


def bidirectional(x, lengths, forward_params, backward_params):
    N, T, D = x.shape
    valid = np.arange(T)[None] < np.asarray(lengths)[:, None]  # N T
    halves = []
    for params, order in ((forward_params, range(T)), (backward_params, range(T - 1, -1, -1))):
        Wx, Wh, b = params
        h = np.zeros((N, len(b)))
        half = np.zeros((N, T, len(b)))
        for t in order:
            h = np.where(valid[:, t, None], np.tanh(x[:, t] @ Wx + h @ Wh + b), 0.0)
            half[:, t] = h
        halves.append(half)
    return np.concatenate(halves, axis=2)


# %% loops over the sequences
import numpy as np


def bidirectional(x, lengths, forward_params, backward_params):
    H = forward_params[2].shape[0]
    out = np.zeros((x.shape[0], x.shape[1], 2 * H))
    for n, length in enumerate(lengths):
        h = np.zeros(H)
        for t in range(length):
            h = np.tanh(x[n, t] @ forward_params[0] + h @ forward_params[1] + forward_params[2])
            out[n, t, :H] = h
        h = np.zeros(H)
        for t in range(length - 1, -1, -1):
            h = np.tanh(x[n, t] @ backward_params[0] + h @ backward_params[1] + backward_params[2])
            out[n, t, H:] = h
    return out


# %% gathered in reverse
import numpy as np


def run(x, Wx, Wh, b):
    h, states = np.zeros((len(x), len(b))), []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ Wx + h @ Wh + b)
        states.append(h)
    return np.stack(states, axis=1)


def bidirectional(x, lengths, forward_params, backward_params):
    t = np.arange(x.shape[1])
    valid = t < lengths[:, None]
    mirror = np.where(valid, lengths[:, None] - 1 - t, t)  # its own inverse
    ahead = run(x, *forward_params)
    back = run(np.take_along_axis(x, mirror[..., None], 1), *backward_params)
    back = np.take_along_axis(back, mirror[..., None], 1)
    return np.concatenate([ahead, back], -1) * valid[..., None]


# %% torch
import torch


def bidirectional(x, lengths, forward_params, backward_params):
    rows = []
    for sequence, length in zip(x, lengths.tolist()):
        halves = []
        for (Wx, Wh, b), turn in ((forward_params, False), (backward_params, True)):
            steps = sequence[:length].flip(0) if turn else sequence[:length]
            h, states = torch.zeros_like(b), []
            for step in steps:
                h = torch.tanh(step @ Wx + h @ Wh + b)
                states.append(h)
            half = torch.stack(states) if states else x.new_zeros(0, len(b))
            halves.append(half.flip(0) if turn else half)
        row = torch.cat(halves, 1)
        rows.append(torch.nn.functional.pad(row, (0, 0, 0, x.shape[1] - length)))
    return torch.stack(rows)
