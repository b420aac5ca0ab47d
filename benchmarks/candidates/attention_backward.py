import numpy as np


def attention_backward(dout, Q, K, V):
    scale = 1.0 / np.sqrt(Q.shape[-1])
    S = np.einsum("...qd,...kd->...qk", Q, K) * scale
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    P = E / E.sum(axis=-1, keepdims=True)
    dV = np.einsum("...qk,...qv->...kv", P, dout)
    dP = np.einsum("...qv,...kv->...qk", dout, V)
    inner = np.einsum("...qk,...qk->...q", dP, P)
    dS = P * (dP - inner[..., None])
    dS *= scale
    dQ = np.einsum("...qk,...kd->...qd", dS, K)
    dK = np.einsum("...qk,...qd->...kd", dS, Q)
    return dQ, dK, dV
