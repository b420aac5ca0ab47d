import numpy as np


def norm(t, p, name):
    mu, var = t.mean(-1, keepdims=True), t.var(-1, keepdims=True)
    return (t - mu) / np.sqrt(var + 1e-5) * p[name + ".weight"] + p[name + ".bias"]


def fc(t, weight, bias):
    return np.matmul(t, weight.T) + bias


def split_heads(t, heads):
    *lead, s, d = t.shape
    return np.moveaxis(t.reshape(*lead, s, heads, d // heads), -2, -3)


def merge_heads(t):
    t = np.moveaxis(t, -3, -2)
    return t.reshape(*t.shape[:-2], -1)


def attention(x, p, heads, mask):
    qkv = fc(x, p["self_attn.in_proj_weight"], p["self_attn.in_proj_bias"])
    q, k, v = (split_heads(part, heads) for part in np.array_split(qkv, 3, axis=-1))
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    probs = scores / scores.sum(-1, keepdims=True)
    merged = merge_heads(probs @ v)
    return fc(merged, p["self_attn.out_proj.weight"], p["self_attn.out_proj.bias"])


def encoder_layer(x, params, num_heads, mask=None):
    x = norm(x + attention(x, params, num_heads, mask), params, "norm1")
    ff = np.clip(fc(x, params["linear1.weight"], params["linear1.bias"]), 0, None)
    ff = fc(ff, params["linear2.weight"], params["linear2.bias"])
    return norm(x + ff, params, "norm2")
