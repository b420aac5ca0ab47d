# %% row by row, with the Jacobian
import numpy as np


def attention_backward(dout, Q, K, V):
    if Q.ndim > 2:
        parts = [attention_backward(*four) for four in zip(dout, Q, K, V)]
        return tuple(np.stack(part) for part in zip(*parts))
    dQ, dK, dV = np.zeros_like(Q), np.zeros_like(K), np.zeros_like(V)
    scale = 1 / np.sqrt(Q.shape[1])
    for i in range(len(Q)):
        s = K @ Q[i] * scale
        p = np.exp(s - s.max())
        p /= p.sum()
        jacobian = np.diag(p) - np.outer(p, p)
        ds = jacobian @ (V @ dout[i])
        dQ[i] = ds @ K * scale
        dK += np.outer(ds, Q[i]) * scale
        dV += np.outer(p, dout[i])
    return dQ, dK, dV


# %% einsum, with the output instead of the sum
import numpy as np


def attention_backward(dout, Q, K, V):
    scale = K.shape[-1] ** -0.5
    s = np.einsum("...qd,...kd->...qk", Q, K) * scale
    p = np.exp(s - np.logaddexp.reduce(s, axis=-1, keepdims=True))
    out = np.einsum("...qk,...kv->...qv", p, V)
    delta = (dout * out).sum(axis=-1, keepdims=True)
    ds = p * (np.einsum("...qv,...kv->...qk", dout, V) - delta) * scale
    return (
        np.einsum("...qk,...kd->...qd", ds, K),
        np.einsum("...qk,...qd->...kd", ds, Q),
        np.einsum("...qk,...qv->...kv", p, dout),
    )


# %% torch by hand
import torch


def attention_backward(dout, Q, K, V):
    scale = Q.shape[-1] ** -0.5
    P = torch.softmax(Q @ K.transpose(-2, -1) * scale, -1)
    dV = P.transpose(-2, -1) @ dout
    dP = dout @ V.transpose(-2, -1)
    dS = (P * dP - P * (P * dP).sum(-1, keepdim=True)) * scale
    return dS @ K, dS.transpose(-2, -1) @ Q, dV
