"""GPT: a Transformer decoder that predicts the next token.

    Radford, Wu, Child, Luan, Amodei & Sutskever, "Language Models are Unsupervised Multitask Learners" (2019), GPT-2,
    after Radford et al., "Improving Language Understanding by Generative Pre-Training" (2018), section 3.

    tokens B T
      |  wte: a vector for each token, plus wpe: one for each position
    x B T C ----------------------------------------------------+
      |  ln_1 -> attention to positions up to this one          |  h.0
      + <------------------------------------------------------ |  x = x + attention(norm(x))
      |  ln_2 -> mlp: C -> 4C -> GELU -> C                      |  x = x + mlp(norm(x))
      + <------------------------------------------------------ |
      |  ... h.1 to h.L-1                                       +
      |  ln_f
      |  lm_head: the rows of wte again (tied weights)
    logits B T V: the scores of the next token at every position

    model(tokens, targets)     (logits, loss), for T up to block_size: what training calls
    model.read(tokens, cache)  (logits, cache): a text of any length in pieces, as in models/char_lm.py

With the cache a new token costs O(T): its query attends to the cached keys and values of the tokens before. Positions
are learned vectors, so at most `block_size` tokens can be seen at once. Then the window moves on by half a block:
the later half of its tokens is read again from position 0, and the rest forgotten. Reading at once, in pieces or token
by token gives the same scores.

`CONFIGS` has GPT-2's four sizes and two of characters, nanoGPT's (Karpathy 2022): `gpt-cpu` and `gpt-baby`, which have
no biases. Names are Hugging Face's, weights of linear layers (in, out). Parameters, with biases:

    V C + T C + L (12 C^2 + 13 C) + 2 C        gpt2: 124,439,808

Differences:
- Published GPT-2 has the paper's "1/sqrt(N)" on the residual projections in its code only; here, as in nanoGPT, the
  initial weights of the 2 L projections onto the residual path are divided by sqrt(2 L).
- Position vectors are initialised with the same deviation as all others; OpenAI's with half of it.
- GPT-2 and nanoGPT initialise all sizes with deviation 0.02. Below 768 channels ours is larger, in proportion to
  1 / sqrt(C): with 0.02 a network of 128 learns little in its first few hundred steps (docs/measured.md).

B batch, T time (positions), C channels (n_embd), H heads, D = C / H, L layers, V vocabulary size
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

import handmade.nn.functional as F
from handmade.engine import Tensor, no_grad
from handmade.engine.creation import arange, zeros
from handmade.engine.functions import cat
from handmade.models.card import Card, Cost
from handmade.models.char_lm import CharLM, next_token_loss
from handmade.models.gpt_files import check_settings, configuration, differences, published_names
from handmade.nn import GELU, Dropout, Embedding, LayerNorm, Module, ModuleList, Parameter, init
from handmade.nn.module import IncompatibleKeys
from handmade.ops.attention import causal_mask


@dataclass(frozen=True)
class GPTConfig:
    """vocab_size V, block_size: positions, n_layer L, n_head H, n_embd C; the others:

    dropout: on the embeddings, the attention weights and the output of each branch.
    bias: whether linear layers and norms have one.
    tied: whether lm_head is wte.
    layer_norm_epsilon: what the norms add to the variance.
    """

    vocab_size: int = 50257
    block_size: int = 1024
    n_layer: int = 12
    n_head: int = 12
    n_embd: int = 768
    dropout: float = 0.1
    bias: bool = True
    tied: bool = True
    layer_norm_epsilon: float = 1e-5

    def __post_init__(self) -> None:
        for name in ("vocab_size", "block_size", "n_layer", "n_head", "n_embd"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 1")
        if self.n_embd % self.n_head:
            raise ValueError(f"n_head is {self.n_head}, which does not divide n_embd = {self.n_embd}: heads share it")


CONFIGS = {
    "gpt2": GPTConfig(),
    "gpt2-medium": GPTConfig(n_layer=24, n_head=16, n_embd=1024),
    "gpt2-large": GPTConfig(n_layer=36, n_head=20, n_embd=1280),
    "gpt2-xl": GPTConfig(n_layer=48, n_head=25, n_embd=1600),
    "gpt-cpu": GPTConfig(65, 64, n_layer=4, n_head=4, n_embd=128, dropout=0.0, bias=False),
    "gpt-baby": GPTConfig(65, 256, n_layer=6, n_head=6, n_embd=384, dropout=0.2, bias=False),
}


class Conv1D(Module):
    """input weight + bias: (..., in_features) -> (..., out_features); OpenAI's linear layer, weight (in, out).

    (A convolution of width 1, hence the name.) weight starts normal with deviation `std`, bias at zero.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool, std: float) -> None:
        super().__init__()
        self.weight = Parameter(init.normal_(zeros(in_features, out_features), std=std))
        self.bias = Parameter(zeros(out_features)) if bias else None

    def forward(self, input: Float[Tensor, "*rows in"]) -> Float[Tensor, "*rows out"]:
        return F.projection(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        in_features, out_features = self.weight.shape
        return f"{in_features}, {out_features}, bias={self.bias is not None}"


class Unembedding(Module):
    """input weight^T: the score of each token is the product of the last state with the token's vector."""

    def __init__(self, weight: Parameter) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, input: Float[Tensor, "*rows C"]) -> Float[Tensor, "*rows V"]:
        return F.linear(input, self.weight)


