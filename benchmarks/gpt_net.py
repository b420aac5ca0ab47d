"""The GPT of models/gpt.py in PyTorch, as nanoGPT writes it, for the benchmarks beside it."""

import torch
import torch.nn.functional as F
from torch import nn

from handmade.models.gpt import GPTConfig


class Block(nn.Module):
    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        C = config.n_embd
        self.n_head = config.n_head
        self.dropout = config.dropout
        self.ln_1, self.ln_2 = nn.LayerNorm(C, bias=config.bias), nn.LayerNorm(C, bias=config.bias)
        self.c_attn = nn.Linear(C, 3 * C, bias=config.bias)
        self.c_proj = nn.Linear(C, C, bias=config.bias)
        self.c_fc = nn.Linear(C, 4 * C, bias=config.bias)
        self.c_out = nn.Linear(4 * C, C, bias=config.bias)

    def forward(self, x, cache=None):
        B, T, C = x.shape
        query, key, value = (
            part.view(B, T, self.n_head, -1).transpose(1, 2) for part in self.c_attn(self.ln_1(x)).split(C, 2)
        )
        if cache is not None:
            keys, values, length = cache
            keys[:, :, length : length + T], values[:, :, length : length + T] = key, value
            key, value = keys[:, :, : length + T], values[:, :, : length + T]
        dropout = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=T > 1)
        x = x + F.dropout(self.c_proj(y.transpose(1, 2).reshape(B, T, C)), self.dropout, self.training)
        y = self.c_out(F.gelu(self.c_fc(self.ln_2(x)), approximate="tanh"))
        return x + F.dropout(y, self.dropout, self.training)


class TorchGPT(nn.Module):
    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.wte, self.wpe = (
            nn.Embedding(config.vocab_size, config.n_embd),
            nn.Embedding(config.block_size, config.n_embd),
        )
        self.h = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.ln_f = nn.LayerNorm(config.n_embd, bias=config.bias)

    def forward(self, tokens, caches=None, length=0):
        x = self.wte(tokens) + self.wpe(torch.arange(length, length + tokens.shape[1]))
        x = F.dropout(x, self.config.dropout, self.training)
        for layer, block in enumerate(self.h):
            x = block(x, None if caches is None else (*caches[layer], length))
        return F.linear(self.ln_f(x), self.wte.weight)

    def caches(self, batch: int):
        """Room for a block of keys and values, layer by layer."""
        c = self.config
        shape = batch, c.n_head, c.block_size, c.n_embd // c.n_head
        return [(torch.zeros(shape), torch.zeros(shape)) for _ in self.h]


def copied(model) -> TorchGPT:
    """PyTorch's network with the weights of ours."""
    twin = TorchGPT(model.config)
    places = {"mlp.c_proj": "c_out", "mlp.c_fc": "c_fc", ".attn.": ".", "transformer.": ""}
    state = {}
    for name, tensor in model.state_dict().items():
        array = torch.tensor(tensor.numpy())
        if name.endswith("weight") and ".c_" in name:
            array = array.T.contiguous()  # (in, out) -> (out, in)
        for theirs, ours in places.items():
            name = name.replace(theirs, ours)
        if not name.startswith("lm_head"):
            state[name] = array
    twin.load_state_dict(state)
    return twin
