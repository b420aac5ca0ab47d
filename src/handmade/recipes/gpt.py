"""GPTs on characters, trained as nanoGPT trains them: random windows, AdamW, warm-up and cosine decay."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Int64

from handmade.errors import InputError
from handmade.models.char_lm import CharLM
from handmade.models.gpt import CONFIGS, GPT, GPTConfig
from handmade.nn import Module
from handmade.optim import AdamW, LambdaLR, Optimizer
from handmade.optim.lr_scheduler import LRScheduler
from handmade.tasks.decay import decay_groups
from handmade.tasks.language.sequences import EveryWindow, Windows
from handmade.tasks.language.task import LanguageRecipe

TOKENS_AT_ONCE = 4096
"""Tokens that are read together in testing."""


@dataclass(frozen=True, kw_only=True)
class GPTRecipe(LanguageRecipe):
    """The network of models/gpt.py, and how it learns.

    sequence_length: the block, and the length of the windows. n_layer: the number of blocks. n_head: heads in each.
    n_embd: the width, which the heads share. bias: whether linear layers and norms have biases.
    dropout: the probability that a number is dropped in training.
    epoch_steps: steps in an epoch; random windows have no natural end.
    learning_rate: the maximum, reached by linear warm-up over `warmup_steps`; then cosine decay to `min_learning_rate`.
    warmup_steps: steps until the learning rate is at its highest. min_learning_rate: what it ends at.
    weight_decay: of matrices and tables; norms and biases have none. beta2: how slowly AdamW forgets.
    """

    n_layer: int
    n_head: int
    n_embd: int
    dropout: float = 0.0
    bias: bool = False
    epoch_steps: int
    min_learning_rate: float
    warmup_steps: int = 100
    weight_decay: float = 0.1
    beta2: float = 0.99

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(1, "n_layer", "n_head", "n_embd", "epoch_steps")
        self.at_least(0, "min_learning_rate", "warmup_steps", "weight_decay", "beta2", "dropout")
        if self.n_embd % self.n_head:
            raise InputError(f"n_head is {self.n_head}, which does not divide n_embd = {self.n_embd}: heads share it.")
        for name in ("dropout", "beta2"):
            if getattr(self, name) >= 1:
                raise InputError(f"{name} is {getattr(self, name)}, expected below 1.")

    def build(self, vocab_size: int) -> CharLM:
        network = self.n_layer, self.n_head, self.n_embd, self.dropout, self.bias
        return GPT(GPTConfig(vocab_size, self.sequence_length, *network))

    def cut(self, tokens: Int64[np.ndarray, "N"]) -> Windows:
        return Windows(tokens, self.batch_size, self.sequence_length, self.epoch_steps, self.seed)

    def cut_for_test(self, tokens: Int64[np.ndarray, "N"]) -> EveryWindow:
        return EveryWindow(tokens, max(1, TOKENS_AT_ONCE // self.sequence_length), self.sequence_length)

    def make_optimizer(self, model: Module) -> Optimizer:
        return AdamW(decay_groups(model, self.weight_decay), self.learning_rate, betas=(0.9, self.beta2))

    def make_schedule(self, optimizer: Optimizer, total_steps: int) -> LRScheduler:
        lowest = self.min_learning_rate / self.learning_rate if self.learning_rate else 0.0
        return LambdaLR(optimizer, lambda step: warmed_cosine(step, self.warmup_steps, total_steps, lowest))


def warmed_cosine(step: int, warmup_steps: int, total_steps: int, lowest: float) -> float:
    """The factor of the maximum rate: linear warm-up, then cosine decay to `lowest` (nanoGPT)."""
    if step < warmup_steps:
        return (step + 1) / (warmup_steps + 1)
    done = min((step - warmup_steps) / max(total_steps - warmup_steps, 1), 1.0)
    return lowest + (1 - lowest) * (1 + math.cos(math.pi * done)) / 2


def sizes(name: str) -> dict[str, Any]:
    """A configuration of models/gpt.py, as the fields of a recipe."""
    config = CONFIGS[name]
    fields = ("n_layer", "n_head", "n_embd", "dropout", "bias")
    return {"sequence_length": config.block_size, **{field: getattr(config, field) for field in fields}}


GPT_CPU = GPTRecipe(
    model="gpt-cpu",
    data="shakespeare",
    epochs=8,
    epoch_steps=250,
    batch_size=12,
    **sizes("gpt-cpu"),
    learning_rate=1e-3,
    min_learning_rate=1e-4,
    threads=1,
)
GPT_BABY = GPTRecipe(
    model="gpt-baby",
    data="shakespeare",
    epochs=20,
    epoch_steps=250,
    batch_size=64,
    **sizes("gpt-baby"),
    learning_rate=1e-3,
    min_learning_rate=1e-4,
)
GPT_MAIN = replace(GPT_CPU, model="gpt", epochs=4, epoch_steps=300, learning_rate=3e-3)
"""gpt-cpu's network at three times its rate, which learns as much in fewer steps."""

RECIPES = (GPT_MAIN, GPT_CPU, GPT_BABY)
