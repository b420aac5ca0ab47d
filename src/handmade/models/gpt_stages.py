"""From a bigram table to GPT, in seven stages, each with one more idea than the last.

    Karpathy, "Let's build GPT: from scratch, in code, spelled out" (lecture, 2023), after Vaswani et al. (2017).

    1  bigram         the latest token only
    2  one head       attention: each position takes what it looks for from the positions before it
    3  multi-head     several small heads in parallel look for several things at once
    4  feed-forward   each position then processes what it has gathered
    5  residual       x + f(x): a stack of blocks of both, through which gradients flow
    6  norm           each block sees inputs of the same scale
    7  scaled up      models/gpt.py: wider and deeper, with a longer context

Every stage up to 6 has the interface of models/char_lm.py, and the same width, so that a gain is due to the new idea.

B batch, T time, V vocabulary size, C channels, H heads, D = C / H
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float, Int

import handmade.nn.functional as F
from handmade.engine import Tensor
from handmade.engine.creation import arange
from handmade.engine.functions import cat
from handmade.models.card import Card, Cost
from handmade.models.char_lm import BigramLM, CharLM, State
from handmade.nn import Embedding, Identity, LayerNorm, Linear, Module, ModuleList, ReLU, Sequential


class Head(Module):
    """One head of self-attention: B T C -> B T D."""

    def __init__(self, channels: int, head_size: int) -> None:
        super().__init__()
        self.query = Linear(channels, head_size, bias=False)  # what a position looks for
        self.key = Linear(channels, head_size, bias=False)  # what it is found by
        self.value = Linear(channels, head_size, bias=False)  # what it passes on

    def forward(self, x: Float[Tensor, "B T C"]) -> Float[Tensor, "B T D"]:
        return F.scaled_dot_product_attention(self.query(x), self.key(x), self.value(x), is_causal=True)


class MultiHead(Module):
    """Heads in parallel, and a layer that mixes their results: B T C -> B T C."""

    def __init__(self, channels: int, num_heads: int) -> None:
        super().__init__()
        self.heads = ModuleList(Head(channels, channels // num_heads) for _ in range(num_heads))
        self.mix = Linear(channels, channels)

    def forward(self, x: Float[Tensor, "B T C"]) -> Float[Tensor, "B T C"]:
        return self.mix(cat([head(x) for head in self.heads], dim=2))


def feed_forward(channels: int) -> Sequential:
    """Two layers, applied to each position separately."""
    return Sequential(Linear(channels, 4 * channels), ReLU(), Linear(4 * channels, channels))


class ResidualBlock(Module):
    """x + attention(x), then x + feed_forward(x); with `norm`, each branch reads the normalised x."""

    def __init__(self, channels: int, num_heads: int, norm: bool) -> None:
        super().__init__()
        self.norm_1 = LayerNorm(channels) if norm else Identity()
        self.attention = MultiHead(channels, num_heads)
        self.norm_2 = LayerNorm(channels) if norm else Identity()
        self.feed_forward = feed_forward(channels)

    def forward(self, x: Float[Tensor, "B T C"]) -> Float[Tensor, "B T C"]:
        x = x + self.attention(self.norm_1(x))
        return x + self.feed_forward(self.norm_2(x))


class StageLM(CharLM):
    """Vectors of tokens and positions, `body` over them (B T C -> B T C), and a linear layer to the scores.

    It sees `block_size` tokens at most; beyond that its window moves on by half a block, as GPT's.
    """

    def __init__(self, vocab_size: int, block_size: int, channels: int, body: Module) -> None:
        super().__init__()
        self.block_size: int = block_size
        self.tokens = Embedding(vocab_size, channels)
        self.places = Embedding(block_size, channels)
        self.body = body
        self.out = Linear(channels, vocab_size)

    def scores(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        """The scores of what follows each token of one window."""
        places = arange(tokens.shape[1], device=tokens.device)
        return self.out(self.body(self.tokens(tokens) + self.places(places)))

    def read(self, tokens: Int[Tensor, "B T"], state: State | None = None) -> tuple[Float[Tensor, "B T V"], State]:
        window = state[0] if state else tokens[:, :0]
        scores, read = [], 0
        while read < tokens.shape[1]:
            if window.shape[1] == self.block_size:
                window = window[:, (self.block_size + 1) // 2 :]
            piece = tokens[:, read : read + self.block_size - window.shape[1]]
            window = cat([window, piece], dim=1)
            scores.append(self.scores(window)[:, -piece.shape[1] :])
            read += piece.shape[1]
        return cat(scores, dim=1), (window,)


@dataclass(frozen=True)
class Stage:
    """body: from channels, heads and layers; None for the bigram, which has none, and for GPT.

    rate: a factor for the common learning rate; a table's logits have further to go than weights.
    """

    name: str
    body: Callable[[int, int, int], Module] | None
    rate: float = 1.0


STAGES = (
    Stage("bigram", None, rate=20.0),
    Stage("one head", lambda C, H, L: Head(C, C)),
    Stage("multi-head", lambda C, H, L: MultiHead(C, H)),
    Stage("feed-forward", lambda C, H, L: Sequential(MultiHead(C, H), feed_forward(C))),
    Stage("residual", lambda C, H, L: Sequential(*(ResidualBlock(C, H, norm=False) for _ in range(L)))),
    Stage("norm", lambda C, H, L: Sequential(*(ResidualBlock(C, H, norm=True) for _ in range(L)), LayerNorm(C))),
    Stage("scaled up", None),
)


def gpt_stage(
    stage: int, vocab_size: int = 65, block_size: int = 32, channels: int = 64, num_heads: int = 4, num_layers: int = 3
) -> CharLM:
    """The network of a stage, 1 to 6; the seventh is models/gpt.py."""
    if not 1 <= stage < len(STAGES):
        raise ValueError(f"stage is {stage}, expected 1 to {len(STAGES) - 1}; the last is handmade.models.gpt")
    body = STAGES[stage - 1].body
    if body is None:
        return BigramLM(vocab_size)
    return StageLM(vocab_size, block_size, channels, body(channels, num_heads, num_layers))


CARDS = (
    Card(
        "gpt-stage",
        gpt_stage,
        2023,
        "Karpathy: Let's build GPT: from scratch, in code, spelled out (lecture)",
        159_937,
        (32,),
        arguments=(("stage", 6),),
        cost=Cost(4_851_712, 129_088),
        recipe="gpt_stages",
    ),
)
