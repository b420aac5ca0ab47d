import numpy as np


def bahdanau(query, keys, values, Wq, Wk, v, mask):
    q_proj = query @ Wq
    k_proj = np.einsum("nth,ha->nta", keys, Wk)
    energy = np.tanh(np.expand_dims(q_proj, 1) + k_proj)
    e = np.einsum("nta,a->nt", energy, v)
    e[~mask] = -np.inf
    e = np.exp(e - e.max(axis=-1, keepdims=True))
    alphas = e / np.sum(e, axis=-1, keepdims=True)
    ctx = np.einsum("nt,ntv->nv", alphas, values)
    return ctx, alphas
