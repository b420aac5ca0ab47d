# %% sequence by sequence, head by head
import math

import numpy as np


def ln(x, g, b):
    m = np.mean(x, axis=1, keepdims=True)
    return g * (x - m) / np.sqrt(np.mean((x - m) ** 2, axis=1, keepdims=True) + 1e-5) + b


def gpt_block(x, params, num_heads):
    if x.ndim == 3:
        return np.array([gpt_block(row, params, num_heads) for row in x])
    T, C = x.shape
    d = C // num_heads
    qkv = ln(x, params["ln_1.weight"], params["ln_1.bias"]) @ params["attn.c_attn.weight"] + params["attn.c_attn.bias"]
    heads = np.zeros((T, C))
    for h in range(num_heads):
        a, b = h * d, (h + 1) * d
        q, k, v = qkv[:, a:b], qkv[:, C + a : C + b], qkv[:, 2 * C + a : 2 * C + b]
        for t in range(T):
            s = k[: t + 1] @ q[t] / math.sqrt(d)
            w = np.exp(s - s.max())
            heads[t, a:b] = w @ v[: t + 1] / w.sum()
    x = x + heads @ params["attn.c_proj.weight"] + params["attn.c_proj.bias"]
    u = ln(x, params["ln_2.weight"], params["ln_2.bias"]) @ params["mlp.c_fc.weight"] + params["mlp.c_fc.bias"]
    u = 0.5 * u * (1 + np.tanh(math.sqrt(2 / math.pi) * (u + 0.044715 * u**3)))
    return x + u @ params["mlp.c_proj.weight"] + params["mlp.c_proj.bias"]


# %% einsum
import numpy as np


def gpt_block(x, params, num_heads):
    def ln(t, name):
        t = t - t.mean(-1, keepdims=True)
        return t * (np.square(t).mean(-1, keepdims=True) + 1e-5) ** -0.5 * params[name + ".weight"] + params[name + ".bias"]

    C, T = x.shape[-1], x.shape[-2]
    w = params["attn.c_attn.weight"].reshape(C, 3, num_heads, -1)
    qkv = np.einsum("...tc,cphd->p...htd", ln(x, "ln_1"), w)
    b = params["attn.c_attn.bias"].reshape(3, num_heads, 1, -1)
    q, k, v = (part + bias for part, bias in zip(qkv, b))
    s = np.einsum("...td,...sd->...ts", q, k) / np.sqrt(q.shape[-1]) + np.triu(np.full((T, T), -1e10), 1)
    p = np.exp(s - s.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    wo = params["attn.c_proj.weight"].reshape(num_heads, -1, C)
    x = x + np.einsum("...hts,...hsd,hdc->...tc", p, v, wo) + params["attn.c_proj.bias"]
    u = ln(x, "ln_2") @ params["mlp.c_fc.weight"] + params["mlp.c_fc.bias"]
    u = u / (1 + np.exp(-2 * np.sqrt(2 / np.pi) * (u + 0.044715 * u**3)))
    return x + (u @ params["mlp.c_proj.weight"] + params["mlp.c_proj.bias"])


# %% torch
import torch
import torch.nn.functional as F


def gpt_block(x, params, num_heads):
    C = x.size(-1)
    h = F.layer_norm(x, (C,), params["ln_1.weight"], params["ln_1.bias"])
    q, k, v = (h @ params["attn.c_attn.weight"] + params["attn.c_attn.bias"]).split(C, dim=-1)
    q, k, v = (t.unflatten(-1, (num_heads, C // num_heads)).transpose(-2, -3) for t in (q, k, v))
    y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(-2, -3).flatten(-2)
    x = x + y @ params["attn.c_proj.weight"] + params["attn.c_proj.bias"]
    h = F.layer_norm(x, (C,), params["ln_2.weight"], params["ln_2.bias"])
    h = F.gelu(h @ params["mlp.c_fc.weight"] + params["mlp.c_fc.bias"], approximate="tanh")
    return x + h @ params["mlp.c_proj.weight"] + params["mlp.c_proj.bias"]


# %% torch modules
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, C, num_heads):
        super().__init__()
        self.h = num_heads
        self.ln_1, self.ln_2 = nn.LayerNorm(C), nn.LayerNorm(C)
        self.attn = nn.ModuleDict({"c_attn": nn.Linear(C, 3 * C), "c_proj": nn.Linear(C, C)})
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(C, 4 * C), "c_proj": nn.Linear(4 * C, C)})

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = (t.view(B, T, self.h, -1).transpose(1, 2) for t in self.attn["c_attn"](self.ln_1(x)).chunk(3, -1))
        a = (q @ k.mT / k.size(-1) ** 0.5).masked_fill(torch.tril(torch.ones(T, T)) == 0, float("-inf"))
        x = x + self.attn["c_proj"]((a.softmax(-1) @ v).transpose(1, 2).reshape(B, T, C))
        return x + self.mlp["c_proj"](nn.GELU("tanh")(self.mlp["c_fc"](self.ln_2(x))))


def gpt_block(x, params, num_heads):
    block = Block(x.shape[-1], num_heads).double()
    block.load_state_dict({k: v.T if v.ndim == 2 else v for k, v in params.items()})
    out = block(x if x.ndim == 3 else x[None])
    return out if x.ndim == 3 else out[0]
