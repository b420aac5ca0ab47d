"""The stages from a bigram to GPT (models/gpt_stages.py), all trained alike, and what each reaches."""

from dataclasses import dataclass

from handmade.errors import InputError
from handmade.models.char_lm import CharLM
from handmade.models.gpt_stages import STAGES, gpt_stage
from handmade.nn import Module
from handmade.optim import AdamW, Optimizer
from handmade.recipes.gpt import GPTRecipe
from handmade.tasks.decay import decay_groups

MEASURED: tuple[float, ...] = (2.502, 2.498, 2.282, 2.124, 1.937, 1.953, 1.841)
"""Nats a character on the test part of the packaged Shakespeare, stage by stage, as these recipes learned it (the first
step of the first six at the full rate).

With three blocks and 1,000 steps norms gain nothing yet: they are what lets more blocks learn. The last has a
fifth more steps, and a past twice as long.
"""


@dataclass(frozen=True, kw_only=True)
class StageRecipe(GPTRecipe):
    """stage: 1 to 6, of models/gpt_stages.py; the seventh is the recipe 'gpt'."""

    stage: int = 6

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(1, "stage")
        if self.stage >= len(STAGES):
            raise InputError(f"stage is {self.stage}, expected 1 to {len(STAGES)}.")

    def build(self, vocab_size: int) -> CharLM:
        return gpt_stage(self.stage, vocab_size, self.sequence_length, self.n_embd, self.n_head, self.n_layer)

    def make_optimizer(self, model: Module) -> Optimizer:
        rate = self.learning_rate * STAGES[self.stage - 1].rate
        return AdamW(decay_groups(model, self.weight_decay), rate, betas=(0.9, self.beta2))


def stage_table(stage: int, loss: float) -> str:
    """What each stage gained over the one before when measured, and the loss of this run of `stage`."""
    lines = ["stage              nats    gain"]
    for number, (known, nats) in enumerate(zip(STAGES, MEASURED, strict=True), 1):
        gain = f"{MEASURED[number - 2] - nats:.3f}" if number > 1 else ""
        mine = f"   this run: {loss:.3f}" if number == stage else ""
        lines.append(f"{number}  {known.name:<13} {nats:6.3f} {gain:>7}{mine}")
    return "\n".join(lines)


GPT_STAGE = StageRecipe(
    model="gpt-stage",
    data="shakespeare",
    epochs=4,
    epoch_steps=250,
    batch_size=32,
    sequence_length=32,
    n_layer=3,
    n_head=4,
    n_embd=64,
    learning_rate=3e-3,
    min_learning_rate=1e-4,
)
RECIPES = (GPT_STAGE,)
