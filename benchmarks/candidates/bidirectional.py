import numpy as np


def run(sequence, params):
    Wx, Wh, b = params
    state = np.zeros(len(b))
    states = []
    for token in sequence:
        state = np.tanh(token.dot(Wx) + state.dot(Wh) + b)
        states.append(state)
    return states


def bidirectional(x, lengths, forward_params, backward_params):
    hf, hb = len(forward_params[2]), len(backward_params[2])
    y = np.zeros((x.shape[0], x.shape[1], hf + hb))
    for n, length in enumerate(lengths):
        real = x[n, :length]
        there = run(real, forward_params)
        back = run(real[::-1], backward_params)[::-1]
        for t in range(length):
            y[n, t] = np.hstack((there[t], back[t]))
    return y