class Cache:
    """The window of text that a GPT has read: its tokens, and the keys and values of every layer.

    Memory for a whole block is allocated once; `model.read` fills it in place. It holds `length` tokens so far.
    """

    def __init__(self, config: GPTConfig, batch: int, dtype: np.dtype) -> None:
        shape = (config.n_layer, batch, config.n_head, config.block_size, config.n_embd // config.n_head)
        self.keys = np.empty(shape, dtype)  # L B H T D
        self.values = np.empty(shape, dtype)
        self.tokens = np.zeros((batch, config.block_size), np.int64)
        self.length = 0

    @property
    def room(self) -> int:
        """How many more tokens fit."""
        return self.tokens.shape[1] - self.length

    def extend(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Append the keys and values of the next tokens, B H T D; return all so far, B H length+T D."""
        end = self.length + keys.shape[2]
        self.keys[layer, :, :, self.length : end] = keys.array
        self.values[layer, :, :, self.length : end] = values.array
        return Tensor(self.keys[layer, :, :, :end]), Tensor(self.values[layer, :, :, :end])


class CausalSelfAttention(Module):
    """Multi-head attention in which a position sees itself and the positions before it."""

    attention = staticmethod(F.scaled_dot_product_attention)

    def __init__(self, config: GPTConfig, layer: int) -> None:
        super().__init__()
        C = config.n_embd
        self.layer = layer
        self.n_head = config.n_head
        self.dropout = config.dropout
        self.c_attn = Conv1D(C, 3 * C, config.bias, weight_std(C))  # all heads in one product
        self.c_proj = Conv1D(C, C, config.bias, residual_std(config))
        self.resid_dropout = Dropout(config.dropout)

    def forward(self, x: Float[Tensor, "B T C"], cache: Cache | None = None) -> Float[Tensor, "B T C"]:
        B, T, C = x.shape
        heads = self.c_attn(x).reshape(B, T, 3, self.n_head, C // self.n_head).permute(2, 0, 3, 1, 4)  # 3 B H T D
        query, key, value = heads[0], heads[1], heads[2]
        mask = None
        if cache is not None:
            key, value = cache.extend(self.layer, key, value)
            mask = Tensor(causal_mask(T, cache.length + T, cache.length)) if T > 1 else None
        dropout = self.dropout if self.training else 0.0
        y = self.attention(query, key, value, mask, dropout, is_causal=cache is None)
        return self.resid_dropout(self.c_proj(y.transpose(1, 2).reshape(B, T, C)))  # B H T D -> B T C


class MLP(Module):
    """Two layers, applied to each position separately: C -> 4C -> GELU -> C."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        C = config.n_embd
        self.c_fc = Conv1D(C, 4 * C, config.bias, weight_std(C))
        self.act = GELU("tanh")
        self.c_proj = Conv1D(4 * C, C, config.bias, residual_std(config))
        self.dropout = Dropout(config.dropout)

    def forward(self, x: Float[Tensor, "B T C"]) -> Float[Tensor, "B T C"]:
        return self.dropout(self.c_proj(self.act(self.c_fc(x))))


class Block(Module):
    """Attention, then the MLP, each applied to the normalised state and added to it (pre-norm)."""

    def __init__(self, config: GPTConfig, layer: int) -> None:
        super().__init__()
        self.ln_1 = _norm(config)
        self.attn = CausalSelfAttention(config, layer)
        self.ln_2 = _norm(config)
        self.mlp = MLP(config)

    def forward(self, x: Float[Tensor, "B T C"], cache: Cache | None = None) -> Float[Tensor, "B T C"]:
        x = x + self.attn(self.ln_1(x), cache)
        return x + self.mlp(self.ln_2(x))


class Transformer(Module):
    """From tokens to the last states, B T C."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.wte = _embedding(config.vocab_size, config.n_embd)
        self.wpe = _embedding(config.block_size, config.n_embd)
        self.drop = Dropout(config.dropout)
        self.h = ModuleList(Block(config, layer) for layer in range(config.n_layer))
        self.ln_f = _norm(config)

    def forward(self, tokens: Int[Tensor, "B T"], cache: Cache | None = None) -> Float[Tensor, "B T C"]:
        first = 0 if cache is None else cache.length
        places = arange(first, first + tokens.shape[1], device=tokens.device)
        x = self.drop(self.wte(tokens) + self.wpe(places))
        for block in self.h:
            x = block(x, cache)
        return self.ln_f(x)


class GPT(CharLM):
    """The contract of models/char_lm.py; its state is a `Cache`."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.block_size = config.block_size
        self.transformer = Transformer(config)
        wte = self.transformer.wte.weight
        self.lm_head = Unembedding(wte if config.tied else _embedding(*wte.shape).weight)

    def forward(
        self, tokens: Int[Tensor, "B T"], targets: Int[Tensor, "B T"] | None = None
    ) -> tuple[Float[Tensor, "B T V"], Float[Tensor, ""] | None]:
        """The scores of what follows each token and, given what does follow (IGNORED does not count), the loss.

        Raises ValueError for more than block_size tokens, and for none.
        """
        if not 0 < tokens.shape[1] <= self.config.block_size:
            raise ValueError(
                f"tokens have shape {tokens.shape}, B T; expected 1 <= T <= block_size = {self.config.block_size}. "
                "Longer texts go through read(), whose window moves along"
            )
        logits = self.lm_head(self.transformer(tokens))
        return logits, None if targets is None else next_token_loss(logits, targets)

    @no_grad()
    def read(self, tokens: Int[Tensor, "B T"], state: Cache | None = None) -> tuple[Float[Tensor, "B T V"], Cache]:
        """The scores of what follows each token, and the cache that the next tokens are read with.

        Any length: see the top of this file for what happens beyond the block. Nothing is recorded for gradients: the
        cache is filled in place.
        """
        cache = self._cache(tokens, state)
        states = [self._extend(piece, cache) for piece in self._pieces(tokens, cache)]
        return self.lm_head(states[0] if len(states) == 1 else cat(states, dim=1)), cache

    @no_grad()
    def step(self, tokens: Int[Tensor, "B T"], state: Cache | None = None) -> tuple[Float[Tensor, "B V"], Cache]:
        """`read`, but the scores of what follows the last token only: at V = 50257 the others would cost most."""
        cache = self._cache(tokens, state)
        for piece in self._pieces(tokens, cache):
            states = self._extend(piece, cache)
        return self.lm_head(states[:, -1]), cache

    def _cache(self, tokens: Tensor, state: Cache | None) -> Cache:
        batch, time = tokens.shape
        if time == 0:
            raise ValueError(f"tokens have shape {tokens.shape}: there is nothing to read; give one token at least")
        if state is not None and len(state.tokens) != batch:
            raise ValueError(f"the cache holds {len(state.tokens)} texts, tokens {tokens.shape} are of {batch}")
        return state or Cache(self.config, batch, self.transformer.wte.weight.dtype)

    def _pieces(self, tokens: Tensor, cache: Cache) -> Iterator[Tensor]:
        """`tokens` in pieces that fit; before each that does not, the window is moved on."""
        read = 0
        while read < tokens.shape[1]:
            if cache.room == 0:
                kept = cache.tokens[:, (cache.length + 1) // 2 :].copy()
                cache.length = 0
                if kept.size:
                    self._extend(Tensor(kept), cache)
            piece = tokens[:, read : read + cache.room]
            read += piece.shape[1]
            yield piece

    def _extend(self, tokens: Tensor, cache: Cache) -> Tensor:
        states = self.transformer(tokens, cache)
        end = cache.length + tokens.shape[1]
        cache.tokens[:, cache.length : end] = tokens.array
        cache.length = end
        return states

    def check_settings(self, settings: Mapping[str, Any]) -> None:
        """Raise ValueError unless config.json, the file beside the weights, describes this network."""
        check_settings(settings, self.config)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """As for every module; also takes published files as they are: see gpt_files.py.

        Raises RuntimeError for weights of another configuration, and says which.
        """
        state = published_names(state_dict, self.config.tied)
        found = configuration(state, self.config)
        if found is not None and found != self.config:
            raise RuntimeError(differences(found, self.config, CONFIGS))
        return super().load_state_dict(state, strict)


def residual_std(config: GPTConfig) -> float:
    """The deviation of the 2 L projections that are added up on the residual path (GPT-2, section 2.3)."""
    return weight_std(config.n_embd) / math.sqrt(2 * config.n_layer)


def weight_std(channels: int) -> float:
    """The deviation of all other initial weights: GPT-2's 0.02, which it has for 768 channels, and more for fewer."""
    return 0.02 * math.sqrt(max(768 / channels, 1))


def _norm(config: GPTConfig) -> LayerNorm:
    return LayerNorm(config.n_embd, config.layer_norm_epsilon, bias=config.bias)


def _embedding(rows: int, columns: int) -> Embedding:
    table = Embedding(rows, columns)
    table.weight.array *= weight_std(columns)  # drawn with deviation 1
    return table


def gpt(name: str = "gpt2", **changes: Any) -> GPT:
    """One of `CONFIGS`, with changes: gpt("gpt-cpu", block_size=128)."""
    if name not in CONFIGS:
        raise ValueError(f"name is {name!r}; expected one of {', '.join(CONFIGS)}")
    return GPT(replace(CONFIGS[name], **changes))


RADFORD = (2019, "Radford et al.: Language Models are Unsupervised Multitask Learners")
KARPATHY = (2022, "Karpathy: nanoGPT, after Radford et al.")


def _card(name: str, paper: tuple[int, str], parameters: int, error: str, cost: Cost, **more: Any) -> Card:
    shape, source = (CONFIGS[name].block_size,), "table 3" if paper is RADFORD else "README"
    arguments = (("name", name),)
    return Card(name, gpt, *paper, parameters, shape, error, arguments, source=source, cost=cost, **more)


_CPU = Cost(50_864_128, 626_752)
CARDS = (
    _card("gpt2", RADFORD, 124_439_808, "perplexity 29.41 on WikiText-2", Cost(126_496_800_768, 224_478_208)),
    _card("gpt2-medium", RADFORD, 354_823_168, "perplexity 22.76 on WikiText-2", Cost(361_935_929_344, 508_642_304)),
    _card("gpt2-large", RADFORD, 774_030_080, "perplexity 19.93 on WikiText-2", Cost(790_648_586_240, 906_052_608)),
    _card("gpt2-xl", RADFORD, 1_557_611_200, "perplexity 18.34 on WikiText-2", Cost(1_592_290_508_800, 1_473_594_368)),
    Card("gpt", gpt, *KARPATHY, 804_096, (64,), arguments=(("name", "gpt-cpu"),), cost=_CPU, recipe="gpt"),
    _card("gpt-cpu", KARPATHY, 804_096, "1.88 nats on Tiny Shakespeare", _CPU, recipe="gpt"),
    _card(
        "gpt-baby", KARPATHY, 10_745_088, "1.47 nats on Tiny Shakespeare", Cost(2_724_298_752, 11_026_688), recipe="gpt"
    ),
)
