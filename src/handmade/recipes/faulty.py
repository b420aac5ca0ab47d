"""A small GPT, and seven mistakes that people make in training one: each changes its task in one place.

They are made to learn to read a run by; tests/recipes/test_faulty.py measures what each of them shows.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Int64

from handmade.engine import Tensor
from handmade.errors import InputError, suggestion
from handmade.models.char_lm import next_token_loss
from handmade.models.gpt import Block, Cache, CausalSelfAttention
from handmade.nn import functional as F
from handmade.recipes.gpt import GPT_CPU
from handmade.tasks.language.task import Batch, LanguageModelling
from handmade.tasks.schedules import scale_rate
from handmade.tasks.task import Outcome

RECIPE = replace(
    GPT_CPU,
    steps=240,
    epoch_steps=40,
    batch_size=16,
    sequence_length=16,
    n_layer=3,
    n_head=2,
    n_embd=32,
    dropout=0.2,
    learning_rate=1e-2,
    min_learning_rate=1e-3,
    warmup_steps=20,
    max_norm=1e6,
)
"""Some seconds long. Its gradients are as good as not clipped: clipping would hide how large they are."""


TESTED = 4_000
"""Characters of the test text that it is evaluated on."""


class SmallGPT(LanguageModelling):
    """The task of RECIPE, tested on a little of the text."""

    def _tokens(self, split: str) -> Int64[np.ndarray, "N"]:
        tokens = super()._tokens(split)
        return tokens[:TESTED] if split == "test" else tokens


@dataclass(frozen=True)
class Fault:
    """apply: makes the mistake. cause: what is wrong in the code. sign: how the run shows it. mend: the right line."""

    apply: Callable[[LanguageModelling], None]
    cause: str
    sign: str
    mend: str


def task_with(fault: str) -> LanguageModelling:
    """The small GPT with the mistake of this name; the right one for the empty name."""
    if fault and fault not in FAULTS:
        raise InputError(f"there is no mistake {fault!r}{suggestion(fault, FAULTS)}")
    task = SmallGPT(RECIPE)
    if fault:
        FAULTS[fault].apply(task)
    return task


def no_mask(task: LanguageModelling) -> None:
    def attention(query: Tensor, key: Tensor, value: Tensor, mask: Any, dropout: float, is_causal: bool) -> Tensor:
        return F.scaled_dot_product_attention(query, key, value, None, dropout)

    for part in _parts(task, CausalSelfAttention):
        part.attention = attention


def targets_not_shifted(task: LanguageModelling) -> None:
    own = task.loss

    def loss(batch: Batch) -> Outcome:
        tokens, _, before = batch
        return own((tokens, tokens, before))

    _put(task, loss=loss)


def no_zero_grad(task: LanguageModelling) -> None:
    _put(task, backpropagate=lambda outcome: outcome.loss.backward())


def rate_times_100(task: LanguageModelling) -> None:
    scale_rate(task.schedule, 100)


def no_residual(task: LanguageModelling) -> None:
    def without(block: Block) -> Callable[..., Tensor]:
        def forward(x: Tensor, cache: Cache | None = None) -> Tensor:
            return block.mlp(block.ln_2(block.attn(block.ln_1(x), cache)))

        return forward

    for block in _parts(task, Block):
        block.forward = without(block)


def no_eval_mode(task: LanguageModelling) -> None:
    def nats(tokens: Any, targets: Any, state: Any) -> tuple[Any, Any]:
        logits, state = task.model.read(Tensor(tokens), state)
        return F.cross_entropy(logits.flatten(0, 1), Tensor(targets.reshape(-1)), reduction="none").array, state

    _put(task, _nats=nats)


def softmax_before_cross_entropy(task: LanguageModelling) -> None:
    def loss(batch: Batch) -> Outcome:
        tokens, targets, _ = batch
        logits, _ = task.model(tokens)
        return Outcome(next_token_loss(F.softmax(logits, dim=-1), targets), targets.array.size, {})

    _put(task, loss=loss)


def _parts(task: LanguageModelling, kind: type) -> list[Any]:
    return [part for part in task.model.modules() if isinstance(part, kind)]


def _put(task: LanguageModelling, **methods: Callable[..., Any]) -> None:
    vars(task).update(methods)


FAULTS = {
    "no mask": Fault(
        no_mask,
        "The attention has no causal mask, so each place sees the letter that it is to guess.",
        "Both losses fall far below what can be known of the next letter, and what it writes is worse than before: "
        "when it writes, there is nothing to copy.",
        "scaled_dot_product_attention(q, k, v, is_causal=True)",
    ),
    "targets not shifted": Fault(
        targets_not_shifted,
        "The targets are the inputs, not the letters after them.",
        "The training loss is near 0 within a few dozen steps, since the answer stands in the input. On the test text, "
        "whose targets are right, it is worse than guessing.",
        "inputs, targets = text[:-1], text[1:]",
    ),
    "no zero_grad": Fault(
        no_zero_grad,
        "The gradients are not cleared before backward(), so each step adds to those of all steps before.",
        "The norm of the gradients grows and grows. The loss falls at first and then wanders: steps go where the sum "
        "of old gradients points.",
        "optimizer.zero_grad(); loss.backward(); optimizer.step()",
    ),
    "rate x 100": Fault(
        rate_times_100,
        "The learning rate is 100 times too high.",
        "The loss falls for a few steps and jumps up again. It ends where letters are guessed by how often they "
        "occur, and stays there: the large steps have ruined the initial weights.",
        "Adam begins well near 1e-3; find the largest rate at which the loss does not jump, and take less",
    ),
    "no residual": Fault(
        no_residual,
        "The blocks do not add to what they get: x = block(x) in place of x = x + block(x).",
        "The gradients of the first blocks are more than a hundred times smaller than those of the last. The loss "
        "stays where letters are guessed by how often they occur.",
        "x = x + self.attn(self.ln_1(x)); x = x + self.mlp(self.ln_2(x))",
    ),
    "no eval mode": Fault(
        no_eval_mode,
        "It is tested in training mode, so dropout drops numbers in the test, too.",
        "It learns as well as without the mistake, but the test loss is higher than it should be: with dropout, the "
        "test loss of a young network lies clearly below its training loss, and here it hardly does.",
        "model.eval() before the test, model.train() after it",
    ),
    "softmax before cross-entropy": Fault(
        softmax_before_cross_entropy,
        "The scores go through softmax, and then into cross_entropy, which takes the softmax itself.",
        "Probabilities as scores are between 0 and 1, so the loss cannot fall below log(V - 1 + e) - 1 = 3.17 for "
        "V = 63 letters. It hardly moves, and the gradients are tiny.",
        "cross_entropy(logits, targets)",
    ),
}
"""By the names under which a learner finds them."""
