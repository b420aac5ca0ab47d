import numpy as np


class Block:
    def __init__(self, params, n_head):
        self.p = params
        self.n_head = n_head

    def ln(self, name, h):
        m = h.mean(axis=-1, keepdims=True)
        s = np.sqrt(((h - m) ** 2).mean(axis=-1, keepdims=True) + 1e-5)
        return self.p[f"{name}.weight"] * (h - m) / s + self.p[f"{name}.bias"]

    def proj(self, name, h):
        return h @ self.p[f"{name}.weight"] + self.p[f"{name}.bias"]

    def attn(self, h):
        C = h.shape[-1]
        q, k, v = np.split(self.proj("attn.c_attn", h), 3, axis=-1)
        size = C // self.n_head
        T = h.shape[-2]
        allowed = np.tril(np.ones((T, T), dtype=bool))
        heads = []
        for i in range(self.n_head):
            cols = slice(i * size, (i + 1) * size)
            att = q[..., cols] @ np.swapaxes(k[..., cols], -2, -1) / np.sqrt(size)
            att = np.where(allowed, att, -np.inf)
            att = np.exp(att - att.max(axis=-1, keepdims=True))
            att = att / att.sum(axis=-1, keepdims=True)
            heads.append(att @ v[..., cols])
        return self.proj("attn.c_proj", np.concatenate(heads, axis=-1))

    def mlp(self, h):
        u = self.proj("mlp.c_fc", h)
        inner = np.sqrt(2 / np.pi) * (u + 0.044715 * u**3)
        act = 0.5 * u * (1 + np.tanh(inner))
        return self.proj("mlp.c_proj", act)

    def __call__(self, h):
        h = h + self.attn(self.ln("ln_1", h))
        return h + self.mlp(self.ln("ln_2", h))


def gpt_block(x, params, num_heads):
    return Block(params, num_heads)(x)
