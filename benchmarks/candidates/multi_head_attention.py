import numpy as np


def multi_head_attention(X, num_heads, d_model, weights):
    Wq, Wk, Wv, Wo = weights
    d_k = d_model // num_heads
    q = np.einsum("sm,mhd->hsd", X, Wq.reshape(d_model, num_heads, d_k))
    k = np.einsum("sm,mhd->hsd", X, Wk.reshape(d_model, num_heads, d_k))
    v = np.einsum("sm,mhd->hsd", X, Wv.reshape(d_model, num_heads, d_k))
    logits = np.einsum("hsd,htd->hst", q, k) * d_k**-0.5
    logits -= logits.max(-1, keepdims=True)
    probs = np.exp(logits)
    probs /= probs.sum(-1, keepdims=True)
    mixed = np.einsum("hst,htd->shd", probs, v)
    return np.einsum("shd,hdm->sm", mixed, Wo.reshape(num_heads, d_k, d_model))
