# %% sequence by sequence, head by head
import numpy as np


def layer_norm(v, w, b):
    return (v - v.mean(axis=-1, keepdims=True)) / np.sqrt(v.var(axis=-1, keepdims=True) + 1e-5) * w + b


def encoder_layer(x, params, num_heads, mask=None):
    if x.ndim == 3:
        return np.stack([encoder_layer(one, params, num_heads, mask) for one in x])
    D = x.shape[1]
    d = D // num_heads
    W, b = params["self_attn.in_proj_weight"], params["self_attn.in_proj_bias"]
    Q, K, V = (x @ W[i * D : (i + 1) * D].T + b[i * D : (i + 1) * D] for i in range(3))
    heads = []
    for h in range(num_heads):
        c = slice(h * d, (h + 1) * d)
        s = Q[:, c] @ K[:, c].T / d**0.5
        if mask is not None:
            s[~mask] = -1e9
        e = np.exp(s - s.max(1, keepdims=True))
        heads.append(e / e.sum(1, keepdims=True) @ V[:, c])
    a = np.hstack(heads) @ params["self_attn.out_proj.weight"].T + params["self_attn.out_proj.bias"]
    y = layer_norm(x + a, params["norm1.weight"], params["norm1.bias"])
    f = np.clip(y @ params["linear1.weight"].T + params["linear1.bias"], 0, None)
    f = f @ params["linear2.weight"].T + params["linear2.bias"]
    return layer_norm(y + f, params["norm2.weight"], params["norm2.bias"])


# %% einsum, always a batch
import numpy as np


def encoder_layer(x, params, num_heads, mask=None):
    z = x[None] if x.ndim == 2 else x
    N, S, D = z.shape
    w = params["self_attn.in_proj_weight"].reshape(3, num_heads, -1, D)
    b = params["self_attn.in_proj_bias"].reshape(3, 1, num_heads, 1, -1)
    q, k, v = np.einsum("nsd,phcd->pnhsc", z, w) + b
    scores = np.einsum("nhsc,nhtc->nhst", q, k) * q.shape[-1] ** -0.5
    if mask is not None:
        scores = scores + np.where(mask, 0.0, -np.inf)
    p = np.exp(scores - np.logaddexp.reduce(scores, axis=-1, keepdims=True))
    a = np.einsum("nhst,nhtc,dhc->nsd", p, v, params["self_attn.out_proj.weight"].reshape(D, num_heads, -1))

    def norm(t, name):
        t = t - t.mean(-1, keepdims=True)
        return t / np.sqrt(np.mean(t * t, -1, keepdims=True) + 1e-5) * params[name + ".weight"] + params[name + ".bias"]

    y = norm(z + a + params["self_attn.out_proj.bias"], "norm1")
    h = np.einsum("nsd,fd->nsf", y, params["linear1.weight"]) + params["linear1.bias"]
    h = h * (h > 0)
    y = norm(y + np.einsum("nsf,df->nsd", h, params["linear2.weight"]) + params["linear2.bias"], "norm2")
    return y.reshape(x.shape)


# %% torch functional
import torch
import torch.nn.functional as F


def encoder_layer(x, params, num_heads, mask=None):
    D = x.shape[-1]
    qkv = F.linear(x, params["self_attn.in_proj_weight"], params["self_attn.in_proj_bias"])
    q, k, v = (t.unflatten(-1, (num_heads, -1)).transpose(-2, -3) for t in qkv.chunk(3, dim=-1))
    a = F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(-2, -3).flatten(-2)
    a = F.linear(a, params["self_attn.out_proj.weight"], params["self_attn.out_proj.bias"])
    x = F.layer_norm(x + a, (D,), params["norm1.weight"], params["norm1.bias"], 1e-5)
    f = F.relu(F.linear(x, params["linear1.weight"], params["linear1.bias"]))
    f = F.linear(f, params["linear2.weight"], params["linear2.bias"])
    return F.layer_norm(x + f, (D,), params["norm2.weight"], params["norm2.bias"])


# %% torch by hand, True hides
import torch


def encoder_layer(x, params, num_heads, mask=None):
    def linear(t, name):
        return t @ params[name + ".weight"].mT + params[name + ".bias"]

    def norm(t, name):
        var, mean = torch.var_mean(t, dim=-1, correction=0, keepdim=True)
        return (t - mean) * torch.rsqrt(var + 1e-5) * params[name + ".weight"] + params[name + ".bias"]

    S, D = x.shape[-2:]
    qkv = x @ params["self_attn.in_proj_weight"].mT + params["self_attn.in_proj_bias"]
    q, k, v = qkv.reshape(-1, S, 3, num_heads, D // num_heads).permute(2, 0, 3, 1, 4)
    scores = q @ k.mT / (D // num_heads) ** 0.5
    if mask is not None:
        scores = scores.masked_fill(mask, float("-inf"))
    a = (scores.softmax(-1) @ v).transpose(1, 2).reshape(x.shape)
    x = norm(x + linear(a, "self_attn.out_proj"), "norm1")
    return norm(x + linear(linear(x, "linear1").relu(), "linear2"), "norm2")


# %% added mask
import numpy as np


def encoder_layer(x, params, num_heads, mask=None):
    mask = np.zeros((x.shape[-2], x.shape[-2])) if mask is None else mask

    def linear(t, name):
        return t @ params[f"{name}.weight"].T + params[f"{name}.bias"]

    def norm(t, name):
        mean, std = t.mean(-1, keepdims=True), (t.var(-1, keepdims=True) + 1e-5) ** 0.5
        return params[f"{name}.weight"] * ((t - mean) / std) + params[f"{name}.bias"]

    def heads(t):
        return np.moveaxis(t.reshape(*t.shape[:-1], num_heads, -1), -2, -3)

    qkv = x @ params["self_attn.in_proj_weight"].T + params["self_attn.in_proj_bias"]
    q, k, v = map(heads, np.split(qkv, 3, axis=-1))
    e = np.exp(q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1]) + mask)
    a = np.moveaxis(e / e.sum(-1, keepdims=True) @ v, -3, -2).reshape(x.shape)
    x = norm(x + linear(a, "self_attn.out_proj"), "norm1")
    return norm(x + linear(np.maximum(0, linear(x, "linear1")), "linear2"), "norm2")
